#include "controlplane/failover/seats.h"

#include <algorithm>

#include "controlplane/failover/doubt.h"
#include "controlplane/failover/drain.h"
#include "controlplane/failover/flap.h"
#include "controlplane/failover/returning.h"
#include "controlplane/failover/shares.h"
#include "controlplane/failover/standby.h"

namespace warmswap::failover {
namespace {

using config::PoolConfig;

SeatNote because_of(uint32_t backend) {
  SeatNote note;
  note.because = backend;
  return note;
}

uint32_t weight_of(const PoolConfig& spec, const SeatState& seat) {
  return spec.backends[seat.owner].weight;
}

/// May the holder stay? It may as long as it works: nothing that happens elsewhere moves it.
bool may_stay(const PoolConfig& spec, const PoolState& pool, const SeatState& seat) {
  const BackendState& holder = pool.backends[*seat.holder];
  if (!fit(holder)) return false;
  if (*seat.holder == seat.owner) return !holder.held;
  return spec.mode == config::Mode::hot_warm && holder.role == Role::warm && weight_of(spec, seat) > 0;
}

void vacate(const PoolConfig& spec, PoolState& pool, std::vector<SeatNote>& notes) {
  for (uint32_t s = 0; s < pool.seats.size(); ++s) {
    SeatState& seat = pool.seats[s];
    if (!seat.holder || may_stay(spec, pool, seat)) continue;
    notes[s] = because_of(*seat.holder);
    notes[s].lost = true;
    notes[s].lost_from = seat.holder;
    stand_up(seat);
  }
}

/// A seat without slots needs nobody, and an owner without evidence has not failed.
bool wants_standby(const PoolConfig& spec, const PoolState& pool, const SeatState& seat) {
  return !seat.holder && weight_of(spec, seat) > 0 && !never_asked(pool.backends[seat.owner]);
}

/// Percent of the pool's weight whose own seat is held, rounded up.
uint64_t served_percent(const PoolConfig& spec, const PoolState& pool) {
  uint64_t served = 0, all = 0;
  for (const SeatState& seat : pool.seats) {
    all += weight_of(spec, seat);
    if (seat.holder) served += weight_of(spec, seat);
  }
  return all == 0 ? 100 : (served * 100 + all - 1) / all;
}

void seat_standbys(const PoolConfig& spec, PoolState& pool, Nanoseconds now, const std::vector<bool>& changed,
                   std::vector<SeatNote>& notes) {
  if (spec.mode != config::Mode::hot_warm) return;
  std::optional<Pairing> pairing;
  for (uint32_t s = 0; s < pool.seats.size(); ++s) {
    SeatState& seat = pool.seats[s];
    if (!wants_standby(spec, pool, seat)) continue;
    const bool enough = spec.activate_below < 100 && served_percent(spec, pool) >= spec.activate_below;
    if (enough && !beyond_capacity(spec, pool)) return;
    if (!pairing) pairing.emplace(spec);
    const std::optional<Choice> choice = pairing->best(pool, s, {.lost = notes[s].lost_from, .avoid = {}});
    if (!choice) continue;
    promote(spec, seat, *choice, now);
    // A seat that stood empty is taken because its owner has just been found failed, or because the standby is ready
    // now.
    if (!notes[s].lost) notes[s] = because_of(changed[seat.owner] ? seat.owner : choice->standby);
  }
}

/// A standby that has given back a seat has room for more of another.
void grow_parts(const PoolConfig& spec, PoolState& pool) {
  for (SeatState& seat : pool.seats) {
    if (!seat.holder || seat.part == kWhole || *seat.holder == seat.owner) continue;
    const uint64_t weight = weight_of(spec, seat);
    const uint64_t held = weight_held(spec, pool)[*seat.holder] - (weight * seat.part + kWhole - 1) / kWhole;
    const uint64_t capacity = spec.backends[*seat.holder].capacity;
    const uint64_t room = capacity > held ? capacity - held : 0;
    const auto fits = static_cast<uint16_t>(std::min<uint64_t>(room * kWhole / std::max<uint64_t>(weight, 1), kWhole));
    seat.part = std::max(seat.part, fits);
  }
}

bool anybody_serves(const PoolConfig& spec, const PoolState& pool) {
  return std::any_of(pool.seats.begin(), pool.seats.end(),
                     [&](const SeatState& seat) { return seat.holder && weight_of(spec, seat) > 0; });
}

/// Hold-down, manual failback, ejection and a hold protect running traffic; when nobody serves the pool there is none
/// to protect.
void last_resort(const PoolConfig& spec, PoolState& pool, std::vector<SeatNote>& notes) {
  for (const bool ejected_too : {false, true}) {
    if (anybody_serves(spec, pool)) return;
    for (uint32_t s = 0; s < pool.seats.size(); ++s) {
      SeatState& seat = pool.seats[s];
      BackendState& owner = pool.backends[seat.owner];
      if (weight_of(spec, seat) == 0) continue;
      if (ejected_too) owner.ejected = false;
      if (!fit(owner)) continue;
      notes[s] = seat_note(Cause::last_resort);
      sit_down(seat, seat.owner);
    }
  }
}

/// Whether what healthy backends serve of the weight falls short of the panic threshold.
bool too_few(const PoolConfig& spec, const PoolState& pool) {
  uint64_t served = 0, all = 0;
  for (const SeatState& seat : pool.seats) {
    const BackendState& owner = pool.backends[seat.owner];
    if (weight_of(spec, seat) == 0 || (owner.admin == Admin::disabled && !seat.holder)) continue;
    // Nothing is known yet of somebody: that is a start, not a catastrophe.
    if (owner.admin == Admin::enabled && owner.health == Health::unknown) return false;
    all += weight_of(spec, seat);
    if (seat.holder) served += weight_of(spec, seat);
  }
  return all > 0 && (served == 0 || served * 100 < uint64_t{spec.guard.panic_threshold} * all);
}

/// Owners take their empty seats: those that are healthy, or all.
void open_seats(const PoolConfig& spec, PoolState& pool, bool all, std::vector<SeatNote>& notes) {
  for (uint32_t s = 0; s < pool.seats.size(); ++s) {
    SeatState& seat = pool.seats[s];
    const BackendState& owner = pool.backends[seat.owner];
    if (seat.holder || weight_of(spec, seat) == 0 || owner.admin == Admin::disabled || !(all || fit(owner))) continue;
    notes[s] = seat_note(Cause::panic);
    sit_down(seat, seat.owner);
    seat.doubtful = !fit(owner);
  }
}

/// Too few are healthy: first nobody who is waits any longer, and if that is not enough the pool disbelieves its
/// signals rather than send everything to the few, or nowhere.
void fail_open(const PoolConfig& spec, PoolState& pool, std::vector<SeatNote>& notes) {
  pool.panic = false;
  if (spec.guard.fail == config::Fail::closed || !too_few(spec, pool)) return;
  open_seats(spec, pool, false, notes);
  if (!too_few(spec, pool)) return;
  pool.panic = true;
  open_seats(spec, pool, true, notes);
}

/// Health is looked at anew each time; what then still is nobody's is taken up again at the end.
void lift_panic(PoolState& pool) {
  for (SeatState& seat : pool.seats) {
    if (seat.doubtful) stand_up(seat);
  }
}

/// Each standby that waits gets a little of the seats it would take first.
void trickle(const PoolConfig& spec, PoolState& pool) {
  std::optional<Pairing> pairing;
  const std::vector<Sitting> sitting = sittings(pool);
  for (uint32_t s = 0; s < pool.seats.size(); ++s) {
    SeatState& seat = pool.seats[s];
    if (seat.guest && seat.guest != seat.owner) {
      seat.guest.reset();
      seat.guest_share = 0;
    }
    if (spec.mode != config::Mode::hot_warm || spec.trickle == 0 || weight_of(spec, seat) == 0) continue;
    if (seat.guest || seat.holder != seat.owner || seat.ramp != Ramp::none || seat.doubtful) continue;
    if (pool.backends[seat.owner].drain) continue;  // hand_over() has its guest
    if (!pairing) pairing.emplace(spec);
    const std::optional<uint32_t> standby = pairing->first_choice(s);
    if (!standby || !available(pool.backends[*standby]) || !clean(pool.backends[*standby])) continue;
    if (sitting[*standby] != Sitting::out) continue;
    seat.guest = standby;
    seat.guest_share = trickle_share(spec);
  }
}

void keep_books(PoolState& pool, std::vector<SeatNote>& notes) {
  for (uint32_t s = 0; s < pool.seats.size(); ++s) {
    const SeatState& seat = pool.seats[s];
    BackendState& owner = pool.backends[seat.owner];
    if (seat.holder == seat.owner && !seat.doubtful) {
      owner.vacated = false;
      owner.held = false;
      owner.drill_until.reset();
    } else if ((seat.holder && !seat.doubtful) || notes[s].lost_from == seat.owner) {
      owner.vacated = true;
    } else if (owner.health == Health::unknown && owner.admin == Admin::enabled) {
      owner.vacated = false;  // nobody has its slots and nothing speaks against it: as at the start
    }
    notes[s].lost = false;
    notes[s].lost_from.reset();
  }
}

}  // namespace

SeatNote seat_note(Cause cause) {
  SeatNote note;
  note.cause = cause;
  return note;
}

void sit_down(SeatState& seat, uint32_t backend) noexcept {
  stand_up(seat);
  seat.holder = backend;
}

void stand_up(SeatState& seat) noexcept {
  seat = SeatState{.owner = seat.owner, .load = seat.load};
}

bool fit(const BackendState& backend) noexcept {
  return backend.admin == Admin::enabled && backend.health == Health::up && !backend.ejected;
}

bool never_asked(const BackendState& backend) noexcept {
  return backend.admin == Admin::enabled && backend.health == Health::unknown && !backend.held;
}

bool available(const BackendState& backend) noexcept {
  return fit(backend) && !backend.drain;
}

bool clean(const BackendState& backend) noexcept {
  return backend.bad_streak == 0 && (backend.beats == Beats::silent || backend.beats == Beats::beating);
}

State state_of(const BackendState& backend, Sitting sitting) noexcept {
  if (backend.admin == Admin::disabled) return State::disabled;
  if (backend.health == Health::up && backend.drain && sitting != Sitting::out) return State::draining;
  if (backend.health == Health::up && backend.ejected && sitting == Sitting::out) return State::ejected;
  if (backend.role == Role::warm) {
    if (backend.health == Health::up && sitting == Sitting::seated) return State::promoted;
    if (backend.health == Health::up && backend.warmed) return State::warm;
    return backend.health == Health::up || backend.good_streak > 0 ? State::warming : State::cold;
  }
  if (backend.health == Health::unknown) return State::unknown;
  if (backend.health == Health::down) return State::failed;
  if (sitting != Sitting::seated) return State::recovering;
  return clean(backend) ? State::serving : State::suspect;
}

std::vector<Sitting> sittings(const PoolState& pool) {
  std::vector<Sitting> all(pool.backends.size(), Sitting::out);
  for (const SeatState& seat : pool.seats) {
    if (!seat.holder) continue;
    const bool partly = *seat.holder == seat.owner && seat.ramp == Ramp::failback;
    all[*seat.holder] = partly ? Sitting::returning : Sitting::seated;
  }
  return all;
}

Sitting sitting_of(const PoolState& pool, uint32_t backend) noexcept {
  for (const SeatState& seat : pool.seats) {
    if (seat.holder != backend) continue;
    return backend == seat.owner && seat.ramp == Ramp::failback ? Sitting::returning : Sitting::seated;
  }
  return Sitting::out;
}

std::vector<std::optional<uint32_t>> seats_held(std::span<const SeatState> seats, size_t backends) {
  std::vector<std::optional<uint32_t>> held(backends);
  for (uint32_t s = 0; s < seats.size(); ++s) {
    if (seats[s].holder && !held[*seats[s].holder]) held[*seats[s].holder] = s;
  }
  return held;
}

void settle(const PoolConfig& spec, PoolState& pool, Nanoseconds now, const std::vector<bool>& changed,
            std::vector<SeatNote>& notes) {
  lift_panic(pool);
  vacate(spec, pool, notes);
  retreat(spec, pool, notes);
  advance_ramps(spec, pool, now, notes);
  return_owners(spec, pool, now, notes);
  seat_standbys(spec, pool, now, changed, notes);
  // Now that standbys sit there may be somebody to leave a seat to.
  if (retreat(spec, pool, notes)) seat_standbys(spec, pool, now, changed, notes);
  grow_parts(spec, pool);
  last_resort(spec, pool, notes);
  fail_open(spec, pool, notes);
  trickle(spec, pool);
  hand_over(spec, pool, now);
  pool.overloaded = beyond_capacity(spec, pool);
  keep_books(pool, notes);
}

std::optional<Nanoseconds> next_deadline(const PoolConfig& spec, const PoolState& pool, Nanoseconds now) {
  std::optional<Nanoseconds> first;
  const auto at = [&](std::optional<Nanoseconds> when) {
    if (when && *when > now && (!first || *when < *first)) first = when;
  };
  for (const SeatState& seat : pool.seats) {
    at(next_return(spec, pool, seat));
    at(next_ramp_step(spec, seat, now));
  }
  for (const BackendState& backend : pool.backends) {
    if (backend.ejected) at(backend.ejection.until);
    if (backend.drain) at(next_drain_step(*backend.drain, now));
  }
  at(pool.doubt_until);
  return first;
}

}  // namespace warmswap::failover
