// Self-suspicion: when most backends turn bad together, this host or its way to them is the likelier culprit. Internal
// to failover/; pure.
#pragma once

#include "controlplane/failover/state.h"

namespace warmswap::failover {

/// With fewer there is no "most".
inline constexpr uint32_t kLeastToDoubt = 3;

/// Bad signals enough to be found failed, if this host is to be believed.
bool due(const config::PoolConfig& spec, uint32_t index, const BackendState& backend) noexcept;

/// True while nobody may be found failed. Begins, ends and times the doubt in `pool`.
bool doubting(const config::PoolConfig& spec, PoolState& pool, Nanoseconds now) noexcept;

}  // namespace warmswap::failover
