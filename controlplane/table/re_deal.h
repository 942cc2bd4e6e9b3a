// Dealing the slots of closed seats to the open ones. A pure function of (base ring, seats, how far each is open): it
// does not matter in what order they closed, so balancers that see the same states make the same ring without talking.
// Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "controlplane/table/opening.h"
#include "controlplane/table/ring.h"

namespace warmswap::table {

/// `base` with each slot that its seat does not serve given to a seat of weight above zero that takes it, or to kNoSeat
/// when nobody serves. Each seat serves, takes surplus and inherits orphans as its opening says, by the places
/// (opening.h) of the slots with it.
///
/// Each slot of a seat has a fixed *heir* among the other configured seats, and after the heir a fixed order of all
/// seats: weighted rendezvous for that slot, by weight x inherit for orphans and by weight for surplus. The first one
/// that serves and takes it gets the slot. Hence
///  - no slot moves that its seat goes on serving;
///  - a seat that closes or opens moves only the slots it has while it is open, whatever else is closed; with
///    everything open the result is `base`;
///  - a seat opened by degrees gains slots and loses none;
///  - orphans go to the others in proportion to weight x inherit;
///  - surplus goes to those that accept it, and to one that accepts part of it to at most that part of what is in
///    proportion to its weight;
///  - heirs are chosen by rendezvous too, but up to exact shares, so one failure spreads over the others as evenly as
///    whole slots allow; further ones spread by rendezvous, within a few slots.
/// Where nobody takes a slot, the first that serves at all gets it: only orphans that are not `dealt` are dropped.
///
/// `seats` are those the ring was made from, in the same numbering; `openings` has their size.
/// Throws std::invalid_argument when the sizes differ or the ring names a seat that is not there.
Ring re_deal(std::span<const uint16_t> base, std::span<const RingSeat> seats, std::span<const Opening> openings);

}  // namespace warmswap::table
