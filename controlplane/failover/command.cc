// The operator's commands. Each is obeyed or refused with a sentence that says what was met and what was expected.
#include "controlplane/failover/flap.h"
#include "controlplane/failover/standby.h"
#include "controlplane/failover/step.h"

namespace warmswap::failover {

std::string Step::unknown_name(const std::string& name) const {
  return "pool " + spec_.name + " has no backend " + name;
}

/// Empty when the standby is ready.
std::string Step::why_not_ready(uint32_t index) const {
  const BackendState& standby = pool_.backends[index];
  const State state = state_of(standby, false);
  if (standby.role != Role::warm) return standby.name + " is hot; expected a warm backend as standby";
  if (state != State::warm) return standby.name + " is " + std::string(to_string(state)) + "; expected a warm standby";
  for (const SeatState& seat : pool_.seats) {
    if (seat.holder == index) return standby.name + " already holds the seat of " + pool_.backends[seat.owner].name;
  }
  return {};
}

std::optional<std::string> Step::command(const Enable& event) {
  const std::optional<uint32_t> index = find(event.backend);
  if (!index) return unknown_name(event.backend);
  enable(*index, Cause::enable);
  return std::nullopt;
}

std::optional<std::string> Step::command(const Disable& event) {
  const std::optional<uint32_t> index = find(event.backend);
  if (!index) return unknown_name(event.backend);
  disable(*index, Cause::disable);
  return std::nullopt;
}

std::optional<std::string> Step::command(const Failover& event) {
  if (spec_.mode != config::Mode::hot_warm) {
    return "pool " + spec_.name + " is hot-hot and has no standbys; disable " + event.backend + " to take it out";
  }
  const std::optional<uint32_t> owner = find(event.backend);
  if (!owner) return unknown_name(event.backend);
  const std::optional<uint32_t> seat = seat_of_owner(*owner);
  if (!seat) return event.backend + " is warm and owns no seat; name the hot backend to fail over";
  if (spec_.backends[*owner].weight == 0) return event.backend + " has weight 0: its seat has no slots to take over";
  SeatState& place = pool_.seats[*seat];
  if (place.holder && place.holder != *owner) {
    return pool_.backends[*place.holder].name + " already holds the seat of " + event.backend;
  }

  std::optional<uint32_t> standby;
  if (event.standby.empty()) {
    standby = Pairing(spec_).best(pool_, *seat, std::nullopt);
    if (!standby) return "pool " + spec_.name + " has no ready standby for " + event.backend;
  } else {
    standby = find(event.standby);
    if (!standby) return unknown_name(event.standby);
    if (std::string why = why_not_ready(*standby); !why.empty()) return why;
  }
  place.holder = standby;
  pool_.backends[*owner].held = true;
  seat_notes_[*seat] = seat_note(Cause::failover);
  return std::nullopt;
}

std::optional<std::string> Step::command(const Failback& event) {
  const std::optional<uint32_t> index = find(event.backend);
  if (!index) return unknown_name(event.backend);
  const std::optional<uint32_t> seat = seat_of_owner(*index);
  if (!seat) return event.backend + " is warm and owns no seat; name the hot backend to fail back";
  SeatState& place = pool_.seats[*seat];
  if (place.holder == *index) return event.backend + " already has its seat";
  BackendState& owner = pool_.backends[*index];
  if (!fit(owner)) {
    const std::string why = owner.reason.empty() ? "" : " (" + owner.reason + ")";
    return event.backend + " is " + std::string(to_string(state_of(owner, false))) + why +
           "; expected a healthy owner to fail back to";
  }
  if (owner.bad_streak > 0) return "the last probe of " + event.backend + " was bad; expected a healthy owner";
  owner.held = false;
  forgive(owner);
  place.holder = *index;
  seat_notes_[*seat] = seat_note(Cause::failback);
  return std::nullopt;
}

}  // namespace warmswap::failover
