#include "controlplane/failover/shares.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "controlplane/failover/seats.h"

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

/// Room for orphans in the unit of weight; without a limit as much again as it has.
uint64_t room(const config::BackendConfig& owner) {
  if (owner.capacity == 0) return owner.weight;
  return owner.capacity - std::min(owner.capacity, owner.weight);
}

/// Orphans are inherited in proportion to room, so that nobody is full while others are not. What the owner has room
/// for counts, and what the configuration says, not who holds what: a failure must not change what others inherit. A
/// standby with a capacity keeps its room for seats.
void share_room(const PoolConfig& spec, const PoolState& pool, std::vector<SeatAssignment>& seats) {
  constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();
  bool anybody = false;
  for (const SeatState& seat : pool.seats) anybody = anybody || room(spec.backends[seat.owner]) > 0;
  for (size_t s = 0; s < seats.size(); ++s) {
    const SeatState& seat = pool.seats[s];
    const config::BackendConfig& owner = spec.backends[seat.owner];
    // Where nobody has room, all bear it alike.
    const uint64_t part = room(owner) * kWhole / std::max(owner.weight, 1u);
    if (anybody) seats[s].inherit = static_cast<uint32_t>(std::min(part, kMost));
    seats[s].inherits = !seat.holder || seat.holder == seat.owner || spec.backends[*seat.holder].capacity == 0;
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

uint16_t served(const SeatAssignment& seat) {
  return static_cast<uint16_t>(seat.holder_share + seat.guest_share);
}

/// Of its planned slots those that have a home: what is missing is nobody's, and may be dropped where the others have
/// no room. What a ramp or a drain holds back is dealt in any case, for there is somebody to serve it, and so is the
/// seat of an owner that has not been heard of yet, for it has not failed.
uint16_t at_home(const PoolState& pool, const SeatState& seat, uint16_t planned) {
  if (seat.holder) return *seat.holder == seat.owner ? planned : std::min(planned, seat.part);
  return never_asked(pool.backends[seat.owner]) ? planned : 0;
}

/// Sums over a pool, in weight x kWhole.
struct Sums {
  uint64_t homeless = 0;  // what of the planned slots is nobody's
  uint64_t room = 0;      // of those that inherit it
  bool limited = false;   // one of these has a capacity, or nobody inherits although somebody serves
  bool unlimited = false;

  bool beyond_capacity() const { return limited && homeless > room; }
};

Sums sums_of(const PoolConfig& spec, const PoolState& pool, std::span<const SeatAssignment> seats) {
  Sums sums;
  bool anybody_serves = false;
  for (size_t s = 0; s < seats.size(); ++s) {
    const SeatAssignment& seat = seats[s];
    if (seat.weight == 0) continue;
    sums.homeless += uint64_t{seat.weight} * (seat.planned - at_home(pool, pool.seats[s], seat.planned));
    if (served(seat) == 0) continue;
    anybody_serves = true;
    if (!seat.inherits) continue;
    const config::BackendConfig& owner = spec.backends[seat.owner];
    (owner.capacity == 0 ? sums.unlimited : sums.limited) = true;
    sums.room += room(owner) * kWhole;
  }
  sums.limited = sums.limited || (anybody_serves && !sums.unlimited);
  return sums;
}

/// The guard against overload: of what has no home only as much is dealt as the others have room for, the same part of
/// each seat, so that a failure more takes slots from the survivors' inheritance and moves none between them.
void shed(const PoolState& pool, const Sums& sums, std::vector<SeatAssignment>& seats) {
  if (!sums.beyond_capacity() || sums.unlimited) return;
  for (size_t s = 0; s < seats.size(); ++s) {
    const uint16_t own = at_home(pool, pool.seats[s], seats[s].planned);
    if (own == seats[s].planned) continue;
    const Wide part = Wide{sums.room} * (seats[s].planned - own) / sums.homeless;
    seats[s].dealt = static_cast<uint16_t>(own + static_cast<uint64_t>(part));
  }
}

struct Table {
  std::vector<SeatAssignment> seats;
  Sums sums;
};

Table table_of(const PoolConfig& spec, const PoolState& pool) {
  Table table;
  table.seats.reserve(pool.seats.size());
  for (const SeatState& seat : pool.seats) {
    table.seats.push_back(
        {.owner = seat.owner, .weight = spec.backends[seat.owner].weight, .holder = seat.holder, .guest = seat.guest});
  }
  plan(spec, pool, table.seats);
  share_room(spec, pool, table.seats);
  for (size_t s = 0; s < table.seats.size(); ++s) seat_sitters(pool.seats[s], table.seats[s]);
  table.sums = sums_of(spec, pool, table.seats);
  if (spec.guard.overload == config::Overload::shed) shed(pool, table.sums, table.seats);
  return table;
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

bool beyond_capacity(const PoolConfig& spec, const PoolState& pool) {
  const bool limited = std::any_of(spec.backends.begin(), spec.backends.end(),
                                   [](const config::BackendConfig& backend) { return backend.capacity > 0; });
  return limited && table_of(spec, pool).sums.beyond_capacity();
}

std::vector<SeatAssignment> assignment(const PoolConfig& spec, const PoolState& state) {
  return table_of(spec, state).seats;
}

Burden burden(const PoolConfig& spec, const PoolState& state) {
  const Table table = table_of(spec, state);
  Burden burden{.orphans = static_cast<double>(table.sums.homeless) / kWhole,
                .room = static_cast<double>(table.sums.room) / kWhole};
  for (const SeatAssignment& seat : table.seats) {
    burden.shed += seat.weight * static_cast<double>(seat.planned - std::min(seat.dealt, seat.planned)) / kWhole;
  }
  return burden;
}

}  // namespace warmswap::failover
