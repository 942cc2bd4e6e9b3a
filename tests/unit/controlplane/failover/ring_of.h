// The ring that the table makes of a pool's seats.
#pragma once

#include "controlplane/failover/engine.h"
#include "controlplane/table/pool_ring.h"

namespace warmswap::failover {

inline table::PoolRing ring_of(const config::PoolConfig& spec, const PoolState& state, uint32_t size) {
  std::vector<table::OwnedSeat> seats;
  std::vector<table::Opening> openings;
  for (const SeatAssignment& seat : assignment(spec, state)) {
    seats.push_back({spec.backends[seat.owner].name, seat.weight});
    openings.push_back({.holder = seat.holder_share,
                        .guest = seat.guest_share,
                        .planned = seat.planned,
                        .accept = seat.accept,
                        .inherit = seat.inherit,
                        .inherits = seat.inherits,
                        .dealt = seat.dealt});
  }
  return {{}, size, std::move(seats), std::move(openings)};
}

}  // namespace warmswap::failover
