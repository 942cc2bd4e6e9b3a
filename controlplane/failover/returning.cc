#include "controlplane/failover/returning.h"

#include <algorithm>

#include "controlplane/failover/flap.h"
#include "controlplane/failover/shares.h"

namespace warmswap::failover {
namespace {

using config::PoolConfig;

bool on_its_way(const SeatState& seat) {
  return seat.guest == seat.owner || (seat.holder == seat.owner && seat.ramp == Ramp::failback);
}

/// Good enough to go on returning. A late heartbeat is a question, not an answer.
bool holds_up(const BackendState& owner) {
  return fit(owner) && owner.bad_streak == 0 && owner.beats != Beats::lost;
}

/// Out of its seat, free to return, and its last signals were good: what the hold-down counts for.
bool returning(const PoolState& pool, const SeatState& seat) {
  const BackendState& owner = pool.backends[seat.owner];
  return seat.holder != seat.owner && !on_its_way(seat) && available(owner) && !owner.held && clean(owner);
}

/// Whether the hold-down is all that stands between the owner and its seat. Manual failback keeps a standby that serves
/// well from being disturbed; an empty seat of a hot-warm pool disturbs nobody's standby and lacks capacity.
bool returns_by_itself(const PoolConfig& spec, const SeatState& seat) {
  return spec.failback == config::Failback::automatic || (spec.mode == config::Mode::hot_warm && !seat.holder);
}

/// A drill ends by the clock, whatever the failback mode: its owner never failed.
bool drill_is_over(const BackendState& owner, Nanoseconds now) {
  return owner.drill_until && *owner.drill_until <= now && fit(owner) && clean(owner);
}

bool others_serve(const PoolConfig& spec, const PoolState& pool, const SeatState& but) {
  return std::any_of(pool.seats.begin(), pool.seats.end(), [&](const SeatState& seat) {
    return seat.owner != but.owner && seat.holder && !seat.doubtful && spec.backends[seat.owner].weight > 0;
  });
}

/// A new backend's caches are cold: it is led up slowly if others can serve meanwhile.
void open_seat(const PoolConfig& spec, const PoolState& pool, SeatState& seat, Nanoseconds now) {
  const bool slowly = spec.slow_start.window.count() > 0 && others_serve(spec, pool, seat);
  sit_down(seat, seat.owner);
  if (!slowly) return;
  seat.ramp = Ramp::slow_start;
  seat.ramp_since = now;
  seat.ramp_share = ramp_share(spec, seat, now);
}

}  // namespace

void start_return(const PoolConfig& spec, SeatState& seat, Nanoseconds now) noexcept {
  SeatState begun = seat;
  begun.ramp = Ramp::failback;
  begun.ramp_since = now;
  const uint16_t first = ramp_share(spec, begun, now);
  if (first == kWhole) return sit_down(seat, seat.owner);
  if (!seat.holder) {
    sit_down(seat, seat.owner);
    seat.ramp_share = first;
  } else {
    seat.guest = seat.owner;
    seat.guest_share = first;
    seat.ramp_share = kWhole;  // a promotion ramp under way is over: the standby has all that the owner has not
  }
  seat.ramp = Ramp::failback;
  seat.ramp_since = now;
}

bool retreat(const PoolConfig& spec, PoolState& pool, std::vector<SeatNote>& notes) {
  bool any = false;
  for (uint32_t s = 0; s < pool.seats.size(); ++s) {
    SeatState& seat = pool.seats[s];
    const BackendState& owner = pool.backends[seat.owner];
    if (!on_its_way(seat) || holds_up(owner)) continue;
    if (seat.guest == seat.owner) {
      seat.guest.reset();
      seat.guest_share = 0;
      seat.ramp = Ramp::none;
    } else if (others_serve(spec, pool, seat)) {
      stand_up(seat);
      pool.backends[seat.owner].vacated = true;
      notes[s].lost_from = seat.owner;
    } else {
      continue;
    }
    notes[s].because = seat.owner;
    notes[s].retreated = true;
    any = true;
  }
  return any;
}

void advance_ramps(const PoolConfig& spec, PoolState& pool, Nanoseconds now, std::vector<SeatNote>& notes) {
  for (uint32_t s = 0; s < pool.seats.size(); ++s) {
    SeatState& seat = pool.seats[s];
    if (seat.ramp == Ramp::none) continue;
    const uint16_t share = ramp_share(spec, seat, now);
    const bool by_steps = on_its_way(seat);
    const bool moved = by_steps && share != (seat.guest ? seat.guest_share : seat.ramp_share);
    if (moved) notes[s] = seat_note(Cause::step);
    if (share == kWhole && by_steps) {
      sit_down(seat, seat.owner);
    } else if (share == kWhole) {
      seat.ramp = Ramp::none;
      seat.ramp_share = kWhole;
    } else if (seat.guest) {
      seat.guest_share = share;
    } else {
      seat.ramp_share = share;
    }
  }
}

void return_owners(const PoolConfig& spec, PoolState& pool, Nanoseconds now, std::vector<SeatNote>& notes) {
  for (uint32_t s = 0; s < pool.seats.size(); ++s) {
    SeatState& seat = pool.seats[s];
    BackendState& owner = pool.backends[seat.owner];
    if (!seat.holder && !owner.vacated && available(owner)) {
      notes[s].because = seat.owner;
      notes[s].opened = true;
      open_seat(spec, pool, seat, now);
      continue;
    }
    if (seat.holder != seat.owner && owner.held && drill_is_over(owner, now)) {
      owner.held = false;
      owner.drill_until.reset();
      notes[s] = seat_note(Cause::drill);
      start_return(spec, seat, now);
      continue;
    }
    if (!returning(pool, seat)) continue;
    if (!seat.holder && notes[s].lost && notes[s].lost_from != seat.owner) {
      sit_down(seat, seat.owner);
    } else if (!notes[s].retreated && returns_by_itself(spec, seat) &&
               now - owner.healthy_since >= hold_down_of(spec, owner)) {
      notes[s] = seat_note(Cause::hold_down);
      start_return(spec, seat, now);
    }
  }
}

std::optional<Nanoseconds> next_return(const PoolConfig& spec, const PoolState& pool, const SeatState& seat) {
  const BackendState& owner = pool.backends[seat.owner];
  if (seat.holder != seat.owner && owner.held && owner.drill_until) return owner.drill_until;
  if (!returning(pool, seat) || !returns_by_itself(spec, seat)) return std::nullopt;
  return owner.healthy_since + hold_down_of(spec, owner);
}

}  // namespace warmswap::failover
