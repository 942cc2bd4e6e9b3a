#include "controlplane/failover/step.h"

#include <algorithm>
#include <utility>

namespace warmswap::failover {

Step::Step(const config::PoolConfig& spec, PoolState pool, Nanoseconds now, Cause otherwise)
    : spec_(spec),
      pool_(std::move(pool)),
      now_(now),
      otherwise_(otherwise),
      notes_(pool_.backends.size()),
      changed_(pool_.backends.size(), false),
      seat_notes_(pool_.seats.size()),
      seats_before_(pool_.seats) {}

void Step::holder_is_gone(uint32_t seat, const std::string& name) {
  gone_.resize(pool_.seats.size());
  gone_[seat] = name;
  seat_notes_[seat].lost = true;
  seat_notes_[seat].cause = Cause::configuration;
}

const config::ProbeConfig& Step::probe_of(uint32_t backend) const {
  const std::optional<config::ProbeConfig>& own = spec_.backends[backend].probe;
  return own ? *own : spec_.probe;
}

std::optional<uint32_t> Step::find(const std::string& name) const {
  const auto at = std::lower_bound(pool_.backends.begin(), pool_.backends.end(), name,
                                   [](const BackendState& backend, const std::string& n) { return backend.name < n; });
  if (at == pool_.backends.end() || at->name != name) return std::nullopt;
  return static_cast<uint32_t>(at - pool_.backends.begin());
}

std::optional<uint32_t> Step::seat_of_owner(uint32_t backend) const {
  const auto at = std::lower_bound(pool_.seats.begin(), pool_.seats.end(), backend,
                                   [](const SeatState& seat, uint32_t b) { return seat.owner < b; });
  if (at == pool_.seats.end() || at->owner != backend) return std::nullopt;
  return static_cast<uint32_t>(at - pool_.seats.begin());
}

void Step::settle() {
  trust_unprobed();
  failover::settle(spec_, pool_, now_, changed_, seat_notes_);
}

Outcome Step::finish(std::vector<Refusal> refusals) {
  settle();
  Outcome outcome;
  outcome.refusals = std::move(refusals);
  report_seats(outcome);
  report_states(outcome);
  outcome.deadline = next_deadline(spec_, pool_);
  outcome.state = std::move(pool_);
  return outcome;
}

Step::Reason Step::reason_for_seat(uint32_t seat) const {
  const SeatNote& note = seat_notes_[seat];
  if (note.because) {
    const BackendState& backend = pool_.backends[*note.because];
    const Note& own = notes_[*note.because];
    if (!own.cause) {
      // A standby to which nothing happened but that another seat let it go.
      for (uint32_t s = 0; s < seats_before_.size(); ++s) {
        if (s == seat || seats_before_[s].holder != note.because) continue;
        Reason freed = reason_for_seat(s);
        freed.detail = backend.name + ": free again";
        return freed;
      }
    }
    const std::string detail = own.detail.empty() ? backend.name : backend.name + ": " + own.detail;
    if (own.cause == Cause::probe && backend.health == Health::down) return {Cause::probe, detail, backend.first_bad};
    return {own.cause.value_or(otherwise_), detail, std::nullopt};
  }
  const Cause cause = note.cause.value_or(otherwise_);
  if (!gone_.empty() && !gone_[seat].empty()) return {cause, gone_[seat] + ": removed", std::nullopt};
  if (cause == Cause::hold_down) return {cause, "healthy for the whole hold-down", std::nullopt};
  if (cause == Cause::last_resort) return {cause, "nobody else is left to serve", std::nullopt};
  return {cause, "", std::nullopt};
}

void Step::report_seats(Outcome& outcome) const {
  const auto name = [&](std::optional<uint32_t> holder) {
    return holder ? pool_.backends[*holder].name : std::string();
  };
  for (uint32_t s = 0; s < pool_.seats.size(); ++s) {
    const SeatState& after = pool_.seats[s];
    const bool gone = !gone_.empty() && !gone_[s].empty();
    if (!gone && seats_before_[s].holder == after.holder) continue;
    SeatChange change;
    change.before = gone ? gone_[s] : name(seats_before_[s].holder);
    change.after = name(after.holder);
    change.owner = pool_.backends[after.owner].name;
    if (!after.holder) {
      change.kind = SeatChangeKind::vacated;
    } else if (after.holder != after.owner) {
      change.kind = SeatChangeKind::failover;
    } else {
      change.kind = seat_notes_[s].opened ? SeatChangeKind::opened : SeatChangeKind::failback;
    }
    Reason reason = reason_for_seat(s);
    change.cause = reason.cause;
    change.detail = std::move(reason.detail);
    change.first_bad = reason.first_bad;
    change.decided = now_;
    outcome.seats.push_back(std::move(change));
  }
}

/// A healthy backend whose seat changed is what it is because of the seat; any other because of its own evidence.
Step::Reason Step::reason_for_backend(uint32_t index, std::optional<uint32_t> seat_before,
                                      std::optional<uint32_t> seat_after) const {
  const BackendState& backend = pool_.backends[index];
  if (fit(backend) && seat_before != seat_after) {
    const uint32_t seat = seat_after ? *seat_after : *seat_before;
    Reason reason = reason_for_seat(seat);
    if (seat_notes_[seat].because == index) {
      if (notes_[index].cause) reason.detail = notes_[index].detail;  // it need not be told who it is
      return reason;
    }
    const std::string& owner = pool_.backends[pool_.seats[seat].owner].name;
    const std::string place = backend.name == owner ? "its own seat" : "the seat of " + owner;
    const std::string what = (seat_after ? "takes " : "leaves ") + place;
    reason.detail = reason.detail.empty() ? what : what + " (" + reason.detail + ")";
    return reason;
  }
  const Note& note = notes_[index];
  const bool bad = note.cause == Cause::probe && backend.bad_streak > 0;
  return {note.cause.value_or(otherwise_), note.detail, bad ? std::optional(backend.first_bad) : std::nullopt};
}

void Step::report_states(Outcome& outcome) {
  const std::vector<std::optional<uint32_t>> held_before = seats_held(seats_before_, pool_.backends.size());
  const std::vector<std::optional<uint32_t>> held = seats_held(pool_.seats, pool_.backends.size());
  for (uint32_t i = 0; i < pool_.backends.size(); ++i) {
    BackendState& backend = pool_.backends[i];
    const State to = state_of(backend, held[i].has_value());
    if (to == backend.state) continue;
    Reason reason = reason_for_backend(i, held_before[i], held[i]);
    backend.reason = reason.detail;
    outcome.states.push_back(
        {backend.name, backend.state, to, reason.cause, std::move(reason.detail), reason.first_bad, now_});
    backend.state = to;
    backend.since = now_;
  }
}

}  // namespace warmswap::failover
