// Draining: a backend hands its seats over little by little until a deadline, and is disabled then. Internal to
// failover/; pure.
#pragma once

#include <optional>

#include "controlplane/failover/engine.h"

namespace warmswap::failover {

/// A drain goes by steps of 1/20, evenly in time. When the next one is, the end among them.
Nanoseconds next_drain_step(const Drain& drain, Nanoseconds now) noexcept;

/// Shares the seats of draining backends with those that will have them: the standby that would be chosen, as a guest,
/// in pools that have standbys; else all the others. Which of the two follows from the configuration alone, so that a
/// failure during a drain moves nobody else's slots.
void hand_over(const config::PoolConfig& spec, PoolState& pool, Nanoseconds now);

}  // namespace warmswap::failover
