// What the signals prove, and what enabling and disabling do to it.
#include <algorithm>

#include "controlplane/failover/doubt.h"
#include "controlplane/failover/flap.h"
#include "controlplane/failover/step.h"

namespace warmswap::failover {

Step::Refused Step::take(const ProbeResult& result) {
  const std::optional<uint32_t> index = find(result.backend);
  if (!index || result.outcome == Probe::not_run) return std::nullopt;
  BackendState& backend = pool_.backends[*index];
  if (backend.admin == Admin::disabled || probe_of(*index).kind == config::ProbeKind::none) return std::nullopt;
  notes_[*index] = {Cause::probe, result.detail};
  if (result.outcome == Probe::good) {
    good_probe(*index);
  } else {
    if (clean(backend)) backend.first_bad = result.at;
    backend.good_streak = 0;
    backend.bad_streak = std::min(backend.bad_streak + 1, std::max(probe_of(*index).fall, 1u));
  }
  return std::nullopt;
}

void Step::good_probe(uint32_t index) {
  BackendState& backend = pool_.backends[index];
  if (backend.bad_streak > 0) backend.healthy_since = now_;
  backend.bad_streak = 0;
  const uint32_t rise = std::max(probe_of(index).rise, 1u);
  backend.good_streak = std::min(backend.good_streak + 1, rise);
  if (backend.health == Health::up || !backend.ready) return;
  // A hot backend that nothing is known of serves after one good probe: nobody else has its slots yet.
  const bool first_evidence = backend.role == Role::hot && backend.health == Health::unknown;
  if (!first_evidence && backend.good_streak < rise) return;
  // Probes that began after its agent fell silent say that the host lives and only the agent does not.
  if (backend.beats == Beats::lost) {
    backend.beats = Beats::silent;
    notes_[index].detail += "; its agent is silent";
  }
  backend.health = Health::up;
  backend.healthy_since = now_;
  changed_[index] = true;
}

Step::Refused Step::take(const BeatChange& change) {
  const std::optional<uint32_t> index = find(change.backend);
  if (!index) return std::nullopt;
  BackendState& backend = pool_.backends[*index];
  const bool was_clean = clean(backend);
  backend.beats = change.beats;
  if (backend.admin == Admin::disabled) {
    backend.ready = change.ready;
    return std::nullopt;
  }
  notes_[*index] = {Cause::heartbeat, change.detail};
  if (was_clean && !clean(backend)) backend.first_bad = change.at;
  const bool returns = change.ready && !backend.ready;
  // What was found before it fell silent, or said that it is not ready, proves nothing about later.
  if (returns || change.beats == Beats::lost) backend.good_streak = 0;
  backend.ready = change.ready;
  if (!change.ready && backend.health == Health::up) {
    backend.health = Health::down;  // by its own wish: no failure
    changed_[*index] = true;
  }
  return std::nullopt;
}

Step::Refused Step::take(const LoadShare& load) {
  const std::optional<uint32_t> index = find(load.backend);
  for (SeatState& seat : pool_.seats) {
    if (index && seat.holder == index) seat.load = std::clamp<uint16_t>(load.share, 1, kWhole);
  }
  return std::nullopt;
}

Step::Refused Step::take(const WarmUp& warm_up) {
  const std::optional<uint32_t> index = find(warm_up.backend);
  if (!index || pool_.backends[*index].warmed == warm_up.warmed) return std::nullopt;
  pool_.backends[*index].warmed = warm_up.warmed;
  notes_[*index] = {Cause::warm_up, warm_up.detail};
  return std::nullopt;
}

/// Whether the others have room for what it has: slow is better than too many at once.
bool Step::can_do_without(uint32_t backend) const {
  PoolState without = pool_;
  without.backends[backend].ejected = true;
  std::vector<SeatNote> notes(without.seats.size());
  failover::settle(spec_, without, now_, changed_, notes);
  return !without.overloaded;
}

/// Of so many that the rest would suffer nobody is ejected: then the anomaly is the norm.
Step::Refused Step::take(const Outlier& outlier) {
  const std::optional<uint32_t> index = find(outlier.backend);
  if (!index || !fit(pool_.backends[*index])) return std::nullopt;
  uint64_t out = 1, others = 0;
  for (uint32_t i = 0; i < pool_.backends.size(); ++i) {
    out += pool_.backends[i].ejected ? 1 : 0;
    others += i != *index && fit(pool_.backends[i]) ? 1 : 0;
  }
  const uint64_t most =
      spec_.anomaly.most == 0 ? 0 : std::max<uint64_t>(pool_.backends.size() * spec_.anomaly.most / 100, 1);
  if (out > most || others == 0 || !can_do_without(*index)) return std::nullopt;
  BackendState& backend = pool_.backends[*index];
  if (clean(backend)) backend.first_bad = outlier.at;
  eject(spec_, backend, now_);
  notes_[*index] = {Cause::anomaly, outlier.detail};
  changed_[*index] = true;
  return std::nullopt;
}

void Step::end_ejections() {
  for (uint32_t i = 0; i < pool_.backends.size(); ++i) {
    BackendState& backend = pool_.backends[i];
    if (!backend.ejected || backend.ejection.until > now_) continue;
    backend.ejected = false;
    backend.healthy_since = now_;
    changed_[i] = true;
    if (!notes_[i].cause) notes_[i] = {Cause::anomaly, "its ejection is over"};
  }
}

void Step::confirm_failures() {
  if (doubting(spec_, pool_, now_)) return;
  for (uint32_t i = 0; i < pool_.backends.size(); ++i) {
    BackendState& backend = pool_.backends[i];
    if (backend.admin == Admin::disabled || backend.health == Health::down || !due(spec_, i, backend)) continue;
    // A standby that has never worked has not failed.
    const bool failure = backend.health == Health::up || backend.role == Role::hot;
    backend.health = Health::down;
    // What failed comes back with cold caches.
    if (asks_for_warm_up(spec_, backend.role)) backend.warmed = false;
    if (failure) count_failure(spec_, backend, now_);
    if (!notes_[i].cause) {
      notes_[i] = {backend.beats == Beats::lost ? Cause::heartbeat : Cause::probe, backend.reason};
    }
    changed_[i] = true;
  }
  // Those found failed are witnesses no longer.
  doubting(spec_, pool_, now_);
}

void Step::forget_evidence(uint32_t index) {
  BackendState& backend = pool_.backends[index];
  backend.health = Health::unknown;
  backend.good_streak = 0;
  backend.bad_streak = 0;
  backend.drill_until.reset();
  changed_[index] = true;
}

/// At the deadline, and where there is nothing to hand over.
bool Step::end_drains() {
  bool any = false;
  for (uint32_t i = 0; i < pool_.backends.size(); ++i) {
    const std::optional<Drain>& drain = pool_.backends[i].drain;
    if (!drain || (now_ < drain->until && sitting_of(pool_, i) != Sitting::out)) continue;
    disable(i, Cause::drain);
    notes_[i].detail = "drained";
    any = true;
  }
  return any;
}

void Step::enable(uint32_t index, Cause cause) {
  BackendState& backend = pool_.backends[index];
  if (backend.drain) {
    backend.drain.reset();
    notes_[index] = {cause, "its drain is called off"};
  }
  if (backend.admin == Admin::enabled) return;
  backend.admin = Admin::enabled;
  forgive(backend);
  forget_evidence(index);
  // With its seat empty the command itself is the word to serve again; a standby in the seat makes it a failback.
  const std::optional<uint32_t> seat = seat_of_owner(index);
  backend.vacated = seat && pool_.seats[*seat].holder;
  notes_[index] = {cause, "enabled"};
}

void Step::disable(uint32_t index, Cause cause) {
  BackendState& backend = pool_.backends[index];
  if (backend.admin == Admin::disabled) return;
  backend.admin = Admin::disabled;
  backend.drain.reset();
  forget_evidence(index);
  notes_[index] = {cause, "disabled"};
}

void Step::trust_unprobed() {
  for (uint32_t i = 0; i < pool_.backends.size(); ++i) {
    BackendState& backend = pool_.backends[i];
    if (backend.admin == Admin::disabled || backend.health == Health::up) continue;
    if (probe_of(i).kind != config::ProbeKind::none || backend.beats == Beats::lost || !backend.ready) continue;
    backend.health = Health::up;
    backend.good_streak = 0;
    backend.bad_streak = 0;
    backend.healthy_since = now_;
    changed_[i] = true;
    if (!notes_[i].cause) notes_[i] = {otherwise_, "not probed, taken as healthy"};
  }
}

}  // namespace warmswap::failover
