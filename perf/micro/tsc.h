// The time-stamp counter as a stop watch (Intel, "How to Benchmark Code Execution Times", 2010). Any thread; both
// readings on one processor, or on processors with synchronised counters (constant_tsc, nonstop_tsc).
#pragma once

#include <x86intrin.h>

#include <chrono>
#include <cstdint>

namespace warmswap::perf {

/// Before what is timed: nothing of it starts earlier.
inline uint64_t tsc_begin() noexcept {
  _mm_lfence();
  const uint64_t now = __rdtsc();
  _mm_lfence();
  return now;
}

/// After what is timed: all of it has ended.
inline uint64_t tsc_end() noexcept {
  unsigned processor;
  const uint64_t now = __rdtscp(&processor);
  _mm_lfence();
  return now;
}

/// Counts a second, measured once against the monotonic clock over 50 ms.
inline double tsc_hz() {
  static const double hz = [] {
    const auto wall = std::chrono::steady_clock::now();
    const uint64_t begin = __rdtsc();
    auto passed = std::chrono::steady_clock::duration::zero();
    while (passed < std::chrono::milliseconds(50)) passed = std::chrono::steady_clock::now() - wall;
    return static_cast<double>(__rdtsc() - begin) / std::chrono::duration<double>(passed).count();
  }();
  return hz;
}

}  // namespace warmswap::perf
