// When a target is probed: a grid with a phase of its own, and jitter around it. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "dataplane/contract/mix64.h"

namespace warmswap::health {

/// Starts lie at `anchor + phase(id) + k × interval + jitter(k)`, for k = 0, 1, …; |jitter| ≤ jitter_percent ×
/// interval.
class Cadence {
 public:
  using Clock = std::chrono::steady_clock;

  /// The first start is the caller's, at `first`; the grid takes over half an interval later or more.
  Cadence(uint64_t id, Clock::duration interval, uint32_t jitter_percent, Clock::time_point anchor,
          Clock::time_point first) noexcept
      : seed_(contract::mix64(id) ^ static_cast<uint64_t>(anchor.time_since_epoch().count())),
        interval_(interval),
        jitter_(interval / 100 * jitter_percent),
        base_(anchor + phase(id, interval) - interval),
        tick_((first + interval / 2 - base_) / interval) {}

  /// The next start, given that the last one is over: never before `now`, and after a long delay the grid's current
  /// place at once instead of all that were missed.
  Clock::time_point next(Clock::time_point now) noexcept {
    tick_ = std::max<int64_t>(tick_ + 1, (now - base_) / interval_);
    return std::max(now, base_ + tick_ * interval_ + jitter());
  }

  /// Multiples of the golden ratio fall into the largest gap left by the ones before, so consecutive ids spread evenly.
  static Clock::duration phase(uint64_t id, Clock::duration interval) noexcept {
    const uint64_t fraction = id * 0x9e3779b97f4a7c15u;  // of 2^64
    return Clock::duration(
        static_cast<int64_t>(static_cast<double>(fraction >> 11) * 0x1p-53 * static_cast<double>(interval.count())));
  }

 private:
  Clock::duration jitter() const noexcept {
    const int64_t range = 2 * jitter_.count() + 1;
    const uint64_t random = contract::mix64(seed_ + static_cast<uint64_t>(tick_) * 0x9e3779b97f4a7c15u);
    return Clock::duration(static_cast<int64_t>(random % static_cast<uint64_t>(range))) - jitter_;
  }

  uint64_t seed_;
  Clock::duration interval_;
  Clock::duration jitter_;
  Clock::time_point base_;
  int64_t tick_;
};

}  // namespace warmswap::health
