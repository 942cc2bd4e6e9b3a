// What probes prove, and what enabling and disabling do to it.
#include <algorithm>

#include "controlplane/failover/flap.h"
#include "controlplane/failover/step.h"

namespace warmswap::failover {

void Step::apply(const ProbeResult& result) {
  const std::optional<uint32_t> index = find(result.backend);
  if (!index || result.outcome == Probe::not_run) return;
  BackendState& backend = pool_.backends[*index];
  const config::ProbeConfig& probe = probe_of(*index);
  if (backend.admin == Admin::disabled || probe.kind == config::ProbeKind::none) return;

  const Health before = backend.health;
  if (result.outcome == Probe::good) {
    if (backend.bad_streak > 0) backend.healthy_since = now_;
    backend.bad_streak = 0;
    const uint32_t rise = std::max(probe.rise, 1u);
    backend.good_streak = std::min(backend.good_streak + 1, rise);
    // A hot backend that nothing is known of serves after one good probe: nobody else has its slots yet.
    const bool first_evidence = backend.role == Role::hot && backend.health == Health::unknown;
    if (before != Health::up && (first_evidence || backend.good_streak >= rise)) {
      backend.health = Health::up;
      backend.healthy_since = now_;
    }
  } else {
    if (backend.bad_streak == 0) backend.first_bad = result.at;
    backend.good_streak = 0;
    const uint32_t fall = std::max(probe.fall, 1u);
    backend.bad_streak = std::min(backend.bad_streak + 1, fall);
    if (before != Health::down && backend.bad_streak >= fall) {
      backend.health = Health::down;
      // A standby that has never worked has not failed.
      if (before == Health::up || backend.role == Role::hot) count_failure(spec_, backend, now_);
    }
  }
  notes_[*index] = {Cause::probe, result.detail};
  if (backend.health != before) changed_[*index] = true;
}

void Step::forget_evidence(uint32_t index) {
  BackendState& backend = pool_.backends[index];
  backend.health = Health::unknown;
  backend.good_streak = 0;
  backend.bad_streak = 0;
  changed_[index] = true;
}

void Step::enable(uint32_t index, Cause cause) {
  BackendState& backend = pool_.backends[index];
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
  forget_evidence(index);
  notes_[index] = {cause, "disabled"};
}

void Step::trust_unprobed() {
  for (uint32_t i = 0; i < pool_.backends.size(); ++i) {
    BackendState& backend = pool_.backends[i];
    if (backend.admin == Admin::disabled || backend.health == Health::up) continue;
    if (probe_of(i).kind != config::ProbeKind::none) continue;
    backend.health = Health::up;
    backend.good_streak = 0;
    backend.bad_streak = 0;
    backend.healthy_since = now_;
    changed_[i] = true;
    if (!notes_[i].cause) notes_[i] = {otherwise_, "not probed, taken as healthy"};
  }
}

}  // namespace warmswap::failover
