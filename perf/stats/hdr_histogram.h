// A histogram of non-negative integers over many orders of magnitude with a bounded relative error: the log-linear
// layout of HdrHistogram (Tene, hdrhistogram.org), which Debian 12 does not package for C++. Values have whatever unit
// the caller gives them; latencies here are nanoseconds.
//
// Error: a recorded value v is known to within width(v) - 1, where width(v) = 1 below 2·10^digits and at most
// v / 10^digits above. What is read back is never below the exact order statistic and never above it by more than that.
// Memory: 8 bytes · 10^digits · 1..2.1 for each factor of two above 2·10^digits; 3 digits up to an hour in nanoseconds
// are 272 KiB.
//
// One thread at a time. Give each worker its own histogram and merge() them when it has stopped. Only the constructor,
// copies and percentile_curve() allocate.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace warmswap::perf {

class HdrHistogram {
 public:
  /// Neighbouring values that are counted together. The one for overflowed values reaches from highest() + 1 to max().
  struct Bucket {
    uint64_t low;   // both ends belong to it
    uint64_t high;  // at most max(): the last one is cut there
    uint64_t count;
    uint64_t cumulative;  // values up to and including this bucket
  };
  /// Of `cumulative` values, percentile % of all, none is above `value`.
  struct PercentilePoint {
    double percentile;
    uint64_t value;
    uint64_t cumulative;
  };

  /// `significant_digits`: 1..4. Values up to `highest` (≥ 2) keep that precision; larger ones are counted as overflow.
  /// Throws std::invalid_argument outside of these.
  HdrHistogram(uint64_t highest, int significant_digits);

  void record(uint64_t value, uint64_t count = 1) noexcept;

  /// Records `value`, and when it is longer than the interval at which values were expected also those that a stalled
  /// measurement could not take: value - interval, value - 2·interval … down to interval. For closed-loop measurements
  /// only; one that stamps the *intended* time of departure has nothing to correct. An interval of 0 corrects nothing.
  void record_corrected(uint64_t value, uint64_t expected_interval) noexcept;

  /// Adds what `other` has counted. Throws std::invalid_argument unless both were made with the same arguments.
  void merge(const HdrHistogram& other);
  void reset() noexcept;

  uint64_t count() const noexcept { return total_; }
  /// Values above highest(). They take part in count, max, mean and percentiles, but a percentile that falls among them
  /// is only known to be between highest() and max(), and max() is what is returned.
  uint64_t overflow() const noexcept { return overflow_; }
  uint64_t highest() const noexcept { return highest_; }
  int significant_digits() const noexcept { return significant_digits_; }

  /// Exact; 0 when nothing was recorded.
  uint64_t min() const noexcept { return total_ == 0 ? 0 : min_; }
  uint64_t max() const noexcept { return max_; }
  /// From the exact values, up to the rounding of doubles; 0 when nothing was recorded.
  double mean() const noexcept { return total_ == 0 ? 0 : sum_ / static_cast<double>(total_); }

  /// The smallest recorded value (to the precision above) that at least `percentile` % of the values do not exceed; the
  /// first value at 0, max() at 100. Outside of 0..100 the nearer end; 0 when nothing was recorded.
  uint64_t value_at_percentile(double percentile) const noexcept;

  /// Points of the percentile plot, dense where the tail is: `per_halving` of them on each halving of the distance to
  /// 100 %, the last one at 100 %. Points that would repeat a bucket are left out.
  std::vector<PercentilePoint> percentile_curve(int per_halving = 5) const;

  /// Calls visit(const Bucket&) for each bucket that is not empty, upwards.
  template <typename Visit>
  void for_each_bucket(Visit&& visit) const {
    uint64_t cumulative = 0;
    for (size_t index = 0; index < counts_.size(); ++index) {
      if (counts_[index] == 0) continue;
      cumulative += counts_[index];
      visit(Bucket{low_of(index), std::min(high_of(index), max_), counts_[index], cumulative});
    }
    if (overflow_ != 0) visit(Bucket{highest_ + 1, max_, overflow_, cumulative + overflow_});
  }

 private:
  // Below 2^sub_bits_ each value has a slot of its own; each further power of two is divided into 2^(sub_bits_ - 1).
  size_t index_of(uint64_t value) const noexcept {
    const int shift = static_cast<int>(std::bit_width(value | ((uint64_t{1} << sub_bits_) - 1))) - sub_bits_;
    return (static_cast<size_t>(shift) << (sub_bits_ - 1)) + static_cast<size_t>(value >> shift);
  }
  int shift_of(size_t index) const noexcept { return std::max(static_cast<int>(index >> (sub_bits_ - 1)) - 1, 0); }
  uint64_t low_of(size_t index) const noexcept {
    const int shift = shift_of(index);
    return (uint64_t{index} - (uint64_t(shift) << (sub_bits_ - 1))) << shift;
  }
  uint64_t high_of(size_t index) const noexcept {
    return std::min(low_of(index) + ((uint64_t{1} << shift_of(index)) - 1), highest_);
  }
  void count_only(uint64_t value, uint64_t count) noexcept;

  int significant_digits_;
  int sub_bits_;
  uint64_t highest_;
  std::vector<uint64_t> counts_;
  uint64_t overflow_ = 0;
  uint64_t total_ = 0;
  uint64_t min_ = std::numeric_limits<uint64_t>::max();
  uint64_t max_ = 0;
  double sum_ = 0;
};

inline void HdrHistogram::count_only(uint64_t value, uint64_t count) noexcept {
  if (value <= highest_) [[likely]] {
    counts_[index_of(value)] += count;
  } else {
    overflow_ += count;
  }
  total_ += count;
}

inline void HdrHistogram::record(uint64_t value, uint64_t count) noexcept {
  if (count == 0) return;
  count_only(value, count);
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value) * static_cast<double>(count);
}

}  // namespace warmswap::perf
