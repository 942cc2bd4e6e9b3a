#include "controlplane/model.h"

namespace warmswap::controlplane {

std::vector<std::optional<uint32_t>> sitters_of(const std::vector<failover::SeatState>& seats) {
  std::vector<std::optional<uint32_t>> sitters;
  sitters.reserve(seats.size());
  for (const failover::SeatState& seat : seats) sitters.push_back(seat.holder);
  for (const failover::SeatState& seat : seats) {
    if (seat.guest) sitters.push_back(seat.guest);
  }
  return sitters;
}

std::vector<std::string> sitter_names(const failover::PoolState& state, const std::vector<failover::SeatState>& seats) {
  std::vector<std::string> names;
  for (const std::optional<uint32_t>& sitter : sitters_of(seats)) {
    names.push_back(sitter ? state.backends[*sitter].name : std::string());
  }
  return names;
}

std::vector<std::string> sitter_names(const failover::PoolState& state) {
  return sitter_names(state, state.seats);
}

bool refresh_ring(const config::PoolConfig& config, PoolModel& pool) {
  std::vector<table::OwnedSeat> seats;
  std::vector<table::Opening> openings;
  for (const failover::SeatAssignment& seat : failover::assignment(config, pool.state)) {
    seats.push_back({config.backends[seat.owner].name, seat.weight});
    openings.push_back({.holder = seat.holder_share,
                        .guest = seat.guest_share,
                        .planned = seat.planned,
                        .accept = seat.accept,
                        .inherit = seat.inherit,
                        .inherits = seat.inherits,
                        .dealt = seat.dealt});
  }
  if (pool.ring->matches(config.ring_size, seats, openings)) return false;
  pool.ring =
      std::make_shared<const table::PoolRing>(*pool.ring, config.ring_size, std::move(seats), std::move(openings));
  return true;
}

}  // namespace warmswap::controlplane
