// How far a seat is open, and for which of its slots. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "controlplane/table/rendezvous.h"
#include "dataplane/contract/layout.h"
#include "dataplane/contract/mix64.h"

namespace warmswap::table {

using contract::kWhole;

/// Who serves a seat's slots, in kWhole-ths of them, in the order of their places: its guest the first `guest`, its
/// holder the next `holder`. What is left below `planned` are orphans: somebody failed, or is not up to its share yet.
/// What is left above it is surplus that the plan gives to others for good, as to balance load. guest + holder <=
/// planned <= kWhole. `inherit` is what orphans are shared out by, so it should not depend on who lives; `inherits`
/// may.
struct Opening {
  uint16_t holder = kWhole;
  uint16_t guest = 0;
  uint16_t planned = kWhole;
  uint16_t accept = kWhole;   // the part it takes of the surplus that comes its way
  uint32_t inherit = kWhole;  // weight x inherit is its share of others' orphans...
  bool inherits = true;       // ...unless it takes none at present
  uint16_t dealt = kWhole;    // of its own orphans only those at places below are dealt to others; the rest is dropped

  /// Nobody sits there.
  static constexpr Opening closed() { return {.holder = 0}; }
  uint16_t served() const noexcept { return static_cast<uint16_t>(holder + guest); }
  friend bool operator==(const Opening&, const Opening&) = default;
};

/// The places of one seat's slots: each slot has one in 0..kWhole-1, as good as random, fixed for ever by the seat's
/// name and the slot's number. Parts that grow or shrink are therefore nested: 20 % of a seat are among its 40 %.
class Places {
 public:
  explicit Places(std::string_view seat) noexcept : seed_(contract::mix64(seat_seed(seat) ^ kPlaceConstant)) {}

  uint32_t of(uint32_t slot) const noexcept {
    return static_cast<uint32_t>(contract::mix64(seed_ + slot * kGolden) % kWhole);
  }

 private:
  static constexpr uint64_t kPlaceConstant = 0x316563616c702d77;  // "w-place1"
  static constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;         // SplitMix64's increment
  uint64_t seed_;
};

}  // namespace warmswap::table
