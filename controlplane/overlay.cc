#include "controlplane/overlay.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <type_traits>

#include "controlplane/config/rules.h"
#include "controlplane/config/text.h"
#include "controlplane/plan.h"

namespace warmswap::controlplane {
namespace {

using api::ApplyResult;
using api::Refusal;

ApplyResult refuse(Refusal refusal, std::string sentence) {
  ApplyResult result;
  result.refusal = refusal;
  result.error = std::move(sentence);
  return result;
}

config::PoolConfig* find_pool(config::Config& config, const std::string& name) {
  for (config::PoolConfig& pool : config.pools) {
    if (pool.name == name) return &pool;
  }
  return nullptr;
}

auto find_backend(config::PoolConfig& pool, const std::string& name) {
  return std::find_if(pool.backends.begin(), pool.backends.end(),
                      [&name](const config::BackendConfig& backend) { return backend.name == name; });
}

struct Target {
  std::string pool;
  std::string backend;
};
Target target_of(const api::Change& change) {
  return std::visit(
      [](const auto& c) {
        if constexpr (std::is_same_v<std::decay_t<decltype(c)>, api::AddBackend>)
          return Target{c.pool, c.backend.name};
        else if constexpr (std::is_same_v<std::decay_t<decltype(c)>, api::ForceFailoverDomain>)
          return Target{c.pool, ""};
        else
          return Target{c.pool, c.backend};
      },
      change);
}

bool changes_configuration(const api::Change& change) {
  return std::holds_alternative<api::AddBackend>(change) || std::holds_alternative<api::RemoveBackend>(change) ||
         std::holds_alternative<api::SetWeight>(change);
}

/// Changes `config`, without regard to rules that hold between backends: those are checked once after all changes.
ApplyResult change_configuration(config::Config& config, const api::Change& change) {
  const Target target = target_of(change);
  config::PoolConfig* pool = find_pool(config, target.pool);
  if (pool == nullptr) return refuse(Refusal::not_found, "no pool \"" + target.pool + "\"");
  const auto at = find_backend(*pool, target.backend);
  if (const auto* add = std::get_if<api::AddBackend>(&change)) {
    if (at != pool->backends.end()) {
      return refuse(Refusal::conflict, "pool " + target.pool + " already has a backend \"" + target.backend + "\"");
    }
    const auto place = std::find_if(pool->backends.begin(), pool->backends.end(),
                                    [&](const config::BackendConfig& other) { return target.backend < other.name; });
    pool->backends.insert(place, add->backend);
    return {};
  }
  if (at == pool->backends.end()) {
    return refuse(Refusal::not_found, "pool " + target.pool + " has no backend \"" + target.backend + "\"");
  }
  if (std::holds_alternative<api::RemoveBackend>(change)) pool->backends.erase(at);
  if (const auto* weight = std::get_if<api::SetWeight>(&change)) at->weight = weight->weight;
  return {};
}

/// Keeps the overlay as short as what it says: the last weight counts, and removing what was added cancels out.
void remember(std::vector<api::Change>& overlay, const config::Config& file, const api::Change& change) {
  const Target target = target_of(change);
  const auto same_target = [&target](const api::Change& other) {
    const Target of = target_of(other);
    return of.pool == target.pool && of.backend == target.backend;
  };
  if (std::holds_alternative<api::RemoveBackend>(change)) {
    std::erase_if(overlay, same_target);
    const config::PoolConfig* pool = file.find_pool(target.pool);
    if (pool == nullptr || pool->find_backend(target.backend) == nullptr) return;
  }
  if (const auto* weight = std::get_if<api::SetWeight>(&change)) {
    std::erase_if(overlay, [&](const api::Change& other) {
      return same_target(other) && std::holds_alternative<api::SetWeight>(other);
    });
    for (api::Change& other : overlay) {
      auto* added = std::get_if<api::AddBackend>(&other);
      if (added == nullptr || !same_target(other)) continue;
      added->backend.weight = weight->weight;
      return;
    }
  }
  overlay.push_back(change);
}

/// The engine's event of a change that is not one of the configuration.
struct EventOf {
  using Event = failover::Event;
  Event operator()(const api::EnableBackend& c) const { return failover::Enable{c.backend}; }
  Event operator()(const api::DisableBackend& c) const { return failover::Disable{c.backend}; }
  Event operator()(const api::ForceFailover& c) const { return failover::Failover{c.backend, c.to.value_or("")}; }
  Event operator()(const api::ForceFailoverDomain& c) const { return failover::FailoverDomain{c.domain}; }
  Event operator()(const api::ForceFailback& c) const { return failover::Failback{c.backend, c.whole}; }
  Event operator()(const api::SwapBackends& c) const { return failover::Swap{c.backend, c.with}; }
  Event operator()(const api::DrillBackend& c) const { return failover::Drill{c.backend, c.to.value_or(""), c.length}; }
  Event operator()(const api::DrainBackend& c) const { return failover::DrainOut{c.backend, c.length}; }
  // These change the configuration, and never get here.
  Event operator()(const api::AddBackend&) const { return failover::Tick{}; }
  Event operator()(const api::RemoveBackend&) const { return failover::Tick{}; }
  Event operator()(const api::SetWeight&) const { return failover::Tick{}; }
};

ApplyResult command_engine(Model& model, const api::Change& change, Nanoseconds now,
                           std::vector<PoolOutcome>& outcomes) {
  const Target target = target_of(change);
  const config::PoolConfig* pool = model.running.find_pool(target.pool);
  if (pool == nullptr) return refuse(Refusal::not_found, "no pool \"" + target.pool + "\"");
  if (!target.backend.empty() && pool->find_backend(target.backend) == nullptr) {
    return refuse(Refusal::not_found, "pool " + target.pool + " has no backend \"" + target.backend + "\"");
  }
  PoolModel& state = model.pools.at(target.pool);
  failover::Outcome outcome = failover::step(*pool, state.state, std::visit(EventOf{}, change), now);
  if (!outcome.refusals.empty()) return refuse(Refusal::conflict, outcome.refusals.front().sentence);
  state.state = outcome.state;
  outcomes.push_back({target.pool, std::move(outcome)});
  return {};
}

void reconfigure(Model& model, const std::string& name, Nanoseconds now, std::vector<PoolOutcome>& outcomes) {
  PoolModel& state = model.pools.at(name);
  failover::Outcome outcome = failover::reconfigure(*model.running.find_pool(name), state.state, now);
  state.state = outcome.state;
  outcomes.push_back({name, std::move(outcome)});
}

ApplyResult numbered(ApplyResult result, size_t index, size_t count, const api::Change& change) {
  const std::string which =
      count == 1 ? "" : "changes[" + std::to_string(index) + "] (" + describe_change(change) + "): ";
  result.error = which + result.error + (count == 1 ? "" : "; nothing of the list was applied");
  return result;
}

/// A drain moves nothing at first, and everything in the end: the model then, where there is one among the changes.
std::optional<Model> at_the_end_of_drains(const Model& model, const std::vector<api::Change>& changes,
                                          Nanoseconds now) {
  std::optional<Model> end;
  for (const api::Change& change : changes) {
    const auto* drain = std::get_if<api::DrainBackend>(&change);
    if (drain == nullptr) continue;
    if (!end) end = model;
    PoolModel& pool = end->pools.at(drain->pool);
    const config::PoolConfig& config = *end->running.find_pool(drain->pool);
    pool.state = failover::step(config, pool.state, failover::Tick{}, now + drain->length).state;
    refresh_ring(config, pool);
  }
  return end;
}

}  // namespace

void add_plans(api::ApplyResult& result, std::vector<api::PoolPlan> plans) {
  for (const api::PoolPlan& plan : plans) {
    result.slots_moved += plan.slots_moved;
    result.survivor_slots_moved += plan.survivor_slots_moved;
  }
  result.plan = std::move(plans);
}

std::string describe_change(const api::Change& change) {
  const Target target = target_of(change);
  const std::string where = target.pool + "/" + target.backend;
  if (std::holds_alternative<api::AddBackend>(change)) return "add " + where;
  if (std::holds_alternative<api::RemoveBackend>(change)) return "remove " + where;
  if (const auto* weight = std::get_if<api::SetWeight>(&change)) {
    return "weight " + where + " " + std::to_string(weight->weight);
  }
  if (std::holds_alternative<api::EnableBackend>(change)) return "enable " + where;
  if (std::holds_alternative<api::DisableBackend>(change)) return "disable " + where;
  if (const auto* force = std::get_if<api::ForceFailover>(&change)) {
    return "failover " + where + (force->to ? " to " + *force->to : "");
  }
  if (const auto* domain = std::get_if<api::ForceFailoverDomain>(&change)) {
    return "failover of " + domain->domain + " in " + target.pool;
  }
  if (const auto* swap = std::get_if<api::SwapBackends>(&change)) return "swap " + where + " with " + swap->with;
  if (const auto* drill = std::get_if<api::DrillBackend>(&change)) {
    return "drill " + where + (drill->to ? " to " + *drill->to : "") + " for " + config::format_duration(drill->length);
  }
  if (const auto* drain = std::get_if<api::DrainBackend>(&change)) {
    return "drain " + where + " for " + config::format_duration(drain->length);
  }
  return "failback " + where + (std::get<api::ForceFailback>(change).whole ? " whole" : "");
}

ApplyResult apply_changes(Model& model, const std::vector<api::Change>& changes, Nanoseconds now,
                          std::vector<PoolOutcome>& outcomes) {
  Model next = model;
  std::set<std::string> touched;
  for (size_t i = 0; i < changes.size(); ++i) {
    const api::Change& change = changes[i];
    ApplyResult result;
    if (changes_configuration(change)) {
      result = change_configuration(next.running, change);
      if (result.ok()) {
        remember(next.overlay, next.file, change);
        reconfigure(next, target_of(change).pool, now, outcomes);
      }
    } else {
      result = command_engine(next, change, now, outcomes);
    }
    if (!result.ok()) return numbered(std::move(result), i, changes.size(), change);
    touched.insert(target_of(change).pool);
  }
  // Between the changes of a list a rule may be broken (a standby added after its hot backend), after them none.
  if (auto valid = config::validate(next.running); !valid) return refuse(Refusal::invalid, valid.error());
  for (const std::string& name : touched) refresh_ring(*next.running.find_pool(name), next.pools.at(name));
  ApplyResult result;
  const std::optional<Model> end = at_the_end_of_drains(next, changes, now);
  add_plans(result, plan_between(model, end ? *end : next, touched));
  model = std::move(next);
  return result;
}

Laid lay_over(const config::Config& file, const std::vector<api::Change>& overlay) {
  Laid laid{file, {}, {}};
  for (const api::Change& change : overlay) {
    if (!changes_configuration(change)) continue;
    config::Config attempt = laid.running;
    ApplyResult result = change_configuration(attempt, change);
    if (result.ok()) {
      if (auto valid = config::validate(attempt); !valid) result = refuse(Refusal::invalid, valid.error());
    }
    if (!result.ok()) {
      laid.dropped.push_back(describe_change(change) + ": " + result.error);
      continue;
    }
    laid.running = std::move(attempt);
    remember(laid.overlay, file, change);
  }
  return laid;
}

std::vector<PoolOutcome> replace_configuration(Model& model, config::Config file, Nanoseconds now) {
  // What a running process does not take up stays as it is (restart_needed).
  file.instance.name = model.running.instance.name;
  file.instance.run_dir = model.running.instance.run_dir;
  file.instance.group = model.running.instance.group;
  file.dataplane = model.running.dataplane;
  const uint32_t sampling = file.controlplane.handshake_sampling;
  file.controlplane = model.running.controlplane;
  file.controlplane.handshake_sampling = sampling;
  model.file = file;
  model.running = std::move(file);
  model.overlay.clear();
  std::vector<PoolOutcome> outcomes;
  std::map<std::string, PoolModel> pools;
  for (const config::PoolConfig& config : model.running.pools) {
    const auto before = model.pools.find(config.name);
    PoolModel pool = before != model.pools.end() ? std::move(before->second) : PoolModel{};
    failover::Outcome outcome = pool.state.backends.empty() ? failover::start(config, now)
                                                            : failover::reconfigure(config, std::move(pool.state), now);
    pool.state = outcome.state;
    refresh_ring(config, pool);
    outcomes.push_back({config.name, std::move(outcome)});
    pools.emplace(config.name, std::move(pool));
  }
  model.pools = std::move(pools);
  return outcomes;
}

std::vector<std::string> restart_needed(const config::Config& before, const config::Config& after) {
  std::vector<std::string> sentences;
  const auto differs = [&sentences](bool different, const std::string& what, const std::string& who) {
    if (different) sentences.push_back(what + " has changed: restart " + who + " to take it up");
  };
  const config::DataplaneConfig& a = before.dataplane;
  const config::DataplaneConfig& b = after.dataplane;
  differs(before.instance.name != after.instance.name, "instance.name", "both processes");
  differs(before.instance.run_dir != after.instance.run_dir, "instance.run_dir", "the control plane");
  differs(before.instance.group != after.instance.group, "instance.group", "both processes");
  differs(a.cores != b.cores || a.idle != b.idle || a.hugepages != b.hugepages || a.memory_mib != b.memory_mib ||
              a.ports != b.ports || a.eal_args != b.eal_args || !(a.geometry == b.geometry),
          "[dataplane]", "both processes");
  const config::ControlplaneConfig& c = before.controlplane;
  const config::ControlplaneConfig& d = after.controlplane;
  differs(c.listen_address != d.listen_address || c.listen_port != d.listen_port || c.lease != d.lease ||
              c.log_level != d.log_level || c.journal != d.journal || c.journal_max_mib != d.journal_max_mib ||
              c.journal_files != d.journal_files || c.heartbeat_address != d.heartbeat_address ||
              c.heartbeat_port != d.heartbeat_port || !(c.heartbeat_key == d.heartbeat_key) ||
              c.max_clock_skew != d.max_clock_skew,
          "[controlplane]", "the control plane");
  return sentences;
}

}  // namespace warmswap::controlplane
