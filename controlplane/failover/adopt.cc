// Where a PoolState comes from: nothing, shared memory, or the state under the configuration before.
#include <algorithm>
#include <map>
#include <utility>

#include "controlplane/failover/returning.h"
#include "controlplane/failover/shares.h"
#include "controlplane/failover/standby.h"
#include "controlplane/failover/step.h"

namespace warmswap::failover {
namespace {

using config::PoolConfig;

BackendState fresh(const PoolConfig& spec, const config::BackendConfig& config, Nanoseconds now) {
  BackendState backend;
  backend.name = config.name;
  backend.role = config.role;
  backend.admin = config.enabled ? Admin::enabled : Admin::disabled;
  backend.configured_enabled = config.enabled;
  backend.since = now;
  backend.warmed = !asks_for_warm_up(spec, config.role);
  backend.state = state_of(backend, Sitting::out);
  return backend;
}

PoolState fresh(const PoolConfig& spec, Nanoseconds now) {
  PoolState pool;
  for (const config::BackendConfig& config : spec.backends) {
    if (config.role == Role::hot) pool.seats.push_back({.owner = static_cast<uint32_t>(pool.backends.size())});
    pool.backends.push_back(fresh(spec, config, now));
  }
  return pool;
}

/// What a state proves about the probes before it. Streaks are not recorded, so where a state implies one, it is the
/// shortest that does.
void adopt_evidence(BackendState& backend, State state, const config::ProbeConfig& probe, Nanoseconds now) {
  switch (state) {
    case State::serving:
    case State::recovering:
    case State::warm:
    case State::promoted:
    case State::draining:
      backend.health = Health::up;
      break;
    case State::suspect:
      backend.health = Health::up;
      backend.bad_streak = probe.fall > 1 ? 1 : 0;
      backend.first_bad = now;
      break;
    case State::failed:
      backend.health = Health::down;
      break;
    case State::ejected:
      backend.health = Health::up;
      break;
    case State::warming:
      backend.good_streak = probe.rise > 1 ? 1 : 0;
      break;
    case State::unknown:
    case State::cold:
    case State::disabled:
      break;
  }
  if (backend.health == Health::up) backend.healthy_since = now;
  backend.vacated = state == State::failed || state == State::recovering;
}

using Places = std::map<std::string_view, uint32_t>;

/// Views of the names in `backends`, which must stay as they are.
template <typename Backend>
Places places_of(const std::vector<Backend>& backends) {
  Places places;
  for (uint32_t i = 0; i < backends.size(); ++i) places.emplace(backends[i].name, i);
  return places;
}

/// The owner's claim on its own seat counts first, then that of the first standby in the records. A standby has several
/// seats as far as its capacity goes.
void adopt_holders(const PoolConfig& spec, PoolState& pool, const Places& places,
                   std::span<const AdoptedBackend> records) {
  std::map<uint32_t, SeatState*> seat_of_owner;
  for (SeatState& seat : pool.seats) seat_of_owner.emplace(seat.owner, &seat);
  for (const AdoptedBackend& record : records) {
    const auto holder = places.find(record.name);
    if (holder == places.end()) continue;
    for (const std::string& owned : record.seats) {
      const auto owner = places.find(owned);
      if (owner == places.end()) continue;
      const auto seat = seat_of_owner.find(owner->second);
      if (seat == seat_of_owner.end()) continue;
      const bool own = holder->second == owner->second;
      const bool busy = sitting_of(pool, holder->second) != Sitting::out;
      const uint16_t part =
          own ? kWhole : room_for(spec, holder->second, owner->second, busy, weight_held(spec, pool)[holder->second]);
      const bool standby = pool.backends[holder->second].role == Role::warm && !seat->second->holder;
      if (part == 0 || (own ? busy : !standby)) continue;
      sit_down(*seat->second, holder->second);
      seat->second->part = part;
    }
  }
}

/// A failback that was under way goes on from the share it had come to, with the first pause before it.
void adopt_returns(const PoolConfig& spec, PoolState& pool, const Places& places,
                   std::span<const AdoptedBackend> records, Nanoseconds now) {
  for (const AdoptedBackend& record : records) {
    const auto place = places.find(record.name);
    if (record.returned == 0 || place == places.end()) continue;
    for (SeatState& seat : pool.seats) {
      if (seat.owner != place->second || !seat.holder || seat.holder == seat.owner) continue;
      start_return(spec, seat, now);
      if (seat.guest != seat.owner) continue;
      const uint64_t step = std::max<uint64_t>(seat.guest_share, 1);
      seat.ramp_since -= spec.failback_pause * static_cast<int64_t>((record.returned - 1u) / step);
      seat.guest_share = ramp_share(spec, seat, now);
    }
  }
}

/// By seat of `pool`: the seat it was in `old`, under the old numbers.
std::vector<const SeatState*> old_seats(const PoolState& pool, const PoolState& old, const Places& old_places) {
  std::vector<const SeatState*> by_owner(old.backends.size(), nullptr);
  for (const SeatState& seat : old.seats) by_owner[seat.owner] = &seat;
  std::vector<const SeatState*> result;
  for (const SeatState& seat : pool.seats) {
    const auto owner = old_places.find(pool.backends[seat.owner].name);
    result.push_back(owner == old_places.end() ? nullptr : by_owner[owner->second]);
  }
  return result;
}

/// A seat under its new numbers. What its holder or guest was, if that has left the configuration, is nobody's.
SeatState carried_over(const SeatState& old, uint32_t owner, const PoolState& state, const Places& places) {
  const auto renumbered = [&](std::optional<uint32_t> backend) -> std::optional<uint32_t> {
    const auto place = backend ? places.find(state.backends[*backend].name) : places.end();
    return place == places.end() ? std::nullopt : std::optional(place->second);
  };
  SeatState seat = old;
  seat.owner = owner;
  seat.holder = renumbered(old.holder);
  seat.guest = renumbered(old.guest);
  if (!seat.holder) stand_up(seat);
  if (!seat.guest) seat.guest_share = 0;
  return seat;
}

/// What remains of a backend's state under its new configuration.
BackendState carried_over(BackendState backend, const PoolConfig& spec, const config::BackendConfig& config) {
  backend.warmed = backend.warmed || !asks_for_warm_up(spec, config.role);
  backend.configured_enabled = config.enabled;
  if (backend.role != config.role) {
    backend.role = config.role;
    backend.held = false;
    backend.vacated = false;
  }
  return backend;
}

}  // namespace

Outcome start(const PoolConfig& spec, Nanoseconds now) {
  return Step(spec, fresh(spec, now), now, Cause::configuration).finish({});
}

Outcome adopt(const PoolConfig& spec, std::span<const AdoptedBackend> records, Nanoseconds now) {
  PoolState pool = fresh(spec, now);
  const Places places = places_of(spec.backends);
  for (const AdoptedBackend& record : records) {
    const auto place = places.find(record.name);
    if (place == places.end()) continue;
    BackendState& backend = pool.backends[place->second];
    backend.state = record.state;
    backend.since = record.since;
    backend.warmed = backend.warmed || record.state == State::warm || record.state == State::promoted;
    backend.failures = record.failures;
    backend.flaps = record.flaps;
    backend.failed_at = record.failed_at;
    backend.held = record.held && backend.role == Role::hot;
    if (record.admin == Admin::disabled) backend.admin = Admin::disabled;
    if (backend.admin == Admin::disabled) continue;
    backend.drain = record.drain;
    const std::optional<config::ProbeConfig>& own = spec.backends[place->second].probe;
    adopt_evidence(backend, record.state, own ? *own : spec.probe, now);
  }
  adopt_holders(spec, pool, places, records);
  adopt_returns(spec, pool, places, records, now);
  return Step(spec, std::move(pool), now, Cause::adoption).finish({});
}

Outcome reconfigure(const PoolConfig& spec, PoolState state, Nanoseconds now) {
  PoolState pool = fresh(spec, now);
  const Places places = places_of(spec.backends);
  const Places old_places = places_of(state.backends);
  std::vector<uint32_t> switched;
  for (uint32_t i = 0; i < pool.backends.size(); ++i) {
    const auto found = old_places.find(spec.backends[i].name);
    if (found == old_places.end()) continue;
    const BackendState& old = state.backends[found->second];
    if (old.configured_enabled != spec.backends[i].enabled) switched.push_back(i);
    pool.backends[i] = carried_over(old, spec, spec.backends[i]);
  }
  pool.doubt_until = state.doubt_until;
  if (pool.doubt_until) pool.doubt_until = std::min(*pool.doubt_until, now + spec.guard.self_suspicion_hold);
  pool.panic = state.panic;
  pool.overloaded = state.overloaded;
  const std::vector<const SeatState*> before = old_seats(pool, state, old_places);
  for (uint32_t s = 0; s < before.size(); ++s) {
    if (before[s] != nullptr) pool.seats[s] = carried_over(*before[s], pool.seats[s].owner, state, places);
  }

  Step step(spec, std::move(pool), now, Cause::configuration);
  for (uint32_t s = 0; s < before.size(); ++s) {
    if (before[s] == nullptr || !before[s]->holder) continue;
    const std::string& name = state.backends[*before[s]->holder].name;
    if (!places.contains(name)) step.holder_is_gone(s, name);
  }
  for (const uint32_t i : switched) {
    if (spec.backends[i].enabled) {
      step.enable(i, Cause::configuration);
    } else {
      step.disable(i, Cause::configuration);
    }
  }
  return step.finish({});
}

}  // namespace warmswap::failover
