// Departures that are given up because they are overdue, and by whose fault. One that fell due while the device took no
// packets would have left in time: the device refused it, as a full queue of whatever is tested does. Any other waited
// for the thread that sends: it was skipped, and says nothing about what is tested. One thread; times are of the clock
// of the source.
#pragma once

#include <algorithm>
#include <cstdint>

#include "perf/gen/packet_source.h"

namespace warmswap::gen {

class Overdue {
 public:
  /// The device has just taken fewer packets than it was given.
  void refusal(uint64_t now) noexcept {
    if (!behind_) refusing_since_ = now;
    behind_ = true;
    refusing_until_ = now;
  }
  /// Nothing is due: what refusals delayed has left.
  void caught_up() noexcept { behind_ = false; }
  /// Gives up all departures of `source` that are due before `before`.
  void give_up(PacketSource& source, uint64_t before) noexcept {
    if (behind_) {
      skipped_ += source.skip_to(std::min(before, refusing_since_));
      refused_ += source.skip_to(std::min(before, refusing_until_));
    }
    skipped_ += source.skip_to(before);
  }
  /// Packets that the device had not taken when the time was over.
  void left_over(uint64_t packets) noexcept { refused_ += packets; }

  uint64_t refused() const noexcept { return refused_; }
  uint64_t skipped() const noexcept { return skipped_; }

 private:
  bool behind_ = false;  // some departure is late because the device refused
  uint64_t refusing_since_ = 0;
  uint64_t refusing_until_ = 0;
  uint64_t refused_ = 0;
  uint64_t skipped_ = 0;
};

}  // namespace warmswap::gen
