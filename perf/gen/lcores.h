// What runs on the lcores during a run: loops over a transmitter, a receiver, or both in turn.
#pragma once

#include <atomic>
#include <cstdint>

#include "perf/gen/checker.h"
#include "perf/gen/receiver.h"
#include "perf/gen/transmitter.h"

namespace warmswap::gen {

/// What the lcores share. The main thread makes and destroys it while they are not running.
struct Lcores {
  Transmitter& transmitter;
  Receiver* receiver;  // nullptr = transmit only
  const Checker& checker;
  uint64_t drain_ticks;
  std::atomic<bool> transmitting{true};
  std::atomic<bool> receiving{true};
  std::atomic<uint64_t> waited_ns{0};  // the most that one of the lcores was kept waiting for its CPU

  /// Whether waiting for more makes no sense.
  bool complete(uint64_t now) const noexcept {
    return checker.received() >= transmitter.transmitted() || now > transmitter.end() + drain_ticks;
  }
};

// For rte_eal_remote_launch; the argument is an Lcores. They return when `transmitting` or `receiving` is false.
int transmit_loop(void* lcores);
int receive_loop(void* lcores);
int both_loop(void* lcores);

}  // namespace warmswap::gen
