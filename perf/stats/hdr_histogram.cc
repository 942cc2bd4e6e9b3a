#include "perf/stats/hdr_histogram.h"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

namespace warmswap::perf {
namespace {

/// Slots on the first, exact stretch, as a power of two: wide enough that a step at its upper half is 10^-digits of it.
int sub_bits_for(int significant_digits) {
  if (significant_digits < 1 || significant_digits > 4) {
    throw std::invalid_argument(
        fmt::format("a histogram of {} significant digits was asked for; expected 1 to 4", significant_digits));
  }
  uint64_t twice_the_steps = 2;
  for (int i = 0; i < significant_digits; ++i) twice_the_steps *= 10;
  return static_cast<int>(std::bit_width(twice_the_steps - 1));
}

uint64_t checked_highest(uint64_t highest) {
  if (highest < 2) {
    throw std::invalid_argument(fmt::format("a histogram up to {} was asked for; expected at least 2", highest));
  }
  return highest;
}

}  // namespace

HdrHistogram::HdrHistogram(uint64_t highest, int significant_digits)
    : significant_digits_(significant_digits),
      sub_bits_(sub_bits_for(significant_digits)),
      highest_(checked_highest(highest)),
      counts_(index_of(highest) + 1, 0) {}

void HdrHistogram::record_corrected(uint64_t value, uint64_t expected_interval) noexcept {
  record(value);
  if (expected_interval == 0 || expected_interval > value / 2) return;
  // Bucket by bucket, so that a stall of seconds at an interval of nanoseconds costs no more than the table is long.
  for (uint64_t missing = value - expected_interval; missing >= expected_interval;) {
    const uint64_t low = missing <= highest_ ? low_of(index_of(missing)) : highest_ + 1;
    const uint64_t n = (missing - std::max(low, expected_interval)) / expected_interval + 1;
    const uint64_t last = missing - (n - 1) * expected_interval;
    count_only(missing, n);
    min_ = std::min(min_, last);
    sum_ += (static_cast<double>(missing) + static_cast<double>(last)) / 2 * static_cast<double>(n);
    missing = last - expected_interval;
  }
}

void HdrHistogram::merge(const HdrHistogram& other) {
  if (highest_ != other.highest_ || significant_digits_ != other.significant_digits_) {
    throw std::invalid_argument(
        fmt::format("a histogram up to {} with {} digits cannot take in one up to {} with {}: expected the same",
                    highest_, significant_digits_, other.highest_, other.significant_digits_));
  }
  for (size_t index = 0; index < counts_.size(); ++index) counts_[index] += other.counts_[index];
  overflow_ += other.overflow_;
  total_ += other.total_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

void HdrHistogram::reset() noexcept {
  std::fill(counts_.begin(), counts_.end(), 0);
  overflow_ = total_ = max_ = 0;
  min_ = std::numeric_limits<uint64_t>::max();
  sum_ = 0;
}

uint64_t HdrHistogram::value_at_percentile(double percentile) const noexcept {
  if (total_ == 0) return 0;
  const double share = std::clamp(percentile, 0.0, 100.0) / 100;
  // 99.9 % of 1000 values are 999 of them, also when the product comes out as 999.0000000000001.
  const double wanted = std::ceil(share * static_cast<double>(total_) * (1 - 1e-15));
  const uint64_t rank = std::clamp<uint64_t>(static_cast<uint64_t>(wanted), 1, total_);
  uint64_t cumulative = 0;
  for (size_t index = 0; index < counts_.size(); ++index) {
    cumulative += counts_[index];
    if (cumulative >= rank) return std::min(high_of(index), max_);
  }
  return max_;
}

std::vector<HdrHistogram::PercentilePoint> HdrHistogram::percentile_curve(int per_halving) const {
  std::vector<PercentilePoint> curve;
  const double all = static_cast<double>(total_);
  const double ticks = std::max(per_halving, 1);
  uint64_t next_tick = 0;
  for_each_bucket([&](const Bucket& bucket) {
    const double share = static_cast<double>(bucket.cumulative) / all;
    const bool last = bucket.cumulative == total_;
    // How many halvings this bucket has come towards 100 %.
    const double tick = last ? 0 : std::floor(-std::log2(1 - share) * ticks);
    if (!last && !curve.empty() && static_cast<uint64_t>(tick) < next_tick) return;
    next_tick = static_cast<uint64_t>(tick) + 1;
    curve.push_back({share * 100, bucket.high, bucket.cumulative});
  });
  return curve;
}

}  // namespace warmswap::perf
