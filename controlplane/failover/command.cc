// The operator's commands. Each is obeyed or refused with a sentence that says what was met and what was expected.
#include <algorithm>
#include <utility>

#include "controlplane/failover/flap.h"
#include "controlplane/failover/returning.h"
#include "controlplane/failover/shares.h"
#include "controlplane/failover/standby.h"
#include "controlplane/failover/step.h"

namespace warmswap::failover {

std::string Step::unknown_name(const std::string& name) const {
  return "pool " + spec_.name + " has no backend " + name;
}

/// Empty when the standby can take the seat.
std::string Step::why_not_ready(uint32_t index, uint32_t seat) const {
  const BackendState& standby = pool_.backends[index];
  const State state = state_of(standby, Sitting::out);
  if (standby.drain) return standby.name + " is draining; expected a warm standby";
  if (standby.role != Role::warm) return standby.name + " is hot; expected a warm backend as standby";
  if (state != State::warm) return standby.name + " is " + std::string(to_string(state)) + "; expected a warm standby";
  const bool busy = sitting_of(pool_, index) != Sitting::out;
  const uint64_t held = weight_held(spec_, pool_)[index];
  if (room_for(spec_, index, pool_.seats[seat].owner, busy, held) > 0) return {};
  for (const SeatState& other : pool_.seats) {
    if (other.holder != index) continue;
    return standby.name + " already holds the seat of " + pool_.backends[other.owner].name +
           (spec_.backends[index].capacity > 0 ? " and has no capacity left" : "");
  }
  return {};
}

Step::Refused Step::take(const Enable& event) {
  const std::optional<uint32_t> index = find(event.backend);
  if (!index) return unknown_name(event.backend);
  enable(*index, Cause::enable);
  return std::nullopt;
}

Step::Refused Step::take(const Disable& event) {
  const std::optional<uint32_t> index = find(event.backend);
  if (!index) return unknown_name(event.backend);
  disable(*index, Cause::disable);
  return std::nullopt;
}

Step::Refused Step::take(const DrainOut& event) {
  settle();
  const std::optional<uint32_t> index = find(event.backend);
  if (!index) return unknown_name(event.backend);
  BackendState& backend = pool_.backends[*index];
  if (backend.admin == Admin::disabled) return event.backend + " is disabled already";
  if (backend.drain) return event.backend + " is draining already; enable it to call that off";
  backend.drain = Drain{now_, now_ + event.length};
  notes_[*index] = {Cause::drain, "an operator drains it"};
  for (SeatState& seat : pool_.seats) {
    const BackendState& owner = pool_.backends[seat.owner];
    if (seat.holder != *index || seat.owner == *index || seat.guest == seat.owner || owner.held) continue;
    if (available(owner) && clean(owner)) start_return(spec_, seat, now_);  // who should have it anyway
  }
  return std::nullopt;
}

Step::Refused Step::give_to_standby(const std::string& backend, const std::string& wanted, Cause cause) {
  if (spec_.mode != config::Mode::hot_warm) {
    return "pool " + spec_.name + " is hot-hot and has no standbys; disable " + backend + " to take it out";
  }
  const std::optional<uint32_t> owner = find(backend);
  if (!owner) return unknown_name(backend);
  const std::optional<uint32_t> seat = seat_of_owner(*owner);
  if (!seat) return backend + " is warm and owns no seat; name the hot backend to fail over";
  if (spec_.backends[*owner].weight == 0) return backend + " has weight 0: its seat has no slots to take over";
  SeatState& place = pool_.seats[*seat];
  if (place.holder && place.holder != *owner) {
    return pool_.backends[*place.holder].name + " already holds the seat of " + backend;
  }

  std::optional<Choice> choice;
  if (wanted.empty()) {
    choice = Pairing(spec_).best(pool_, *seat, {});
    if (!choice || !choice->warmed) return "pool " + spec_.name + " has no ready standby for " + backend;
  } else {
    const std::optional<uint32_t> standby = find(wanted);
    if (!standby) return unknown_name(wanted);
    if (std::string why = why_not_ready(*standby, *seat); !why.empty()) return why;
    const bool busy = sitting_of(pool_, *standby) != Sitting::out;
    choice = Choice{*standby, room_for(spec_, *standby, *owner, busy, weight_held(spec_, pool_)[*standby]), true};
  }
  promote(spec_, place, *choice, now_);
  pool_.backends[*owner].held = true;
  seat_notes_[*seat] = seat_note(cause);
  return std::nullopt;
}

Step::Refused Step::take(const Failover& event) {
  settle();
  return give_to_standby(event.backend, event.standby, Cause::failover);
}

/// Takes one seat out of the domain. False when no standby elsewhere can have it.
bool Step::leave_domain(const Pairing& pairing, const std::string& domain, PoolState& next, uint32_t s) const {
  SeatState& seat = next.seats[s];
  const bool returns = seat.guest == seat.owner;
  if (spec_.backends[*seat.holder].domain != domain) {  // its owner is, on the way back
    const SeatState standby{.owner = seat.owner, .holder = seat.holder, .load = seat.load, .part = seat.part};
    seat = standby;
    next.backends[seat.owner].held = true;
    return true;
  }
  if (returns && spec_.backends[seat.owner].domain != domain) {
    sit_down(seat, seat.owner);
    return true;
  }
  const bool own = seat.holder == seat.owner || returns;
  stand_up(seat);
  const std::optional<Choice> choice = pairing.best(next, s, {.lost = {}, .avoid = domain});
  if (!choice || !choice->warmed) return false;
  promote(spec_, seat, *choice, now_);
  if (own) next.backends[seat.owner].held = true;
  return true;
}

Step::Refused Step::take(const FailoverDomain& event) {
  settle();
  if (spec_.mode != config::Mode::hot_warm) {
    return "pool " + spec_.name + " is hot-hot and has no standbys; disable the backends of " + event.domain +
           " to take them out";
  }
  const Pairing pairing(spec_);
  PoolState next = pool_;
  std::vector<uint32_t> moved;
  for (uint32_t s = 0; s < next.seats.size(); ++s) {
    const SeatState& seat = pool_.seats[s];
    const auto inside = [&](std::optional<uint32_t> b) { return b && spec_.backends[*b].domain == event.domain; };
    const bool returns = seat.guest == seat.owner;
    if (spec_.backends[seat.owner].weight == 0 || !(inside(seat.holder) || (returns && inside(seat.guest)))) continue;
    if (!leave_domain(pairing, event.domain, next, s)) {
      return "pool " + spec_.name + " has no ready standby outside " + event.domain + " for the seat of " +
             pool_.backends[seat.owner].name + ", which " + pool_.backends[*seat.holder].name + " holds";
    }
    moved.push_back(s);
  }
  if (moved.empty()) {
    return "no backend of pool " + spec_.name + " that holds a seat is in the failure domain " + event.domain;
  }
  pool_ = std::move(next);
  for (const uint32_t s : moved) seat_notes_[s] = seat_note(Cause::failover);
  return std::nullopt;
}

Step::Refused Step::take(const Failback& event) {
  settle();
  const std::optional<uint32_t> index = find(event.backend);
  if (!index) return unknown_name(event.backend);
  const std::optional<uint32_t> seat = seat_of_owner(*index);
  if (!seat) return event.backend + " is warm and owns no seat; name the hot backend to fail back";
  SeatState& place = pool_.seats[*seat];
  const bool by_steps = place.ramp == Ramp::failback;
  if (place.holder == *index && !place.doubtful && !(by_steps && event.whole)) {
    return event.backend + (by_steps ? " is already on its way back" : " already has its seat");
  }
  if (place.guest == *index && !event.whole) return event.backend + " is already on its way back";
  BackendState& owner = pool_.backends[*index];
  if (owner.drain) return event.backend + " is draining; enable it to call that off";
  if (!fit(owner)) {
    const std::string why = owner.reason.empty() ? "" : " (" + owner.reason + ")";
    return event.backend + " is " + std::string(to_string(state_of(owner, Sitting::out))) + why +
           "; expected a healthy owner to fail back to";
  }
  if (!clean(owner)) return "the last probe of " + event.backend + " was bad; expected a healthy owner";
  owner.held = false;
  owner.drill_until.reset();
  forgive(owner);
  if (event.whole) {
    sit_down(place, *index);
  } else {
    start_return(spec_, place, now_);
  }
  seat_notes_[*seat] = seat_note(Cause::failback);
  return std::nullopt;
}

Step::Refused Step::swap_standbys(uint32_t holder, uint32_t waiting) {
  PoolState next = pool_;
  std::vector<uint32_t> moved;
  for (uint32_t s = 0; s < next.seats.size(); ++s) {
    SeatState& seat = next.seats[s];
    if (seat.holder != holder) continue;
    if (seat.guest == seat.owner) return next.backends[seat.owner].name + " is on its way back into its seat";
    if (std::string why = why_not_ready(waiting, s); !why.empty()) return why;
    const uint16_t part =
        room_for(spec_, waiting, seat.owner, !moved.empty(), moved.empty() ? 0 : weight_held(spec_, next)[waiting]);
    if (part == 0) {
      return next.backends[waiting].name + " has no capacity for all the seats of " + next.backends[holder].name;
    }
    promote(spec_, seat, {waiting, part, true}, now_);
    moved.push_back(s);
  }
  pool_ = std::move(next);
  for (const uint32_t s : moved) seat_notes_[s] = seat_note(Cause::swap);
  return std::nullopt;
}

Step::Refused Step::take(const Swap& event) {
  settle();
  std::optional<uint32_t> a = find(event.a);
  std::optional<uint32_t> b = find(event.b);
  if (!a || !b) return unknown_name(a ? event.b : event.a);
  if (pool_.backends[*b].role == Role::hot && pool_.backends[*a].role == Role::warm) std::swap(a, b);
  const BackendState& first = pool_.backends[*a];
  const BackendState& second = pool_.backends[*b];
  if (second.role == Role::hot) {
    return event.a + " and " + event.b + " are both hot; expected a hot backend and a standby, or two standbys";
  }
  if (first.role == Role::hot) {
    const std::optional<uint32_t> seat = seat_of_owner(*a);
    if (seat && pool_.seats[*seat].holder == *b) return take(Failback{first.name, true});
    return give_to_standby(first.name, second.name, Cause::swap);
  }
  const bool a_sits = sitting_of(pool_, *a) != Sitting::out;
  const bool b_sits = sitting_of(pool_, *b) != Sitting::out;
  if (a_sits == b_sits) {
    return first.name + " and " + second.name + " both " + (a_sits ? "hold a seat" : "wait") +
           "; expected one standby that holds a seat and one that waits";
  }
  return a_sits ? swap_standbys(*a, *b) : swap_standbys(*b, *a);
}

Step::Refused Step::take(const Drill& event) {
  settle();
  const std::optional<uint32_t> owner = find(event.backend);
  if (!owner) return unknown_name(event.backend);
  const std::optional<uint32_t> seat = seat_of_owner(*owner);
  if (seat && pool_.seats[*seat].holder != *owner) {
    return event.backend + " does not sit in its own seat; a drill needs an owner that serves";
  }
  if (pool_.backends[*owner].drain) return event.backend + " is draining; a drill needs an owner that comes back";
  if (!fit(pool_.backends[*owner]) || !clean(pool_.backends[*owner])) {
    return event.backend + " is not healthy; a drill needs an owner that can come back";
  }
  if (Refused why = give_to_standby(event.backend, event.standby, Cause::drill)) return why;
  pool_.backends[*owner].drill_until = now_ + event.length;
  return std::nullopt;
}

}  // namespace warmswap::failover
