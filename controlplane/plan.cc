#include "controlplane/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace warmswap::controlplane {
namespace {

using api::BackendPlan;
using api::PoolPlan;

struct Side {
  double share = 0;
  double load = 0;
};

/// By backend: its part of the slots, and what that is of the hot weights together.
std::map<std::string, Side> sides_of(const config::PoolConfig& config, const PoolModel& pool) {
  const auto weights = static_cast<double>(config.hot_weight());
  std::map<std::string, Side> sides;
  for (const config::BackendConfig& backend : config.backends) sides[backend.name];
  const std::vector<std::string> sitters = sitter_names(pool.state);
  for (size_t r = 0; r < sitters.size(); ++r) {
    if (!sitters[r].empty()) sides[sitters[r]].share += static_cast<double>(pool.ring->slots()[r]) / config.ring_size;
  }
  for (auto& [name, side] : sides) side.load = side.share * weights;
  return sides;
}

struct SeatSide {
  std::string holder;
  double owner_share = 0;
  friend bool operator==(const SeatSide&, const SeatSide&) = default;
};

std::map<std::string, SeatSide> seats_of(const failover::PoolState& state) {
  std::map<std::string, SeatSide> seats;
  for (const failover::SeatState& seat : state.seats) {
    SeatSide side;
    if (seat.holder) side.holder = state.backends[*seat.holder].name;
    const uint16_t share = seat.holder == seat.owner  ? seat.ramp_share
                           : seat.guest == seat.owner ? seat.guest_share
                                                      : 0;
    side.owner_share = static_cast<double>(share) / failover::kWhole;
    seats[state.backends[seat.owner].name] = side;
  }
  return seats;
}

/// A pool at one of the two moments; empty when it is not there.
struct Moment {
  std::map<std::string, Side> backends;
  std::map<std::string, SeatSide> seats;
  const config::PoolConfig* config = nullptr;
  const PoolModel* pool = nullptr;
  double shed = 0;  // part of its slots, for want of capacity
};

Moment moment_of(const Model& model, const std::string& name) {
  Moment moment;
  moment.config = model.running.find_pool(name);
  const auto pool = model.pools.find(name);
  if (moment.config == nullptr || pool == model.pools.end()) return {};
  moment.pool = &pool->second;
  moment.backends = sides_of(*moment.config, *moment.pool);
  moment.seats = seats_of(moment.pool->state);
  const double weights = std::max(static_cast<double>(moment.config->hot_weight()), 1.0);
  moment.shed = failover::burden(*moment.config, moment.pool->state).shed / weights;
  return moment;
}

template <typename Map>
std::set<std::string> names_in(const Map& a, const Map& b) {
  std::set<std::string> names;
  for (const auto& [name, value] : a) names.insert(name);
  for (const auto& [name, value] : b) names.insert(name);
  return names;
}

template <typename Map>
typename Map::mapped_type value_in(const Map& map, const std::string& name) {
  const auto found = map.find(name);
  return found == map.end() ? typename Map::mapped_type{} : found->second;
}

PoolPlan plan_of(const std::string& name, const Moment& before, const Moment& after) {
  PoolPlan plan;
  plan.pool = name;
  plan.ring_size = after.config != nullptr ? after.config->ring_size : before.config->ring_size;
  if (before.pool != nullptr && after.pool != nullptr) {
    const std::vector<std::string> old_sitters = sitter_names(before.pool->state);
    const std::vector<std::string> new_sitters = sitter_names(after.pool->state);
    const table::SlotsMoved moved =
        table::slots_moved({*before.pool->ring, old_sitters}, {*after.pool->ring, new_sitters});
    plan.slots_moved = moved.total;
    plan.survivor_slots_moved = moved.of_survivors;
  }
  plan.shed_before = before.shed;
  plan.shed_after = after.shed;
  if (before.pool != nullptr) plan.slots_without_backend_before = before.pool->ring->slots_without_seat();
  if (after.pool != nullptr) plan.slots_without_backend_after = after.pool->ring->slots_without_seat();
  for (const std::string& owner : names_in(before.seats, after.seats)) {
    const SeatSide was = value_in(before.seats, owner), is = value_in(after.seats, owner);
    if (was != is) plan.seats.push_back({owner, was.holder, is.holder, is.owner_share});
  }
  for (const std::string& backend : names_in(before.backends, after.backends)) {
    const Side was = value_in(before.backends, backend), is = value_in(after.backends, backend);
    const config::BackendConfig* config = after.config != nullptr ? after.config->find_backend(backend) : nullptr;
    const bool stays = was.share == is.share && was.load == is.load;
    if (!stays) {
      plan.backends.push_back(
          {backend, was.share, is.share, was.load, is.load, config != nullptr ? config->capacity : 0});
    }
  }
  return plan;
}

}  // namespace

std::vector<PoolPlan> plan_between(const Model& before, const Model& after, const std::set<std::string>& pools) {
  std::vector<PoolPlan> plans;
  for (const std::string& name : pools) {
    const Moment was = moment_of(before, name), is = moment_of(after, name);
    if (was.pool == nullptr && is.pool == nullptr) continue;
    plans.push_back(plan_of(name, was, is));
  }
  return plans;
}

contract::Result<void> check_limits(const config::Config& config, const std::vector<PoolPlan>& plans) {
  for (const PoolPlan& plan : plans) {
    const config::PoolConfig* pool = config.find_pool(plan.pool);
    if (pool == nullptr || plan.ring_size == 0) continue;
    const double moved = 100.0 * plan.slots_moved / plan.ring_size;
    if (moved > pool->limits.max_slots_moved) {
      return contract::Error{
          fmt::format("{:.1f} % of the slots of pool {} would move, more than limits.max_slots_moved allows ({} %)",
                      moved, plan.pool, pool->limits.max_slots_moved)};
    }
    if (plan.shed_after > plan.shed_before) {
      return contract::Error{
          fmt::format("{:.1f} % of the slots of pool {} would be dropped, as nobody has capacity for them "
                      "(guard.overload)",
                      100 * plan.shed_after, plan.pool)};
    }
    for (const BackendPlan& backend : plan.backends) {
      const double most = backend.capacity * (pool->limits.max_load / 100.0);
      // A slot more or less than exact is no overload.
      if (backend.capacity == 0 || backend.load_after <= most * 1.005 || backend.load_after <= backend.load_before) {
        continue;
      }
      return contract::Error{fmt::format("{}/{} would carry {:.1f}, more than limits.max_load allows ({} % of {})",
                                         plan.pool, backend.name, backend.load_after, pool->limits.max_load,
                                         backend.capacity)};
    }
  }
  return {};
}

}  // namespace warmswap::controlplane
