#include "controlplane/failover/shares.h"

#include <algorithm>
#include <cmath>

namespace warmswap::failover {
namespace {

using config::PoolConfig;

/// Products of two sums over a pool need 68 bits.
__extension__ using Wide = unsigned __int128;

constexpr uint16_t percent(uint64_t value) {
  return static_cast<uint16_t>(std::min<uint64_t>(value * kWhole / 100, kWhole));
}

/// How long after the start of the ramp its step number `step`, from 1, begins.
Nanoseconds slow_start_step(const config::SlowStartConfig& slow_start, uint32_t step) {
  // share = (t / window)^(100 / aggression), solved for t. Times may differ in the last bit between machines, shares do
  // not.
  const double share = static_cast<double>(step) / kRampSteps;
  const double place = std::pow(share, slow_start.aggression / 100.0);
  return Nanoseconds(static_cast<int64_t>(place * static_cast<double>(slow_start.window.count())));
}

uint16_t slow_start_share(const config::SlowStartConfig& slow_start, Nanoseconds passed) {
  uint32_t step = 0;
  while (step < kRampSteps && slow_start_step(slow_start, step + 1) <= passed) ++step;
  return std::max(static_cast<uint16_t>(step * kWhole / kRampSteps), percent(slow_start.least));
}

uint16_t whole_at_most(uint64_t part) {
  return static_cast<uint16_t>(std::min<uint64_t>(part, kWhole));
}

/// `part` of `of`, at least 1: what serves at all is not closed.
uint16_t part_of(uint16_t of, uint16_t part) {
  return static_cast<uint16_t>(std::max(uint32_t{of} * part / kWhole, 1u));
}

/// What the loads make of the weights. A seat whose load leaves it r times its weight serves that part of its own
/// slots, or, with r above 1, all of them and a part of the others' surplus. Who lives does not matter, so a failure
/// moves nothing here.
void plan(const PoolConfig& spec, const PoolState& pool, std::vector<SeatAssignment>& seats) {
  uint64_t weights = 0, weighted = 0;
  for (const SeatState& seat : pool.seats) {
    weights += spec.backends[seat.owner].weight;
    weighted += uint64_t{spec.backends[seat.owner].weight} * seat.load;
  }
  if (weighted == 0) return;
  const auto ratio = [&](const SeatState& seat) {  // r, in kWhole-ths; below 2^10 · 2^10 · 2^32
    return static_cast<uint64_t>(Wide{kWhole} * seat.load * weights / weighted);
  };
  uint64_t most = 0;
  for (const SeatState& seat : pool.seats) most = std::max(most, ratio(seat));
  for (size_t s = 0; s < seats.size(); ++s) {
    const uint64_t r = ratio(pool.seats[s]);
    seats[s].planned = std::max<uint16_t>(whole_at_most(r), 1);
    // All loads alike: nobody has surplus, and rounding must not make some.
    if (most <= kWhole) continue;
    seats[s].accept = r <= kWhole ? 0 : whole_at_most((r - kWhole) * kWhole / (most - kWhole));
  }
}

/// Room for orphans, relative to what a backend holds anyway, in kWhole-ths; without a limit as much again.
uint64_t room(uint32_t capacity, uint64_t holds) {
  if (capacity == 0) return kWhole;
  return capacity <= holds ? 0 : (capacity - holds) * kWhole / std::max<uint64_t>(holds, 1);
}

/// Orphans are inherited in proportion to room, so that nobody is full while others are not. What the owner has room
/// for counts, and what the configuration says, not who holds what: a failure must not change what others inherit. A
/// standby with a capacity keeps its room for seats.
void share_room(const PoolConfig& spec, const PoolState& pool, std::vector<SeatAssignment>& seats) {
  const auto owners = [&](const SeatState& seat) {
    const config::BackendConfig& owner = spec.backends[seat.owner];
    return room(owner.capacity, owner.weight);
  };
  uint64_t most = 0;
  for (const SeatState& seat : pool.seats) most = std::max(most, owners(seat));
  for (size_t s = 0; s < seats.size() && most > 0; ++s) {
    const SeatState& seat = pool.seats[s];
    const bool for_seats = seat.holder && seat.holder != seat.owner && spec.backends[*seat.holder].capacity > 0;
    seats[s].inherit = for_seats ? 0 : whole_at_most(owners(seat) * kWhole / most);
  }
}

/// Of the seat's planned slots what its sitters serve now.
void seat_sitters(const SeatState& seat, SeatAssignment& out) {
  if (!seat.holder) return;
  const uint16_t open = std::min(out.planned, seat.part);
  if (seat.guest) {
    out.guest_share = part_of(open, seat.guest_share);
    out.holder_share = static_cast<uint16_t>(open - out.guest_share);
  } else {
    out.holder_share = part_of(open, seat.ramp_share);
  }
}

}  // namespace

uint16_t ramp_share(const PoolConfig& spec, const SeatState& seat, Nanoseconds now) {
  const Nanoseconds passed = now - seat.ramp_since;
  switch (seat.ramp) {
    case Ramp::none:
      return kWhole;
    case Ramp::failback: {
      if (spec.failback_pause.count() == 0) return kWhole;
      const auto steps = static_cast<uint64_t>(passed / spec.failback_pause) + 1;
      return percent(std::min<uint64_t>(steps, 100) * spec.failback_step);
    }
    case Ramp::promotion:
      return slow_start_share({.window = spec.promotion_ramp, .aggression = 100, .least = 100 / kRampSteps}, passed);
    case Ramp::slow_start:
      return slow_start_share(spec.slow_start, passed);
  }
  return kWhole;
}

std::optional<Nanoseconds> next_ramp_step(const PoolConfig& spec, const SeatState& seat, Nanoseconds now) {
  if (seat.ramp == Ramp::none) return std::nullopt;
  if (seat.ramp == Ramp::failback) {
    return seat.ramp_since + ((now - seat.ramp_since) / spec.failback_pause + 1) * spec.failback_pause;
  }
  const config::SlowStartConfig curve = seat.ramp == Ramp::slow_start
                                            ? spec.slow_start
                                            : config::SlowStartConfig{.window = spec.promotion_ramp, .aggression = 100};
  const uint16_t share = ramp_share(spec, seat, now);
  for (uint32_t step = 1; step <= kRampSteps; ++step) {
    const Nanoseconds at = seat.ramp_since + slow_start_step(curve, step);
    if (at > now && step * kWhole / kRampSteps > share) return at;
  }
  return std::nullopt;
}

uint16_t trickle_share(const PoolConfig& spec) {
  return percent(spec.trickle);
}

std::vector<uint64_t> weight_held(const PoolConfig& spec, const PoolState& pool) {
  std::vector<uint64_t> held(pool.backends.size(), 0);
  for (const SeatState& seat : pool.seats) {
    // Rounded up, so that no sliver of room is left by rounding.
    if (seat.holder)
      held[*seat.holder] += (uint64_t{spec.backends[seat.owner].weight} * seat.part + kWhole - 1) / kWhole;
  }
  return held;
}

std::vector<SeatAssignment> assignment(const PoolConfig& spec, const PoolState& state) {
  std::vector<SeatAssignment> seats;
  seats.reserve(state.seats.size());
  for (const SeatState& seat : state.seats) {
    seats.push_back(
        {.owner = seat.owner, .weight = spec.backends[seat.owner].weight, .holder = seat.holder, .guest = seat.guest});
  }
  plan(spec, state, seats);
  share_room(spec, state, seats);
  for (size_t s = 0; s < seats.size(); ++s) seat_sitters(state.seats[s], seats[s]);
  return seats;
}

}  // namespace warmswap::failover
