#include "perf/stats/hdr_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <stdexcept>

namespace warmswap::perf {
namespace {

constexpr uint64_t kHour = 3'600'000'000'000;

/// The order statistic a percentile stands for, from the definition.
uint64_t exact(const std::vector<uint64_t>& sorted, double percentile) {
  const double wanted = std::ceil(percentile / 100 * static_cast<double>(sorted.size()) - 1e-9);
  return sorted[std::max<size_t>(static_cast<size_t>(wanted), 1) - 1];
}

std::vector<uint64_t> spread_over_magnitudes(std::mt19937_64& random, size_t n, uint64_t highest) {
  std::uniform_real_distribution<double> exponent(0, std::log(static_cast<double>(highest)));
  std::vector<uint64_t> values(n);
  for (uint64_t& value : values) value = static_cast<uint64_t>(std::exp(exponent(random)));
  return values;
}

TEST(HdrHistogram, PercentilesAreWithinThePromisedErrorOfTheSortedValues) {
  std::mt19937_64 random(1);
  for (int digits = 1; digits <= 4; ++digits) {
    for (int round = 0; round < 20; ++round) {
      HdrHistogram histogram(kHour, digits);
      std::vector<uint64_t> values = spread_over_magnitudes(random, 1 + random() % 5000, kHour);
      for (const uint64_t value : values) histogram.record(value);
      std::sort(values.begin(), values.end());
      for (const double p : {0.0, 0.1, 1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
        const uint64_t truth = exact(values, p);
        const uint64_t told = histogram.value_at_percentile(p);
        ASSERT_GE(told, truth) << p << " % with " << digits << " digits";
        ASSERT_LE(static_cast<double>(told - truth), static_cast<double>(truth) * std::pow(10, -digits))
            << p << " % with " << digits << " digits";
      }
      ASSERT_EQ(histogram.min(), values.front());
      ASSERT_EQ(histogram.max(), values.back());
      ASSERT_EQ(histogram.value_at_percentile(100), values.back());
      const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
      ASSERT_NEAR(histogram.mean(), mean, mean * 1e-9);
    }
  }
}

TEST(HdrHistogram, SmallValuesAreExact) {
  HdrHistogram histogram(kHour, 3);
  for (uint64_t value = 0; value < 2000; ++value) histogram.record(value);
  uint64_t expected = 0;
  histogram.for_each_bucket([&](const HdrHistogram::Bucket& bucket) {
    EXPECT_EQ(bucket.low, expected);
    EXPECT_EQ(bucket.high, expected);
    EXPECT_EQ(bucket.cumulative, ++expected);
  });
  EXPECT_EQ(expected, 2000u);
}

TEST(HdrHistogram, BucketsAreDisjointNarrowAndCountWhatLiesInThem) {
  std::mt19937_64 random(2);
  for (int digits = 1; digits <= 4; ++digits) {
    HdrHistogram histogram(kHour, digits);
    std::vector<uint64_t> values = spread_over_magnitudes(random, 20'000, 2 * kHour);
    for (const uint64_t value : values) histogram.record(value);
    std::sort(values.begin(), values.end());
    uint64_t next_low = 0;
    uint64_t cumulative = 0;
    histogram.for_each_bucket([&](const HdrHistogram::Bucket& bucket) {
      ASSERT_GE(bucket.low, next_low);
      next_low = bucket.high + 1;
      const auto first = std::lower_bound(values.begin(), values.end(), bucket.low);
      const auto last = std::upper_bound(values.begin(), values.end(), bucket.high);
      ASSERT_EQ(bucket.count, static_cast<uint64_t>(last - first)) << bucket.low << ".." << bucket.high;
      cumulative += bucket.count;
      ASSERT_EQ(bucket.cumulative, cumulative);
      if (bucket.low > kHour) return;  // the overflow has no bound
      ASSERT_LE(static_cast<double>(bucket.high - bucket.low), static_cast<double>(bucket.low) * std::pow(10, -digits));
    });
    EXPECT_EQ(cumulative, values.size());
  }
}

TEST(HdrHistogram, TheLargestIntegerHasAPlace) {
  HdrHistogram histogram(std::numeric_limits<uint64_t>::max(), 2);
  histogram.record(std::numeric_limits<uint64_t>::max());
  histogram.record(0);
  EXPECT_EQ(histogram.overflow(), 0u);
  EXPECT_EQ(histogram.value_at_percentile(50), 0u);
  EXPECT_EQ(histogram.value_at_percentile(51), std::numeric_limits<uint64_t>::max());
}

TEST(HdrHistogram, OverflowIsCountedAndPullsThePercentilesUp) {
  HdrHistogram histogram(1000, 2);
  histogram.record(1000, 90);
  histogram.record(1001, 9);
  histogram.record(70'000);
  EXPECT_EQ(histogram.count(), 100u);
  EXPECT_EQ(histogram.overflow(), 10u);
  EXPECT_EQ(histogram.max(), 70'000u);
  EXPECT_EQ(histogram.value_at_percentile(90), 1000u);
  EXPECT_EQ(histogram.value_at_percentile(91), 70'000u);
  EXPECT_NEAR(histogram.mean(), (90 * 1000 + 9 * 1001 + 70'000) / 100.0, 1e-9);
  uint64_t cumulative = 0;
  histogram.for_each_bucket([&](const HdrHistogram::Bucket& bucket) { cumulative = bucket.cumulative; });
  EXPECT_EQ(cumulative, 100u);
}

TEST(HdrHistogram, NothingRecordedIsAllZero) {
  const HdrHistogram histogram(1000, 3);
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.min(), 0u);
  EXPECT_EQ(histogram.max(), 0u);
  EXPECT_EQ(histogram.mean(), 0.0);
  EXPECT_EQ(histogram.value_at_percentile(99), 0u);
  EXPECT_TRUE(histogram.percentile_curve().empty());
}

TEST(HdrHistogram, AMergeIsTheHistogramOfAllValues) {
  std::mt19937_64 random(3);
  HdrHistogram parts[2] = {HdrHistogram(1'000'000, 3), HdrHistogram(1'000'000, 3)};
  HdrHistogram whole(1'000'000, 3);
  for (const uint64_t value : spread_over_magnitudes(random, 10'000, 4'000'000)) {
    parts[random() % 2].record(value);
    whole.record(value);
  }
  parts[0].merge(parts[1]);
  EXPECT_EQ(parts[0].count(), whole.count());
  EXPECT_EQ(parts[0].overflow(), whole.overflow());
  EXPECT_GT(whole.overflow(), 0u);
  EXPECT_EQ(parts[0].min(), whole.min());
  EXPECT_EQ(parts[0].max(), whole.max());
  EXPECT_NEAR(parts[0].mean(), whole.mean(), whole.mean() * 1e-12);
  for (int p = 0; p <= 1000; ++p)
    ASSERT_EQ(parts[0].value_at_percentile(p / 10.0), whole.value_at_percentile(p / 10.0));
  EXPECT_THROW(whole.merge(HdrHistogram(1'000'000, 2)), std::invalid_argument);
  EXPECT_THROW(whole.merge(HdrHistogram(2'000'000, 3)), std::invalid_argument);
}

TEST(HdrHistogram, ResetForgetsEverything) {
  HdrHistogram histogram(1000, 3);
  histogram.record(7);
  histogram.record(7'000);
  histogram.reset();
  EXPECT_EQ(histogram.count() + histogram.overflow() + histogram.max() + histogram.min(), 0u);
  histogram.record(9);
  EXPECT_EQ(histogram.value_at_percentile(100), 9u);
  EXPECT_EQ(histogram.min(), 9u);
  EXPECT_EQ(histogram.mean(), 9.0);
}

TEST(HdrHistogram, CorrectionFillsInWhatAStallCouldNotMeasureAsOneByOneWould) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 300; ++round) {
    const uint64_t value = random() % 400'000;
    const uint64_t interval = round == 0 ? 0 : random() % 2000;
    HdrHistogram quick(200'000, 3);
    HdrHistogram slow(200'000, 3);
    quick.record_corrected(value, interval);
    slow.record(value);
    for (uint64_t missing = value; interval != 0 && missing >= 2 * interval;) slow.record(missing -= interval);
    ASSERT_EQ(quick.count(), slow.count()) << value << " at " << interval;
    ASSERT_EQ(quick.overflow(), slow.overflow());
    ASSERT_EQ(quick.min(), slow.min());
    ASSERT_NEAR(quick.mean(), slow.mean(), 1e-6);
    for (int p = 0; p <= 100; p += 7) ASSERT_EQ(quick.value_at_percentile(p), slow.value_at_percentile(p));
  }
}

TEST(HdrHistogram, ALongStallAtATinyIntervalIsCorrectedInTime) {
  HdrHistogram histogram(kHour, 3);
  histogram.record_corrected(kHour, 1);
  EXPECT_EQ(histogram.count(), kHour);
  EXPECT_EQ(histogram.min(), 1u);
  EXPECT_NEAR(static_cast<double>(histogram.value_at_percentile(50)), kHour / 2.0, kHour * 1e-3);
}

TEST(HdrHistogram, AnIntervalAboveHalfOfAllIntegersCorrectsNothing) {
  HdrHistogram histogram(kHour, 3);
  histogram.record_corrected(1000, std::numeric_limits<uint64_t>::max() - 1);
  EXPECT_EQ(histogram.count(), 1u);
}

TEST(HdrHistogram, ThePercentileCurveRisesToTheMaximumAndStaysShort) {
  std::mt19937_64 random(5);
  HdrHistogram histogram(kHour, 3);
  for (const uint64_t value : spread_over_magnitudes(random, 100'000, kHour)) histogram.record(value);
  const auto curve = histogram.percentile_curve(5);
  ASSERT_FALSE(curve.empty());
  EXPECT_LE(curve.size(), 5 * 18u);  // 100 000 values are 17 halvings
  for (size_t i = 0; i < curve.size(); ++i) {
    ASSERT_EQ(histogram.value_at_percentile(curve[i].percentile), curve[i].value);
    if (i > 0) {
      ASSERT_GT(curve[i].value, curve[i - 1].value);
      ASSERT_GT(curve[i].percentile, curve[i - 1].percentile);
    }
  }
  EXPECT_EQ(curve.back().percentile, 100.0);
  EXPECT_EQ(curve.back().value, histogram.max());
}

TEST(HdrHistogram, ArgumentsOutsideTheRangeAreNamed) {
  EXPECT_THROW(HdrHistogram(1000, 0), std::invalid_argument);
  EXPECT_THROW(HdrHistogram(1000, 5), std::invalid_argument);
  try {
    const HdrHistogram histogram(1, 3);
    FAIL();
  } catch (const std::invalid_argument& fault) {
    EXPECT_STREQ(fault.what(), "a histogram up to 1 was asked for; expected at least 2");
  }
}

}  // namespace
}  // namespace warmswap::perf
