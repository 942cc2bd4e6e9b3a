#include "controlplane/failover/flap.h"

#include <algorithm>

namespace warmswap::failover {

void count_failure(const config::PoolConfig& spec, BackendState& backend, Nanoseconds now) noexcept {
  const Nanoseconds half_life = std::max(spec.flap_half_life, Nanoseconds(1));
  const auto calmed = static_cast<uint64_t>((now - backend.failed_at) / half_life);
  backend.flaps -= static_cast<uint32_t>(std::min<uint64_t>(backend.flaps, calmed));
  ++backend.flaps;
  backend.failed_at = now;
  ++backend.failures;
}

void forgive(BackendState& backend) noexcept {
  backend.flaps = 0;
}

Nanoseconds hold_down_of(const config::PoolConfig& spec, const BackendState& backend) noexcept {
  Nanoseconds hold_down = spec.hold_down;
  for (uint32_t doubled = 1; doubled < backend.flaps && hold_down < spec.hold_down_max && hold_down.count() > 0;
       ++doubled)
    hold_down = std::min(2 * hold_down, spec.hold_down_max);
  return hold_down;
}

}  // namespace warmswap::failover
