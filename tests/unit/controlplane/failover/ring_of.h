// The ring that the control plane makes of a pool's seats.
#pragma once

#include "controlplane/model.h"

namespace warmswap::failover {

inline table::PoolRing ring_of(config::PoolConfig spec, const PoolState& state, uint32_t size) {
  spec.ring_size = size;
  controlplane::PoolModel pool{.state = state};
  controlplane::refresh_ring(spec, pool);
  return *pool.ring;
}

}  // namespace warmswap::failover
