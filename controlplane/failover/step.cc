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
      seats_before_(pool_.seats),
      doubted_before_(pool_.doubt_until.has_value()),
      panicked_before_(pool_.panic),
      overloaded_before_(pool_.overloaded) {}

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
  end_drains();
  // Who loses its seat on the way out is out, which is evidence again.
  do {
    end_ejections();
    trust_unprobed();
    confirm_failures();
    failover::settle(spec_, pool_, now_, changed_, seat_notes_);
  } while (end_drains());
}

Outcome Step::finish(std::vector<Refusal> refusals) {
  settle();
  Outcome outcome;
  outcome.refusals = std::move(refusals);
  report_seats(outcome);
  report_states(outcome);
  report_notices(outcome);
  const auto same_shares = [](const SeatState& a, const SeatState& b) {
    return a.holder == b.holder && a.guest == b.guest && a.guest_share == b.guest_share && a.part == b.part &&
           a.ramp_share == b.ramp_share && a.load == b.load;
  };
  // What is shed also depends on whether an owner without its seat has failed.
  const bool sheds = spec_.guard.overload == config::Overload::shed;
  outcome.shares_changed =
      (sheds && std::find(changed_.begin(), changed_.end(), true) != changed_.end()) ||
      !std::equal(pool_.seats.begin(), pool_.seats.end(), seats_before_.begin(), seats_before_.end(), same_shares);
  outcome.deadline = next_deadline(spec_, pool_, now_);
  outcome.seats_before = std::move(seats_before_);
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
    const bool signal = own.cause == Cause::probe || own.cause == Cause::heartbeat || own.cause == Cause::anomaly;
    const bool bad = signal && (backend.health == Health::down || backend.ejected || !clean(backend));
    return {own.cause.value_or(otherwise_), detail, bad ? std::optional(backend.first_bad) : std::nullopt};
  }
  const Cause cause = note.cause.value_or(otherwise_);
  if (!gone_.empty() && !gone_[seat].empty()) return {cause, gone_[seat] + ": removed", std::nullopt};
  if (cause == Cause::hold_down) return {cause, "healthy for the whole hold-down", std::nullopt};
  if (cause == Cause::last_resort) return {cause, "nobody else is left to serve", std::nullopt};
  if (cause == Cause::panic) return {cause, "too few are healthy: health is not looked at", std::nullopt};
  if (cause == Cause::drill) return {cause, "the drill is over", std::nullopt};
  return {cause, "", std::nullopt};
}

/// What an operator would call the change; nothing for one of shares alone, unless it is a step of a failback.
std::optional<SeatChangeKind> Step::kind_of(uint32_t s) const {
  const SeatState& before = seats_before_[s];
  const SeatState& after = pool_.seats[s];
  const bool gone = !gone_.empty() && !gone_[s].empty();
  if (seat_notes_[s].retreated) return SeatChangeKind::retreat;
  if (!gone && before.holder == after.holder && before.doubtful == after.doubtful) {
    const bool was_back = before.guest == before.owner;
    const bool is_back = after.guest == after.owner;
    if (is_back)
      return was_back && before.guest_share == after.guest_share ? std::nullopt : std::optional(SeatChangeKind::step);
    if (was_back) return SeatChangeKind::retreat;
    if (before.ramp == Ramp::failback && after.ramp == Ramp::none) return SeatChangeKind::failback;
    if (after.ramp == Ramp::failback && before.ramp_share != after.ramp_share) return SeatChangeKind::step;
    return std::nullopt;
  }
  if (!after.holder) return SeatChangeKind::vacated;
  if (after.doubtful) return SeatChangeKind::fail_open;
  if (after.holder != after.owner) return SeatChangeKind::failover;
  if (after.ramp == Ramp::failback) return SeatChangeKind::step;
  return seat_notes_[s].opened ? SeatChangeKind::opened : SeatChangeKind::failback;
}

void Step::report_seats(Outcome& outcome) const {
  const auto name = [&](std::optional<uint32_t> holder) {
    return holder ? pool_.backends[*holder].name : std::string();
  };
  for (uint32_t s = 0; s < pool_.seats.size(); ++s) {
    const std::optional<SeatChangeKind> kind = kind_of(s);
    if (!kind) continue;
    const SeatState& after = pool_.seats[s];
    const bool gone = !gone_.empty() && !gone_[s].empty();
    SeatChange change;
    change.kind = *kind;
    change.before = gone ? gone_[s] : name(seats_before_[s].holder);
    change.after = name(after.holder);
    change.owner = pool_.backends[after.owner].name;
    if (after.guest == after.owner) change.owner_share = after.guest_share;
    if (after.holder == after.owner) change.owner_share = after.ramp_share;
    Reason reason = reason_for_seat(s);
    change.cause = reason.cause;
    change.detail = std::move(reason.detail);
    if (change.kind == SeatChangeKind::failover && !pool_.backends[*after.holder].warmed) {
      change.detail +=
          (change.detail.empty() ? "" : "; ") + change.after + " is not warmed up, but nothing better is left";
    }
    change.first_bad = reason.first_bad;
    change.decided = now_;
    outcome.seats.push_back(std::move(change));
  }
}

void Step::report_notices(Outcome& outcome) const {
  const std::string pool = "pool " + spec_.name + ": ";
  if (pool_.doubt_until && !doubted_before_) {
    outcome.notices.push_back({pool +
                               "most backends turned bad together, which speaks against this host or its way to them: "
                               "nobody is taken out for " +
                               std::to_string(spec_.guard.self_suspicion_hold.count() / 1'000'000) + " ms"});
  }
  if (!pool_.doubt_until && doubted_before_) outcome.notices.push_back({pool + "the doubt about this host is over"});
  if (pool_.panic && !panicked_before_) {
    outcome.notices.push_back({pool + "too few backends are healthy: sending to all, health is not looked at"});
  }
  if (!pool_.panic && panicked_before_) outcome.notices.push_back({pool + "enough backends are healthy again"});
  if (pool_.overloaded && !overloaded_before_) {
    const bool sheds = spec_.guard.overload == config::Overload::shed;
    outcome.notices.push_back({pool + "more is left over than the others have capacity for: " +
                               (sheds ? "what does not fit is dropped" : "they are overloaded")});
  }
  if (!pool_.overloaded && overloaded_before_)
    outcome.notices.push_back({pool + "the others' capacity is enough again"});
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
  const bool signal = note.cause == Cause::probe || note.cause == Cause::heartbeat || note.cause == Cause::anomaly;
  const bool bad = signal && (!clean(backend) || backend.ejected);
  return {note.cause.value_or(otherwise_), note.detail, bad ? std::optional(backend.first_bad) : std::nullopt};
}

void Step::report_states(Outcome& outcome) {
  const std::vector<std::optional<uint32_t>> held_before = seats_held(seats_before_, pool_.backends.size());
  const std::vector<std::optional<uint32_t>> held = seats_held(pool_.seats, pool_.backends.size());
  const std::vector<Sitting> sitting = sittings(pool_);
  for (uint32_t i = 0; i < pool_.backends.size(); ++i) {
    BackendState& backend = pool_.backends[i];
    const State to = state_of(backend, sitting[i]);
    if (to == backend.state) continue;
    Reason reason = reason_for_backend(i, held_before[i], held[i]);
    backend.reason = reason.detail;
    outcome.states.push_back({backend.name, backend.state, to, reason.cause, std::move(reason.detail), reason.first_bad,
                              now_, backend.since});
    backend.state = to;
    backend.since = now_;
  }
}

}  // namespace warmswap::failover
