// Which standby for which seat. Internal to failover/; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "controlplane/failover/state.h"

namespace warmswap::failover {

/// First choices, computed from the configuration alone so that seats which fail one by one do not reach for the same
/// standby: an explicit `standby` is the first choice of its hot backend; the others, in canonical order, get the
/// standby of another domain with the fewest seats, and of equals the next one after their own place (hot i: warm i mod
/// M).
class Pairing {
 public:
  explicit Pairing(const config::PoolConfig& spec);

  /// The best ready standby that holds no seat, or nullopt. In order of importance:
  ///  1. the explicit standby, unless its last probe was bad;
  ///  2. another failure domain than the owner's; then another than that of `lost`, who held the seat until now;
  ///  3. the last probe was not bad;
  ///  4. the seat's first choice; then the one that is the first choice of the fewest others; then the next in order.
  std::optional<uint32_t> best(const PoolState& pool, uint32_t seat, std::optional<uint32_t> lost) const;

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
