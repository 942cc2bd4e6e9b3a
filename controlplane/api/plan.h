// What a change does, or would do, in numbers an operator decides by: slots moved, shares, load against capacity, seats
// that change hands. Values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/config/config.h"

namespace warmswap::api {

/// A backend before and after; a share is a fraction of the pool's slots, a load what it carries in the unit of weight:
/// its share of the hot backends' weights together.
struct BackendPlan {
  std::string name;
  double share_before = 0;
  double share_after = 0;
  double load_before = 0;
  double load_after = 0;
  uint32_t capacity = 0;  // 0 = no limit

  friend bool operator==(const BackendPlan&, const BackendPlan&) = default;
};

/// A seat whose holder changes, or whose owner gets a part of it; "" = nobody, or no such seat.
struct SeatPlan {
  std::string owner;
  std::string before;
  std::string after;
  double owner_share = 0;  // of the seat that its owner has afterwards, 0..1

  friend bool operator==(const SeatPlan&, const SeatPlan&) = default;
};

struct PoolPlan {
  std::string pool;
  uint32_t ring_size = 0;
  uint32_t slots_moved = 0;
  uint32_t survivor_slots_moved = 0;
  uint32_t slots_without_backend_before = 0;
  uint32_t slots_without_backend_after = 0;
  double shed_before = 0;  // part of the pool's slots that is dropped for want of capacity, 0..1
  double shed_after = 0;
  std::vector<SeatPlan> seats;        // those that change
  std::vector<BackendPlan> backends;  // those whose share or load changes

  friend bool operator==(const PoolPlan&, const PoolPlan&) = default;
};

/// How a change is to be made.
struct ChangeOptions {
  bool dry_run = false;                               // say what would happen and change nothing
  bool force = false;                                 // beyond the pool's limits
  std::optional<config::Nanoseconds> confirm_within;  // roll it back unless it is confirmed in time

  friend bool operator==(const ChangeOptions&, const ChangeOptions&) = default;
};

}  // namespace warmswap::api
