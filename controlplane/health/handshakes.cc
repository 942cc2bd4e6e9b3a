#include "controlplane/health/handshakes.h"

#include <fmt/format.h>

#include "controlplane/health/spread.h"

namespace warmswap::health {
namespace {

constexpr double kKeptPerLook = 0.8;

}  // namespace

void Handshakes::count(uint64_t id, const HandshakeCounts& shown) {
  Node& node = nodes_[id];
  const HandshakeCounts before = node.shown.value_or(shown);
  node.shown = shown;
  const HandshakeCounts more = shown - before;
  node.counted += more;
  node.fresh = more.all() > 0;
  node.recent.completed = node.recent.completed * kKeptPerLook + static_cast<double>(more.completed);
  node.recent.incomplete = node.recent.incomplete * kKeptPerLook + static_cast<double>(more.all() - more.completed);
  node.recent.completed_ns = node.recent.completed_ns * kKeptPerLook + static_cast<double>(more.completed_ns);
}

void Handshakes::start_anew() {
  for (auto& [id, node] : nodes_) node.shown.reset();
}

void Handshakes::forget(uint64_t id) {
  const auto node = nodes_.find(id);
  if (node == nodes_.end()) return;
  node->second.recent = {};
  node->second.fresh = false;
  node->second.in_a_row = 0;
}

std::vector<Suspect> Handshakes::evaluate(const config::AnomalyConfig& config, std::span<const uint64_t> working) {
  std::vector<Suspect> suspects;
  std::vector<std::pair<uint64_t, Node*>> judged;
  std::vector<double> parts, times;
  for (const uint64_t id : working) {
    const auto found = nodes_.find(id);
    if (found == nodes_.end() || found->second.recent.all() < kLeastHandshakes) continue;
    const Recent& recent = found->second.recent;
    judged.emplace_back(id, &found->second);
    parts.push_back(recent.part_incomplete());
    if (recent.completed >= kLeastHandshakes) times.push_back(recent.mean_ns());
  }
  if (judged.size() < kLeastToCompare) return suspects;
  const Spread part = spread_of(parts);
  const Spread time = spread_of(times);
  for (const auto& [id, node] : judged) {
    if (!node->fresh) continue;
    node->fresh = false;
    const Recent& recent = node->recent;
    const double incomplete = recent.part_incomplete();
    const bool failing = is_failing(config, incomplete, part);
    const bool timed = recent.completed >= kLeastHandshakes && times.size() >= kLeastToCompare;
    const double mean = timed ? recent.mean_ns() : 0;
    const bool slow = timed && is_slow(config, mean, time);
    node->in_a_row = failing || slow ? node->in_a_row + 1 : 0;
    if (node->in_a_row == 0) continue;
    suspects.push_back({id,
                        failing ? fmt::format("{:.0f} % of its handshakes fail, the pool's median is {:.0f} %",
                                              incomplete * 100, part.median * 100)
                                : fmt::format("handshakes take {:.1f} ms, the pool's median is {:.1f} ms", mean / 1e6,
                                              time.median / 1e6),
                        node->in_a_row});
  }
  return suspects;
}

std::optional<HandshakeFigures> Handshakes::figures(uint64_t id) const {
  const auto found = nodes_.find(id);
  if (found == nodes_.end()) return std::nullopt;
  const Node& node = found->second;
  if (node.counted == HandshakeCounts{}) return std::nullopt;
  HandshakeFigures figures{node.counted, {}, {}};
  if (node.recent.completed >= 1) figures.time = std::chrono::nanoseconds(static_cast<int64_t>(node.recent.mean_ns()));
  if (node.recent.all() >= 1) figures.incomplete = node.recent.part_incomplete();
  return figures;
}

}  // namespace warmswap::health
