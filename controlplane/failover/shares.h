// How far each seat is open, and who of its sitters serves how much: from ramps, load and capacity to the shares the
// table is made with. Internal to failover/, but for assignment() in engine.h; pure integer arithmetic, so that all
// balancers of a fleet come to the same shares.
#pragma once

#include <optional>

#include "controlplane/failover/engine.h"

namespace warmswap::failover {

/// A ramp's share moves in steps of 1/20 of the seat, so that a ramp is at most 20 publishes.
inline constexpr uint32_t kRampSteps = 20;

/// What the seat's ramp gives at `now`, in kWhole-ths; kWhole when the ramp is over.
uint16_t ramp_share(const config::PoolConfig& spec, const SeatState& seat, Nanoseconds now);

/// When ramp_share() next changes; nullopt when it never will.
std::optional<Nanoseconds> next_ramp_step(const config::PoolConfig& spec, const SeatState& seat, Nanoseconds now);

/// What a standby serves of the seat it would take first, in kWhole-ths.
uint16_t trickle_share(const config::PoolConfig& spec);

/// Whether more is left over than those who inherit it have capacity for.
bool beyond_capacity(const config::PoolConfig& spec, const PoolState& pool);

/// By backend: weight of all seats it holds.
std::vector<uint64_t> weight_held(const config::PoolConfig& spec, const PoolState& pool);

}  // namespace warmswap::failover
