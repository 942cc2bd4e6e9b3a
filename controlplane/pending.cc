#include "controlplane/pending.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace warmswap::controlplane {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::system_clock;

std::string key_of(const std::string& pool, const std::string& backend) {
  return pool + "/" + backend;
}

/// Lets the pool's engine have the command; its refusal is for the list.
void command(Model& model, const std::string& pool, const failover::Event& event, Nanoseconds now,
             std::vector<PoolOutcome>& outcomes, std::vector<std::string>& refusals) {
  PoolModel& state = model.pools.at(pool);
  failover::Outcome outcome = failover::step(*model.running.find_pool(pool), state.state, event, now);
  for (const failover::Refusal& refusal : outcome.refusals) refusals.push_back(pool + ": " + refusal.sentence);
  state.state = outcome.state;
  outcomes.push_back({pool, std::move(outcome)});
}

void restore_admin(Model& model, const Pending& pending, Nanoseconds now, std::vector<PoolOutcome>& outcomes,
                   std::vector<std::string>& refusals) {
  for (const config::PoolConfig& pool : model.running.pools) {
    const std::vector<failover::BackendState> backends = model.pools.at(pool.name).state.backends;
    for (const failover::BackendState& backend : backends) {
      const bool was_disabled = pending.disabled.contains(key_of(pool.name, backend.name));
      const auto held = [&](const auto& entry) { return entry.second == backend.name; };
      const bool drains = backend.drain && std::any_of(pending.holders.begin(), pending.holders.end(), held);
      if (was_disabled == (backend.admin == failover::Admin::disabled) && !drains) continue;
      const failover::Event event = was_disabled ? failover::Event(failover::Disable{backend.name})
                                                 : failover::Event(failover::Enable{backend.name});
      command(model, pool.name, event, now, outcomes, refusals);
    }
  }
}

void restore_holders(Model& model, const Pending& pending, Nanoseconds now, std::vector<PoolOutcome>& outcomes,
                     std::vector<std::string>& refusals) {
  for (const config::PoolConfig& pool : model.running.pools) {
    const failover::PoolState state = model.pools.at(pool.name).state;
    for (const failover::SeatState& seat : state.seats) {
      const std::string& owner = state.backends[seat.owner].name;
      const auto was = pending.holders.find(key_of(pool.name, owner));
      const std::string is = seat.holder ? state.backends[*seat.holder].name : "";
      if (was == pending.holders.end() || was->second.empty() || was->second == is) continue;
      failover::Event event = failover::Failback{owner, true};
      if (was->second != owner) event = failover::Failover{owner, was->second};
      if (was->second != owner && !is.empty() && is != owner) event = failover::Swap{is, was->second};
      command(model, pool.name, event, now, outcomes, refusals);
    }
  }
}

json::value changes_value(const std::vector<api::Change>& changes) {
  if (changes.empty()) return json::array{};
  return json::parse(api::render_changes(changes)).as_object().at("changes");
}

contract::Result<std::vector<api::Change>> read_changes(const json::value& list, const api::PoolProbe& pool_probe) {
  if (list.is_array() && list.as_array().empty()) return std::vector<api::Change>{};
  return api::parse_changes(json::serialize(json::object{{"changes", list}}), pool_probe);
}

contract::Result<Pending> read_pending(const json::object& object, const api::PoolProbe& pool_probe) {
  Pending pending;
  pending.what = std::string(object.at("what").as_string());
  pending.until = system_clock::time_point(milliseconds(object.at("until_ms").as_int64()));
  auto overlay = read_changes(object.at("overlay"), pool_probe);
  if (!overlay) return contract::Error{overlay.error()};
  pending.overlay = std::move(*overlay);
  for (const json::value& name : object.at("disabled").as_array()) pending.disabled.emplace(name.as_string());
  for (const auto& [seat, holder] : object.at("holders").as_object()) {
    pending.holders[std::string(seat)] = std::string(holder.as_string());
  }
  return pending;
}

}  // namespace

Pending remember_for_rollback(const Model& before, const std::vector<api::PoolPlan>& plans, std::string what,
                              system_clock::time_point until, bool reloaded) {
  Pending pending{
      .what = std::move(what), .until = until, .file = {}, .overlay = before.overlay, .disabled = {}, .holders = {}};
  if (reloaded) pending.file = before.file;
  for (const auto& [name, pool] : before.pools) {
    for (const failover::BackendState& backend : pool.state.backends) {
      if (backend.admin == failover::Admin::disabled) pending.disabled.insert(key_of(name, backend.name));
    }
  }
  for (const api::PoolPlan& plan : plans) {
    for (const api::SeatPlan& seat : plan.seats) pending.holders[key_of(plan.pool, seat.owner)] = seat.before;
  }
  return pending;
}

std::vector<std::string> roll_back(Model& model, Nanoseconds now, std::vector<PoolOutcome>& outcomes) {
  const Pending pending = std::move(*model.pending);
  model.pending.reset();
  const config::Config file = pending.file.value_or(model.file);
  Laid laid = lay_over(file, pending.overlay);
  std::vector<std::string> sentences = laid.dropped;
  std::vector<PoolOutcome> changed = replace_configuration(model, std::move(laid.running), now);
  std::move(changed.begin(), changed.end(), std::back_inserter(outcomes));
  model.file = file;
  model.overlay = std::move(laid.overlay);
  restore_admin(model, pending, now, outcomes, sentences);
  restore_holders(model, pending, now, outcomes, sentences);
  for (const config::PoolConfig& pool : model.running.pools) refresh_ring(pool, model.pools.at(pool.name));
  return sentences;
}

std::string render_overlay(const Model& model) {
  if (!model.pending) return model.overlay.empty() ? std::string() : api::render_changes(model.overlay);
  const Pending& pending = *model.pending;
  json::object holders;
  for (const auto& [seat, holder] : pending.holders) holders[seat] = holder;
  const auto until = std::chrono::duration_cast<milliseconds>(pending.until.time_since_epoch());
  return json::serialize(json::object{
      {"changes", changes_value(model.overlay)},
      {"pending", json::object{{"what", pending.what},
                               {"until_ms", until.count()},
                               {"overlay", changes_value(pending.overlay)},
                               {"disabled", json::array(pending.disabled.begin(), pending.disabled.end())},
                               {"holders", std::move(holders)}}},
  });
}

contract::Result<FoundOverlay> parse_overlay(const std::string& text, const api::PoolProbe& pool_probe) {
  try {
    const json::value document = json::parse(text);
    FoundOverlay found;
    auto overlay = read_changes(document.as_object().at("changes"), pool_probe);
    if (!overlay) return contract::Error{overlay.error()};
    found.overlay = std::move(*overlay);
    if (const json::value* pending = document.as_object().if_contains("pending")) {
      auto read = read_pending(pending->as_object(), pool_probe);
      if (!read) return contract::Error{read.error()};
      found.pending = std::move(*read);
    }
    return found;
  } catch (const std::exception& fault) {
    return contract::Error{fault.what()};
  }
}

}  // namespace warmswap::controlplane
