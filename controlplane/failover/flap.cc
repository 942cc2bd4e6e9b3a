#include "controlplane/failover/flap.h"

#include <algorithm>

namespace warmswap::failover {

namespace {

/// One more time of late, after one for each half-life since the latest was forgotten.
uint32_t once_more(uint32_t times, Nanoseconds since, Nanoseconds half_life) noexcept {
  const auto calmed = static_cast<uint64_t>(since / std::max(half_life, Nanoseconds(1)));
  return times - static_cast<uint32_t>(std::min<uint64_t>(times, calmed)) + 1;
}

}  // namespace

void count_failure(const config::PoolConfig& spec, BackendState& backend, Nanoseconds now) noexcept {
  backend.flaps = once_more(backend.flaps, now - backend.failed_at, spec.flap_half_life);
  backend.failed_at = now;
  ++backend.failures;
}

void eject(const config::PoolConfig& spec, BackendState& backend, Nanoseconds now) noexcept {
  Ejection& ejection = backend.ejection;
  ejection.count = once_more(ejection.count, now - ejection.since, spec.flap_half_life);
  ejection.since = now;
  ejection.until = now + std::min(spec.anomaly.time * std::min(ejection.count, 1000u), spec.anomaly.time_max);
  backend.ejected = true;
}

void forgive(BackendState& backend) noexcept {
  backend.flaps = 0;
  backend.ejection = {};
  backend.ejected = false;
}

Nanoseconds hold_down_of(const config::PoolConfig& spec, const BackendState& backend) noexcept {
  Nanoseconds hold_down = spec.hold_down;
  for (uint32_t doubled = 1; doubled < backend.flaps && hold_down < spec.hold_down_max && hold_down.count() > 0;
       ++doubled)
    hold_down = std::min(2 * hold_down, spec.hold_down_max);
  return hold_down;
}

}  // namespace warmswap::failover
