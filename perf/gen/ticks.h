// Durations in counts of the time-stamp counter. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>

namespace warmswap::gen {

inline uint64_t to_ticks(std::chrono::nanoseconds duration, double hz) noexcept {
  return static_cast<uint64_t>(std::chrono::duration<double>(duration).count() * hz);
}

}  // namespace warmswap::gen
