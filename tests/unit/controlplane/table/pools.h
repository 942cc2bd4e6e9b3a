// Random pools for property tests: the seed is the only input, so a failure can be repeated.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "controlplane/table/pool_ring.h"
#include "controlplane/table/re_deal.h"

namespace warmswap::table {

/// Slots of a pool that says nothing of them.
inline constexpr uint32_t kDefaultSize = 65537;

/// Owns the names that its seats view; move-only for that reason.
struct Pool {
  std::vector<std::string> names;
  std::vector<RingSeat> seats;

  Pool() = default;
  Pool(Pool&&) = default;
  Pool& operator=(Pool&&) = default;
};

inline Pool pool_of(const std::string& prefix, const std::vector<uint32_t>& weights) {
  Pool pool;
  for (size_t i = 0; i < weights.size(); ++i) pool.names.push_back(prefix + std::to_string(1000 + i));
  for (size_t i = 0; i < weights.size(); ++i) pool.seats.push_back({pool.names[i], weights[i]});
  return pool;
}

inline Pool equal_pool(const std::string& prefix, size_t seats) {
  return pool_of(prefix, std::vector<uint32_t>(seats, 100));
}

/// 1..300 seats; weights all equal, small, over the whole range, or with many zeros.
inline Pool random_pool(std::mt19937_64& random) {
  const size_t seats = 1 + random() % 300;
  const uint64_t kind = random() % 4;
  std::vector<uint32_t> weights(seats);
  for (uint32_t& weight : weights) {
    if (kind == 0) weight = 100;
    if (kind == 1) weight = static_cast<uint32_t>(1 + random() % 10);
    if (kind == 2) weight = static_cast<uint32_t>(random() % 65536);
    if (kind == 3) weight = random() % 3 == 0 ? static_cast<uint32_t>(random() % 1000) : 0;
  }
  return pool_of("pool" + std::to_string(random() % 1000) + "-", weights);
}

inline uint32_t random_ring_size(std::mt19937_64& random) {
  constexpr uint32_t kSizes[] = {2, 3, 251, 1009, 4093, 65537};
  return kSizes[random() % std::size(kSizes)];
}

inline std::vector<bool> random_dead(std::mt19937_64& random, size_t seats) {
  const uint64_t percent = random() % 101;
  std::vector<bool> dead(seats);
  for (size_t i = 0; i < seats; ++i) dead[i] = random() % 100 < percent;
  return dead;
}

inline std::vector<Opening> openings_of(const std::vector<bool>& dead) {
  std::vector<Opening> openings;
  openings.reserve(dead.size());
  for (const bool is_dead : dead) openings.push_back(is_dead ? Opening::closed() : Opening{});
  return openings;
}

inline Ring re_deal(std::span<const uint16_t> base, std::span<const RingSeat> seats, const std::vector<bool>& dead) {
  return re_deal(base, seats, openings_of(dead));
}

/// Largest share over the average share of those that may have slots.
inline double share_error(std::span<const uint16_t> ring, size_t all_seats, size_t live_seats) {
  const std::vector<uint32_t> slots = slots_per_seat(ring, all_seats);
  const double average = static_cast<double>(ring.size()) / static_cast<double>(live_seats);
  return *std::max_element(slots.begin(), slots.end()) / average;
}

}  // namespace warmswap::table
