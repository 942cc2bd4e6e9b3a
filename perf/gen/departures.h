// When the packets of the streams are due. Open loop: the n-th departure of a stream is its start plus n intervals,
// whatever happened to the ones before. Times are counts of a clock with a known frequency (the TSC). One thread;
// allocation-free after construction.
#pragma once

#include <cstdint>
#include <vector>

namespace warmswap::gen {

/// Evenly spaced departures; the interval has 32 bits behind the point, so a rate is met within 10^-9.
class DepartureClock {
 public:
  /// `rate` > 0 departures a second of a clock of `hz`. The first is due at `start`.
  DepartureClock(uint64_t start, double rate, double hz) noexcept;

  uint64_t next() const noexcept { return next_; }
  void advance() noexcept {
    const uint64_t sum = uint64_t{fraction_} + interval_fraction_;
    fraction_ = static_cast<uint32_t>(sum);
    next_ += interval_ + (sum >> 32);
  }
  /// Leaves out every departure before `time`; returns how many.
  uint64_t skip_to(uint64_t time) noexcept;

 private:
  uint64_t next_;
  uint64_t interval_;
  uint32_t interval_fraction_;
  uint32_t fraction_ = 0;
};

/// The departures of several streams in the order of their times.
class Departures {
 public:
  /// `rates` in departures a second. Streams start at different fractions of their interval, so that equal
  /// ones do not leave together.
  Departures(uint64_t start, const std::vector<double>& rates, double hz);

  /// The stream that is due first, and when.
  uint32_t stream() const noexcept { return first_; }
  uint64_t time() const noexcept { return clocks_[first_].next(); }
  void advance() noexcept {
    clocks_[first_].advance();
    if (clocks_.size() > 1) find_first();
  }
  /// Leaves out every departure before `time`; returns how many.
  uint64_t skip_to(uint64_t time) noexcept;

 private:
  void find_first() noexcept {
    first_ = 0;
    for (uint32_t i = 1; i < clocks_.size(); ++i) {
      if (clocks_[i].next() < clocks_[first_].next()) first_ = i;
    }
  }

  std::vector<DepartureClock> clocks_;
  uint32_t first_ = 0;
};

}  // namespace warmswap::gen
