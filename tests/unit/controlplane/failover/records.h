// A PoolState as it would be written to shared memory.
#pragma once

#include <vector>

#include "controlplane/failover/engine.h"

namespace warmswap::failover {

inline std::vector<AdoptedBackend> records_of(const PoolState& pool) {
  std::vector<AdoptedBackend> records;
  for (const BackendState& backend : pool.backends) {
    records.push_back({backend.name,
                       backend.state,
                       backend.admin,
                       backend.held,
                       backend.failures,
                       backend.flaps,
                       backend.failed_at,
                       backend.since,
                       {},
                       0,
                       backend.drain});
  }
  for (const SeatState& seat : pool.seats) {
    if (seat.holder) records[*seat.holder].seats.push_back(pool.backends[seat.owner].name);
    if (seat.guest == seat.owner) records[seat.owner].returned = seat.guest_share;
  }
  return records;
}

}  // namespace warmswap::failover
