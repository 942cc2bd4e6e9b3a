// The governed way back of an owner into its seat: hold-down, drill's end, steps, retreat. Internal to failover/; pure.
#pragma once

#include <optional>
#include <vector>

#include "controlplane/failover/seats.h"

namespace warmswap::failover {

/// The owner sits down in its seat, which may be a standby's: at once, or with the first step of a failback.
void start_return(const config::PoolConfig& spec, SeatState& seat, Nanoseconds now) noexcept;

/// Owners on their way back that show one bad signal leave again, as long as somebody else serves. True when one did.
bool retreat(const config::PoolConfig& spec, PoolState& pool, std::vector<SeatNote>& notes);

/// Brings every ramp to where it is at `now`.
void advance_ramps(const config::PoolConfig& spec, PoolState& pool, Nanoseconds now, std::vector<SeatNote>& notes);

/// Owners whose time has come begin to return.
void return_owners(const config::PoolConfig& spec, PoolState& pool, Nanoseconds now, std::vector<SeatNote>& notes);

/// When this seat's owner begins to return by itself, if nothing happens before.
std::optional<Nanoseconds> next_return(const config::PoolConfig& spec, const PoolState& pool, const SeatState& seat);

}  // namespace warmswap::failover
