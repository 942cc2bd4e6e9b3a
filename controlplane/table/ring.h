// The base ring: which seat owns which slot while everything works. Pure functions of their arguments; any thread.
//
// Source: Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer" (NSDI'16), section 3.4, with
// two changes: weights decide how often a seat has a turn, and each seat stops at its exact share of the slots
// (share_out.h). docs/decisions/0003-base-ring-and-re-deal.md has the reasons and the figures.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "dataplane/contract/flow_hash.h"
#include "dataplane/contract/layout.h"

namespace warmswap::table {

using contract::kNoSeat;

/// ring[slot] is an index into the seats it was made from, or kNoSeat.
using Ring = std::vector<uint16_t>;

/// One configured seat: the name of the hot backend that owns it, and its weight. Names are unique within a pool.
struct RingSeat {
  std::string_view name;
  uint32_t weight = 0;  // 0..65535; 0 owns no slot
};

/// Places names on rings. A published constant, not the fleet's secret: a ring is chosen by the operator's names, not
/// by clients, and exact shares leave crafted names nothing to win; what must stay unpredictable is the way from a flow
/// to its slot, and that has the secret. So a ring can be recomputed from a bug report, and a new secret moves no slot.
inline constexpr contract::HashKey kRingKey{0x706177736d726177, 0x00317620676e6972};  // "warmswap", "ring v1\0"

inline constexpr uint32_t kMaxWeight = 65535;

/// The base ring over all configured seats, live or not. The same slots go to the same names in whatever order the
/// seats are listed. All weights zero (or no seat): every slot is kNoSeat.
/// Throws std::invalid_argument for what the configuration check should have refused: a ring size outside
/// [kMinRingSize, kMaxRingSize], 65535 seats or more, a weight above kMaxWeight. A prime ring size spreads best; any
/// other is filled all the same.
Ring base_ring(uint32_t ring_size, std::span<const RingSeat> seats);

/// Indices of `seats` in canonical (name) order.
std::vector<uint16_t> canonical_order(std::span<const RingSeat> seats);

/// How many slots each of `seat_count` seats has.
std::vector<uint32_t> slots_per_seat(std::span<const uint16_t> ring, size_t seat_count);

/// The ring with seat s renamed new_index[s] (kNoSeat = the seat is gone), to compare rings across a configuration
/// change.
Ring renumbered(std::span<const uint16_t> ring, std::span<const uint16_t> new_index);

struct SlotsMoved {
  uint32_t total = 0;
  uint32_t of_survivors = 0;  // taken from a seat that lives on: 0 on any failure
};

/// Compares two rings of one size and one numbering of seats. `survives[s]`: seat s is alive after the change.
SlotsMoved slots_moved(std::span<const uint16_t> before, std::span<const uint16_t> after,
                       const std::vector<bool>& survives);

}  // namespace warmswap::table
