// Takes what arrives on one receive queue and has it checked. Everything runs on the lcore that calls poll().
#pragma once

#include <cstdint>
#include <vector>

#include "perf/gen/checker.h"

namespace warmswap::gen {

class Receiver {
 public:
  Receiver(uint16_t port, Checker& checker);

  /// Takes at most one burst; returns how many frames.
  uint16_t poll() noexcept;
  /// Throws away what waits in the queue from before, within bounds. Returns how many frames.
  uint64_t drain() noexcept;

 private:
  uint16_t port_;
  Checker& checker_;
  std::vector<uint8_t> joined_;  // frames that came in several pieces, one place for each of a burst
};

}  // namespace warmswap::gen
