// Dealing a dead seat's slots to the living. A pure function of (base ring, seats, which are dead): it does not matter
// in what order they died, so balancers that see the same states make the same ring without talking. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "controlplane/table/ring.h"

namespace warmswap::table {

/// `base` with each slot of a dead seat given to a live seat of weight above zero, or to kNoSeat when there is none.
///
/// Each slot of a seat has a fixed *heir* among the other configured seats, and after the heir a fixed order of all
/// seats: weighted rendezvous for that slot. The first live one gets the slot. Hence
///  - no slot of a live seat moves;
///  - a seat that dies or comes back moves only the slots it has while it is alive, whatever else is dead; with
///    nobody dead the result is `base`;
///  - heirs are chosen by rendezvous too, but up to exact shares, so one failure spreads over the others as evenly as
///    whole slots allow; further ones spread by rendezvous, within a few slots.
///
/// `seats` are those the ring was made from, in the same numbering; `dead` has their size.
/// Throws std::invalid_argument when the sizes differ or the ring names a seat that is not there.
Ring re_deal(std::span<const uint16_t> base, std::span<const RingSeat> seats, const std::vector<bool>& dead);

}  // namespace warmswap::table
