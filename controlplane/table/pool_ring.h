// The ring of one pool in the present state of its seats. A value; immutable where it is shared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "controlplane/table/opening.h"
#include "controlplane/table/ring.h"

namespace warmswap::table {

/// A seat as the ring sees it: its owner's name and weight.
struct OwnedSeat {
  std::string name;
  uint32_t weight = 0;
  friend bool operator==(const OwnedSeat&, const OwnedSeat&) = default;
};

class PoolRing {
 public:
  PoolRing() = default;
  /// `openings[s]`: how seat s is shared out between its holder, its guest and, for the rest, the other seats. Takes
  /// what is still right from `before`.
  PoolRing(const PoolRing& before, uint32_t ring_size, std::vector<OwnedSeat> seats, std::vector<Opening> openings);

  /// Whether the ring is the one for these arguments, so that it can be shared with the snapshot before.
  bool matches(uint32_t ring_size, const std::vector<OwnedSeat>& seats,
               const std::vector<Opening>& openings) const noexcept;

  /// ring()[slot] is the number of a record: record s of seat s for its holder, and behind those one for each seat with
  /// a guest, in the order of the seats.
  const Ring& ring() const noexcept { return ring_; }
  const std::vector<OwnedSeat>& seats() const noexcept { return seats_; }
  const std::vector<Opening>& openings() const noexcept { return openings_; }
  /// The seat of each record.
  const std::vector<uint16_t>& records() const noexcept { return records_; }
  bool is_guest(size_t record) const noexcept { return record >= seats_.size(); }
  /// Slots per record, and slots with no seat at all.
  const std::vector<uint32_t>& slots() const noexcept { return slots_; }
  uint32_t slots_without_seat() const noexcept;

 private:
  void seat_guests();

  std::vector<OwnedSeat> seats_;
  std::vector<Opening> openings_;
  std::vector<uint16_t> records_;
  Ring base_;
  Ring ring_;
  std::vector<uint32_t> slots_;
};

/// A ring together with the name of who sits at each record ("" = nobody), as one moment's answer to "who has which
/// slot".
struct Holding {
  const PoolRing& ring;
  const std::vector<std::string>& holders;
};

/// Slots whose backend changed, and how many of them were taken from a backend that went on holding the same seat.
/// Rings of different sizes have nothing in common: every slot counts as moved.
SlotsMoved slots_moved(const Holding& before, const Holding& after);

}  // namespace warmswap::table
