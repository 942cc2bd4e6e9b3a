// Maglev's table as the paper describes it, to compare ours with: Eisenbud et al., "Maglev: A Fast and Reliable
// Software Network Load Balancer" (NSDI'16), section 3.4. Pure functions; any thread. Nothing forwards by it.
#pragma once

#include <cstdint>
#include <span>

#include "controlplane/table/ring.h"

namespace warmswap::perf {

/// Backends in the order given take turns; a turn takes the next slot of the backend's permutation that is still free.
/// The paper leaves weights open ("altering the relative frequency of the backends' turns"); here a backend with the
/// k-th part of the largest weight has a turn in every k-th round, as in Envoy. `ring_size` must be prime. Backends of
/// weight 0 own nothing; when all are, or there is none, every slot is kNoSeat.
table::Ring plain_maglev(uint32_t ring_size, std::span<const table::RingSeat> backends);

}  // namespace warmswap::perf
