#include "controlplane/failover/doubt.h"

#include <algorithm>

#include "controlplane/failover/seats.h"

namespace warmswap::failover {

bool due(const config::PoolConfig& spec, uint32_t index, const BackendState& backend) noexcept {
  const std::optional<config::ProbeConfig>& own = spec.backends[index].probe;
  const config::ProbeConfig& probe = own ? *own : spec.probe;
  return backend.beats == Beats::lost || backend.bad_streak >= std::max(probe.fall, 1u);
}

bool doubting(const config::PoolConfig& spec, PoolState& pool, Nanoseconds now) noexcept {
  // Those found failed before are not witnesses: they failed alone.
  uint64_t working = 0, bad = 0;
  bool any_due = false;
  for (uint32_t i = 0; i < pool.backends.size(); ++i) {
    const BackendState& backend = pool.backends[i];
    if (backend.admin == Admin::disabled || backend.health != Health::up) continue;
    ++working;
    bad += clean(backend) ? 0 : 1;
    any_due = any_due || due(spec, i, backend);
  }
  const bool possible = spec.guard.self_suspicion > 0 && working >= kLeastToDoubt;
  const bool most = possible && bad * 100 >= working * spec.guard.self_suspicion;
  if (most) {
    if (!pool.doubt_until) pool.doubt_until = now + spec.guard.self_suspicion_hold;
  } else if (!possible || !any_due || (pool.doubt_until && now >= *pool.doubt_until)) {
    // Not while somebody would be found failed by what was seen in doubt: signals come back one after the other.
    pool.doubt_until.reset();
  }
  return pool.doubt_until && now < *pool.doubt_until;
}

}  // namespace warmswap::failover
