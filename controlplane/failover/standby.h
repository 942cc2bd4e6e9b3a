// Which standby for which seat. Internal to failover/; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/failover/state.h"

namespace warmswap::failover {

struct Choice {
  uint32_t standby = 0;
  uint16_t part = kWhole;  // of the seat's slots that fit into its capacity
  bool warmed = true;
};

struct Wish {
  std::optional<uint32_t> lost;  // who held the seat until now
  std::string avoid;             // a failure domain that is out of the question; empty = none
  bool whole = false;            // only those with room for the whole seat
};

/// Whether a backend of this role must be warmed up by simulated load before it counts as warm.
inline bool asks_for_warm_up(const config::PoolConfig& spec, Role role) noexcept {
  return role == Role::warm && spec.warm.rate > 0;
}

/// How much of a seat fits into what the standby may still take, in kWhole-ths; 0 = it has no room. `held`: the weight
/// it holds already, if it is `busy`.
uint16_t room_for(const config::PoolConfig& spec, uint32_t standby, uint32_t seat_owner, bool busy, uint64_t held);

/// The standby takes the seat, by degrees where the pool has a promotion ramp.
void promote(const config::PoolConfig& spec, SeatState& seat, const Choice& choice, Nanoseconds now);

/// First choices, computed from the configuration alone so that seats which fail one by one do not reach for the same
/// standby: an explicit `standby` is the first choice of its hot backend; the others, in canonical order, get the
/// standby of another domain with the fewest seats, and of equals the next one after their own place (hot i: warm i mod
/// M).
class Pairing {
 public:
  explicit Pairing(const config::PoolConfig& spec);

  /// The best healthy standby with room for the seat, or nullopt. In order of importance:
  ///  1. it is warmed up;
  ///  2. the explicit standby, unless its last signal was bad;
  ///  3. another failure domain than the owner's; then another than that of `lost`;
  ///  4. the last signal was not bad;
  ///  5. there is room for the whole seat; then it holds no other;
  ///  6. the seat's first choice; then the one that is the first choice of the fewest others; then the next in order.
  std::optional<Choice> best(const PoolState& pool, uint32_t seat, const Wish& wish) const;

  /// Empty where the pool has no standby.
  std::optional<uint32_t> first_choice(uint32_t seat) const;

 private:
  struct FirstChoice {
    uint32_t place = 0;  // in warm_
    bool explicitly = false;
  };
  bool same_domain(uint32_t a, uint32_t b) const;

  const config::PoolConfig& spec_;
  std::vector<uint32_t> warm_;        // indices of the warm backends
  std::vector<uint32_t> claims_;      // by place in warm_: how many seats have it as first choice
  std::vector<FirstChoice> choices_;  // by seat
};

}  // namespace warmswap::failover
