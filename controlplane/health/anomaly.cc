#include "controlplane/health/anomaly.h"

#include <fmt/format.h>

#include "controlplane/health/spread.h"

namespace warmswap::health {
namespace {

constexpr double kSmoothing = 1.0 / 8;  // of RFC 6298's round-trip time

std::string milliseconds(double ns) {
  return fmt::format("{:.1f} ms", ns / 1e6);
}

}  // namespace

void Anomaly::result(uint64_t id, bool good, Duration response_time) {
  Node& node = nodes_[id];
  node.fresh = true;
  node.errors += ((good ? 0.0 : 1.0) - node.errors) * kSmoothing;
  if (!good) return;
  const auto took = static_cast<double>(response_time.count());
  node.latency_ns = node.latency_ns ? *node.latency_ns + (took - *node.latency_ns) * kSmoothing : took;
}

void Anomaly::forget(uint64_t id) {
  nodes_.erase(id);
}

std::vector<Outlying> Anomaly::evaluate(const config::AnomalyConfig& config, std::span<const uint64_t> working) {
  std::vector<double> latencies, errors;
  for (const uint64_t id : working) {
    const auto node = nodes_.find(id);
    if (node == nodes_.end() || !node->second.latency_ns) continue;
    latencies.push_back(*node->second.latency_ns);
    errors.push_back(node->second.errors);
  }
  std::vector<Outlying> outlying;
  if (latencies.size() < kLeastToCompare) return outlying;
  const Spread latency = spread_of(latencies);
  const Spread error = spread_of(errors);
  for (const uint64_t id : working) {
    const auto found = nodes_.find(id);
    if (found == nodes_.end() || !found->second.latency_ns || !found->second.fresh) continue;
    Node& node = found->second;
    node.fresh = false;
    const bool slow = is_slow(config, *node.latency_ns, latency);
    const bool failing = is_failing(config, node.errors, error);
    node.in_a_row = slow || failing ? node.in_a_row + 1 : 0;
    if (node.in_a_row < config.probes) continue;
    node.in_a_row = 0;
    outlying.push_back({id, slow ? fmt::format("response time {}, the pool's median is {}",
                                               milliseconds(*node.latency_ns), milliseconds(latency.median))
                                 : fmt::format("{:.0f} % of its probes fail, the pool's median is {:.0f} %",
                                               node.errors * 100, error.median * 100)});
  }
  return outlying;
}

std::optional<Anomaly::Duration> Anomaly::response_time(uint64_t id) const {
  const auto node = nodes_.find(id);
  if (node == nodes_.end() || !node->second.latency_ns) return std::nullopt;
  return Duration(static_cast<int64_t>(*node->second.latency_ns));
}

}  // namespace warmswap::health
