#include "controlplane/model.h"

namespace warmswap::controlplane {

std::vector<std::string> holders_of(const failover::PoolState& state) {
  std::vector<std::string> holders;
  for (const failover::SeatState& seat : state.seats) {
    holders.push_back(seat.holder ? state.backends[*seat.holder].name : std::string());
  }
  return holders;
}

bool refresh_ring(const config::PoolConfig& config, PoolModel& pool) {
  std::vector<table::OwnedSeat> seats;
  std::vector<bool> dead;
  for (const failover::SeatAssignment& seat : failover::assignment(config, pool.state)) {
    seats.push_back({config.backends[seat.owner].name, seat.weight});
    dead.push_back(!seat.holder.has_value());
  }
  if (pool.ring->matches(config.ring_size, seats, dead)) return false;
  pool.ring = std::make_shared<const table::PoolRing>(*pool.ring, config.ring_size, std::move(seats), std::move(dead));
  return true;
}

}  // namespace warmswap::controlplane
