// How long a backend that fails again and again waits before it gets its seat back. Internal to failover/; pure.
//
// Doubling with each failure, up to a bound, as route-flap damping does (RFC 2439), but with whole steps: each
// flap_half_life that passed between two failures takes one doubling back. The step is fixed at the failure, so that a
// hold-down under way does not change its length.
#pragma once

#include "controlplane/config/config.h"
#include "controlplane/failover/state.h"

namespace warmswap::failover {

/// The backend has just been found failed.
void count_failure(const config::PoolConfig& spec, BackendState& backend, Nanoseconds now) noexcept;

/// The backend is out from now on for as long as the times of late say.
void eject(const config::PoolConfig& spec, BackendState& backend, Nanoseconds now) noexcept;

/// A command vouches for the backend: its next hold-down is the plain one, and nothing keeps it out.
void forgive(BackendState& backend) noexcept;

/// What it must be healthy for before its seat comes back by itself.
Nanoseconds hold_down_of(const config::PoolConfig& spec, const BackendState& backend) noexcept;

}  // namespace warmswap::failover
