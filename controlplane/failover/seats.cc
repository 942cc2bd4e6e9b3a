#include "controlplane/failover/seats.h"

#include <algorithm>

#include "controlplane/failover/flap.h"
#include "controlplane/failover/standby.h"

namespace warmswap::failover {
namespace {

using config::PoolConfig;

SeatNote because_of(uint32_t backend) {
  SeatNote note;
  note.because = backend;
  return note;
}

/// Out of its seat, free to return, and its last probe was good: what the hold-down counts for.
bool returning(const PoolState& pool, const SeatState& seat) {
  const BackendState& owner = pool.backends[seat.owner];
  return seat.holder != seat.owner && fit(owner) && !owner.held && owner.bad_streak == 0;
}

/// Whether the hold-down is all that stands between the owner and its seat. Manual failback keeps a standby that serves
/// well from being disturbed; an empty seat of a hot-warm pool disturbs nobody's standby and lacks capacity.
bool returns_by_itself(const PoolConfig& spec, const SeatState& seat) {
  return spec.failback == config::Failback::automatic || (spec.mode == config::Mode::hot_warm && !seat.holder);
}

/// May the holder stay? It may as long as it works: nothing that happens elsewhere moves it.
bool may_stay(const PoolConfig& spec, const PoolState& pool, const SeatState& seat) {
  const BackendState& holder = pool.backends[*seat.holder];
  if (!fit(holder)) return false;
  if (*seat.holder == seat.owner) return !holder.held;
  return spec.mode == config::Mode::hot_warm && holder.role == Role::warm && spec.backends[seat.owner].weight > 0;
}

void vacate(const PoolConfig& spec, PoolState& pool, std::vector<SeatNote>& notes) {
  for (uint32_t s = 0; s < pool.seats.size(); ++s) {
    SeatState& seat = pool.seats[s];
    if (!seat.holder || may_stay(spec, pool, seat)) continue;
    notes[s] = because_of(*seat.holder);
    notes[s].lost = true;
    notes[s].lost_from = seat.holder;
    seat.holder.reset();
  }
}

void return_owners(const PoolConfig& spec, PoolState& pool, Nanoseconds now, std::vector<SeatNote>& notes) {
  for (uint32_t s = 0; s < pool.seats.size(); ++s) {
    SeatState& seat = pool.seats[s];
    const BackendState& owner = pool.backends[seat.owner];
    if (!seat.holder && !owner.vacated && fit(owner)) {
      notes[s] = because_of(seat.owner);
      notes[s].opened = true;
      seat.holder = seat.owner;
    } else if (!returning(pool, seat)) {
      continue;
    } else if (!seat.holder && notes[s].lost) {
      seat.holder = seat.owner;
    } else if (returns_by_itself(spec, seat) && now - owner.healthy_since >= hold_down_of(spec, owner)) {
      notes[s] = seat_note(Cause::hold_down);
      seat.holder = seat.owner;
    }
  }
}

/// A seat without slots needs nobody, and an owner without evidence has not failed.
bool wants_standby(const PoolConfig& spec, const PoolState& pool, const SeatState& seat) {
  const BackendState& owner = pool.backends[seat.owner];
  const bool never_asked = owner.admin == Admin::enabled && owner.health == Health::unknown && !owner.held;
  return !seat.holder && spec.backends[seat.owner].weight > 0 && !never_asked;
}

void seat_standbys(const PoolConfig& spec, PoolState& pool, const std::vector<bool>& changed,
                   std::vector<SeatNote>& notes) {
  if (spec.mode != config::Mode::hot_warm) return;
  std::optional<Pairing> pairing;
  for (uint32_t s = 0; s < pool.seats.size(); ++s) {
    SeatState& seat = pool.seats[s];
    if (!wants_standby(spec, pool, seat)) continue;
    if (!pairing) pairing.emplace(spec);
    seat.holder = pairing->best(pool, s, notes[s].lost_from);
    // A seat that stood empty is taken because its owner has just been found failed, or because the standby is ready
    // now.
    if (seat.holder && !notes[s].lost) notes[s] = because_of(changed[seat.owner] ? seat.owner : *seat.holder);
  }
}

/// Hold-down, manual failback and a hold protect running traffic; when nobody serves the pool there is none to protect.
void last_resort(const PoolConfig& spec, PoolState& pool, std::vector<SeatNote>& notes) {
  const auto has_slots = [&](const SeatState& seat) { return spec.backends[seat.owner].weight > 0; };
  if (std::any_of(pool.seats.begin(), pool.seats.end(),
                  [&](const SeatState& seat) { return seat.holder && has_slots(seat); })) {
    return;
  }
  for (uint32_t s = 0; s < pool.seats.size(); ++s) {
    SeatState& seat = pool.seats[s];
    if (seat.holder || !has_slots(seat) || !fit(pool.backends[seat.owner])) continue;
    notes[s] = seat_note(Cause::last_resort);
    seat.holder = seat.owner;
  }
}

}  // namespace

SeatNote seat_note(Cause cause) {
  SeatNote note;
  note.cause = cause;
  return note;
}

bool fit(const BackendState& backend) noexcept {
  return backend.admin == Admin::enabled && backend.health == Health::up;
}

State state_of(const BackendState& backend, bool seated) noexcept {
  if (backend.admin == Admin::disabled) return State::disabled;
  if (backend.role == Role::warm) {
    if (backend.health == Health::up) return seated ? State::promoted : State::warm;
    return backend.good_streak > 0 ? State::warming : State::cold;
  }
  if (backend.health == Health::unknown) return State::unknown;
  if (backend.health == Health::down) return State::failed;
  if (!seated) return State::recovering;
  return backend.bad_streak > 0 ? State::suspect : State::serving;
}

std::vector<std::optional<uint32_t>> seats_held(std::span<const SeatState> seats, size_t backends) {
  std::vector<std::optional<uint32_t>> held(backends);
  for (uint32_t s = 0; s < seats.size(); ++s) {
    if (seats[s].holder) held[*seats[s].holder] = s;
  }
  return held;
}

void settle(const PoolConfig& spec, PoolState& pool, Nanoseconds now, const std::vector<bool>& changed,
            std::vector<SeatNote>& notes) {
  vacate(spec, pool, notes);
  return_owners(spec, pool, now, notes);
  seat_standbys(spec, pool, changed, notes);
  last_resort(spec, pool, notes);
  for (uint32_t s = 0; s < pool.seats.size(); ++s) {
    const SeatState& seat = pool.seats[s];
    BackendState& owner = pool.backends[seat.owner];
    if (seat.holder == seat.owner) {
      owner.vacated = false;
      owner.held = false;
    } else if (seat.holder || notes[s].lost_from == seat.owner) {
      owner.vacated = true;
    } else if (owner.health == Health::unknown && owner.admin == Admin::enabled) {
      owner.vacated = false;  // nobody has its slots and nothing speaks against it: as at the start
    }
    notes[s].lost = false;
    notes[s].lost_from.reset();
  }
}

std::optional<Nanoseconds> next_deadline(const PoolConfig& spec, const PoolState& pool) {
  std::optional<Nanoseconds> first;
  for (const SeatState& seat : pool.seats) {
    if (!returning(pool, seat) || !returns_by_itself(spec, seat)) continue;
    const BackendState& owner = pool.backends[seat.owner];
    const Nanoseconds end = owner.healthy_since + hold_down_of(spec, owner);
    if (!first || end < *first) first = end;
  }
  return first;
}

}  // namespace warmswap::failover
