// Where a PoolState comes from: nothing, shared memory, or the state under the configuration before.
#include <algorithm>
#include <map>
#include <utility>

#include "controlplane/failover/step.h"

namespace warmswap::failover {
namespace {

using config::PoolConfig;

BackendState fresh(const config::BackendConfig& config, Nanoseconds now) {
  BackendState backend;
  backend.name = config.name;
  backend.role = config.role;
  backend.admin = config.enabled ? Admin::enabled : Admin::disabled;
  backend.configured_enabled = config.enabled;
  backend.since = now;
  backend.state = state_of(backend, false);
  return backend;
}

PoolState fresh(const PoolConfig& spec, Nanoseconds now) {
  PoolState pool;
  for (const config::BackendConfig& config : spec.backends) {
    if (config.role == Role::hot) pool.seats.push_back({static_cast<uint32_t>(pool.backends.size()), std::nullopt});
    pool.backends.push_back(fresh(config, now));
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

/// The owner's claim on its own seat counts first, then that of the first standby in the records.
void adopt_holders(PoolState& pool, const Places& places, std::span<const AdoptedBackend> records) {
  std::map<uint32_t, SeatState*> seat_of_owner;
  for (SeatState& seat : pool.seats) seat_of_owner.emplace(seat.owner, &seat);
  std::vector<bool> seated(pool.backends.size(), false);
  for (const AdoptedBackend& record : records) {
    const auto holder = places.find(record.name);
    const auto owner = places.find(record.seat_of);
    if (holder == places.end() || owner == places.end() || seated[holder->second]) continue;
    const auto seat = seat_of_owner.find(owner->second);
    if (seat == seat_of_owner.end()) continue;
    const bool own = holder->second == owner->second;
    const bool standby = pool.backends[holder->second].role == Role::warm && !seat->second->holder;
    if (!own && !standby) continue;
    seat->second->holder = holder->second;
    seated[holder->second] = true;
  }
}

/// By seat of `pool`: who held it in `old`, under the old numbers.
std::vector<std::optional<uint32_t>> old_holders(const PoolState& pool, const PoolState& old,
                                                 const Places& old_places) {
  std::vector<std::optional<uint32_t>> by_owner(old.backends.size());
  for (const SeatState& seat : old.seats) by_owner[seat.owner] = seat.holder;
  std::vector<std::optional<uint32_t>> result;
  for (const SeatState& seat : pool.seats) {
    const auto owner = old_places.find(pool.backends[seat.owner].name);
    result.push_back(owner == old_places.end() ? std::nullopt : by_owner[owner->second]);
  }
  return result;
}

/// What remains of a backend's state under its new configuration.
BackendState carried_over(BackendState backend, const config::BackendConfig& config) {
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
    backend.failures = record.failures;
    backend.held = record.held && backend.role == Role::hot;
    if (record.admin == Admin::disabled) backend.admin = Admin::disabled;
    if (backend.admin == Admin::disabled) continue;
    const std::optional<config::ProbeConfig>& own = spec.backends[place->second].probe;
    adopt_evidence(backend, record.state, own ? *own : spec.probe, now);
  }
  adopt_holders(pool, places, records);
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
    pool.backends[i] = carried_over(old, spec.backends[i]);
  }
  const std::vector<std::optional<uint32_t>> holders = old_holders(pool, state, old_places);
  for (uint32_t s = 0; s < holders.size(); ++s) {
    if (!holders[s]) continue;
    const auto place = places.find(state.backends[*holders[s]].name);
    if (place != places.end()) pool.seats[s].holder = place->second;
  }

  Step step(spec, std::move(pool), now, Cause::configuration);
  for (uint32_t s = 0; s < holders.size(); ++s) {
    if (!holders[s]) continue;
    const std::string& name = state.backends[*holders[s]].name;
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
