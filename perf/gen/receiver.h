// Takes what arrives on one receive queue and has it checked. Everything runs on the lcore that calls poll().
#pragma once

#include <cstdint>
#include <vector>

#include "perf/gen/checker.h"

namespace warmswap::gen {

class Receiver {
 public:
  /// `descriptors` of the port's receive queue: how far behind it may be before the device has no room.
  Receiver(uint16_t port, uint16_t descriptors, Checker& checker);

  /// Takes at most one burst; returns how many frames.
  uint16_t poll() noexcept;
  /// Throws away what waits in the queue from before, within bounds. Returns how many frames.
  uint64_t drain() noexcept;
  /// How often it found a whole queue waiting: what came after that may have been lost, without the device's saying so.
  uint64_t overruns() const noexcept { return overruns_; }

 private:
  void watch_backlog(uint16_t count) noexcept;

  uint16_t port_;
  uint32_t descriptors_;
  Checker& checker_;
  uint32_t waiting_ = 0;  // frames taken in full bursts, one right after the other
  uint64_t overruns_ = 0;
  std::vector<uint8_t> joined_;  // frames that came in several pieces, one place for each of a burst
};

}  // namespace warmswap::gen
