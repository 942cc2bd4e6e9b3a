#include "controlplane/heartbeat/load.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace warmswap::heartbeat {
namespace {

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

bool heard_lately(const config::LoadConfig& config, Nanoseconds heard, Nanoseconds now) {
  return heard.count() > 0 && now - heard <= config.hold;
}

uint16_t quantised(double factor) {
  const auto quanta = static_cast<uint32_t>(std::lround(factor * kQuanta));
  return static_cast<uint16_t>(std::max(quanta, 1u) * contract::kWhole / kQuanta);
}

}  // namespace

double weighted_load(const config::LoadConfig& config, const contract::AgentLoad& load, uint32_t most_connections) {
  double sum = 0, weights = 0;
  const auto add = [&](uint32_t weight, std::optional<double> part) {
    if (!part) return;
    sum += weight * *part;
    weights += weight;
  };
  const auto part = [](std::optional<uint16_t> value) {
    return value ? std::optional<double>(*value / 65535.0) : std::nullopt;
  };
  add(config.cpu, part(load.cpu));
  add(config.memory, part(load.memory));
  add(config.disk, part(load.disk));
  add(config.network, part(load.network));
  add(config.run_queue, part(load.run_queue));
  if (load.connections && most_connections > 0) {
    add(config.connections, static_cast<double>(*load.connections) / most_connections);
  }
  return weights > 0 ? sum / weights : 0;
}

std::vector<double> load_coefficients(std::span<const double> loads) {
  double most = kLeastLoad;
  for (const double load : loads) most = std::max(most, load);
  std::vector<double> coefficients;
  for (const double load : loads) coefficients.push_back(std::max(load, kLeastLoad) / most);
  return coefficients;
}

std::vector<double> shares_for(std::span<const double> loads) {
  std::vector<double> shares;
  for (const double coefficient : load_coefficients(loads)) shares.push_back(1 / coefficient);
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= sum;
  return shares;
}

void LoadBalance::report(uint64_t id, const contract::AgentLoad& load, Nanoseconds now) {
  Node& node = nodes_[id];
  node.latest = load;
  node.heard = now;
}

void LoadBalance::begins_with(uint64_t id, uint16_t share) {
  Node& node = nodes_[id];
  if (quantised(node.factor) != share) node.factor = static_cast<double>(share) / contract::kWhole;
}

void LoadBalance::forget(uint64_t id) {
  nodes_.erase(id);
}

void LoadBalance::smooth(const config::LoadConfig& config, std::span<const uint64_t> ids, Nanoseconds now) {
  uint32_t most_connections = 0;
  for (const uint64_t id : ids)
    most_connections = std::max(most_connections, nodes_[id].latest.connections.value_or(0));
  for (const uint64_t id : ids) {
    Node& node = nodes_[id];
    if (!heard_lately(config, node.heard, now)) {
      node.smoothed.reset();
      continue;
    }
    const double load = weighted_load(config, node.latest, most_connections);
    const double age = static_cast<double>((now - node.smoothed_at).count());
    const double old = std::exp2(-age / static_cast<double>(std::max<int64_t>(config.half_life.count(), 1)));
    node.smoothed = node.smoothed ? load + (*node.smoothed - load) * old : load;
    node.smoothed_at = now;
  }
}

std::vector<LoadBalance::Share> LoadBalance::update(const config::LoadConfig& config, std::span<const uint64_t> serving,
                                                    Nanoseconds now) {
  smooth(config, serving, now);
  std::vector<double> loads;
  for (const uint64_t id : serving) {
    if (nodes_[id].smoothed) loads.push_back(*nodes_[id].smoothed);
  }
  const double step = config.step / 200.0;  // either side of 1, so that a quotient of two moves by the whole step
  const bool balances = config.balance && loads.size() >= 2 && mean_of(loads) >= kIdlePool;
  const std::vector<double> coefficients = load_coefficients(loads);
  const double mean = loads.empty() ? 1 : mean_of(coefficients);
  const double threshold = config.threshold / 100.0;
  double most = 0;
  size_t next = 0;
  for (const uint64_t id : serving) {
    Node& node = nodes_[id];
    const double coefficient = node.smoothed ? coefficients[next++] : mean;
    double pull = 1;
    if (!config.balance) node.factor = 1;  // switched off: the weights are meant as they stand
    if (!balances || !node.smoothed) {
      pull = 1 / node.factor;  // nothing is known, or nothing is to be gained: back to neutral
    } else if (coefficient > mean * threshold || coefficient * threshold < mean) {
      pull = std::sqrt(mean / coefficient);
    }
    node.factor *= std::clamp(pull, 1 - step, 1 + step);
    most = std::max(most, node.factor);
  }
  std::vector<Share> shares;
  for (const uint64_t id : serving) {
    Node& node = nodes_[id];
    node.factor = std::max(node.factor / most, config.least / 100.0);
    shares.push_back({id, quantised(node.factor)});
  }
  return shares;
}

std::optional<double> LoadBalance::load(const config::LoadConfig& config, uint64_t id, Nanoseconds now) const {
  const auto found = nodes_.find(id);
  if (found == nodes_.end() || !heard_lately(config, found->second.heard, now)) return std::nullopt;
  return found->second.smoothed;
}

}  // namespace warmswap::heartbeat
