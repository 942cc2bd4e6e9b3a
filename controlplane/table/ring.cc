#include "controlplane/table/ring.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>

#include "controlplane/table/share_out.h"

namespace warmswap::table {
namespace {

void check(uint32_t ring_size, std::span<const RingSeat> seats) {
  if (ring_size < contract::kMinRingSize || ring_size > contract::kMaxRingSize) {
    throw std::invalid_argument("a ring of " + std::to_string(ring_size) + " slots was asked for; expected " +
                                std::to_string(contract::kMinRingSize) + " to " +
                                std::to_string(contract::kMaxRingSize));
  }
  if (seats.size() >= kNoSeat) {
    throw std::invalid_argument("a ring of " + std::to_string(seats.size()) +
                                " seats was asked for; expected at most " + std::to_string(kNoSeat - 1));
  }
  for (const RingSeat& seat : seats) {
    if (seat.weight > kMaxWeight) {
      throw std::invalid_argument("seat " + std::string(seat.name) + " has weight " + std::to_string(seat.weight) +
                                  "; expected at most " + std::to_string(kMaxWeight));
    }
  }
}

/// A seat's way through the ring: its preference list, walked once and never turned back.
struct Walk {
  uint32_t at;
  uint32_t skip;
};

Walk walk_of(std::string_view name, uint32_t ring_size) {
  const uint64_t hash = contract::sip_hash(kRingKey, name.data(), name.size());
  const uint32_t low = static_cast<uint32_t>(hash);
  Walk walk{contract::ring_slot(hash, ring_size), 1 + static_cast<uint32_t>((uint64_t{low} * (ring_size - 1)) >> 32)};
  // Only a skip without a common divisor visits every slot; with a prime size that is all of them.
  while (std::gcd(walk.skip, ring_size) != 1) ++walk.skip;
  return walk;
}

/// The order in which seats (as canonical ranks) take a slot each. The k-th turn of a seat comes at (k + 1/2) / weight,
/// scaled so that all turns fill [0, ring_size), and times are rounded down and ties go by rank. The times depend on
/// weights, not on shares, so that a change of one seat leaves the others' order among themselves almost as it was.
std::vector<uint16_t> turns(uint32_t ring_size, std::span<const uint32_t> weights, std::span<const uint32_t> shares) {
  const uint64_t sum = std::accumulate(weights.begin(), weights.end(), uint64_t{0});
  const auto time = [&](size_t seat, uint32_t k) {
    return std::min(static_cast<uint32_t>((2 * uint64_t{k} + 1) * sum / (2 * uint64_t{weights[seat]})), ring_size - 1);
  };
  std::vector<uint32_t> place(size_t{ring_size} + 1, 0);
  for (size_t seat = 0; seat < shares.size(); ++seat) {
    for (uint32_t k = 0; k < shares[seat]; ++k) ++place[time(seat, k) + 1];
  }
  std::partial_sum(place.begin(), place.end(), place.begin());
  std::vector<uint16_t> order(ring_size);
  for (size_t seat = 0; seat < shares.size(); ++seat) {
    for (uint32_t k = 0; k < shares[seat]; ++k) order[place[time(seat, k)]++] = static_cast<uint16_t>(seat);
  }
  return order;
}

}  // namespace

std::vector<uint16_t> canonical_order(std::span<const RingSeat> seats) {
  std::vector<uint16_t> order(seats.size());
  std::iota(order.begin(), order.end(), uint16_t{0});
  std::sort(order.begin(), order.end(), [&](uint16_t a, uint16_t b) { return seats[a].name < seats[b].name; });
  return order;
}

Ring base_ring(uint32_t ring_size, std::span<const RingSeat> seats) {
  check(ring_size, seats);
  const std::vector<uint16_t> canonical = canonical_order(seats);
  std::vector<uint32_t> weights;
  std::vector<Walk> walks;
  weights.reserve(seats.size());
  walks.reserve(seats.size());
  for (const uint16_t seat : canonical) {
    weights.push_back(seats[seat].weight);
    walks.push_back(walk_of(seats[seat].name, ring_size));
  }
  std::vector<uint64_t> ranks(seats.size());
  std::iota(ranks.begin(), ranks.end(), uint64_t{0});
  const std::vector<uint32_t> shares = share_out(ring_size, weights, ranks);

  Ring ring(ring_size, kNoSeat);
  if (std::all_of(weights.begin(), weights.end(), [](uint32_t weight) { return weight == 0; })) return ring;
  // One bit per slot: the taken-map of the default ring is 8 KiB and stays in the first-level cache, the ring does not.
  std::vector<uint64_t> taken((size_t{ring_size} + 63) / 64, 0);
  for (const uint16_t rank : turns(ring_size, weights, shares)) {
    Walk& walk = walks[rank];
    while ((taken[walk.at / 64] >> (walk.at % 64)) & 1) {
      walk.at += walk.skip;
      if (walk.at >= ring_size) walk.at -= ring_size;
    }
    taken[walk.at / 64] |= uint64_t{1} << (walk.at % 64);
    ring[walk.at] = canonical[rank];
  }
  return ring;
}

std::vector<uint32_t> slots_per_seat(std::span<const uint16_t> ring, size_t seat_count) {
  std::vector<uint32_t> slots(seat_count, 0);
  for (const uint16_t seat : ring) {
    if (seat != kNoSeat) ++slots.at(seat);
  }
  return slots;
}

Ring renumbered(std::span<const uint16_t> ring, std::span<const uint16_t> new_index) {
  Ring result(ring.begin(), ring.end());
  for (uint16_t& seat : result) {
    if (seat != kNoSeat) seat = new_index[seat];
  }
  return result;
}

SlotsMoved slots_moved(std::span<const uint16_t> before, std::span<const uint16_t> after,
                       const std::vector<bool>& survives) {
  if (before.size() != after.size()) {
    throw std::invalid_argument("rings of " + std::to_string(before.size()) + " and " + std::to_string(after.size()) +
                                " slots were compared; expected equal sizes");
  }
  SlotsMoved moved;
  for (size_t slot = 0; slot < before.size(); ++slot) {
    if (before[slot] == after[slot]) continue;
    ++moved.total;
    if (before[slot] != kNoSeat && survives.at(before[slot])) ++moved.of_survivors;
  }
  return moved;
}

}  // namespace warmswap::table
