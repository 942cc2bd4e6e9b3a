#include "perf/stats/summary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace warmswap::perf {
namespace {

TEST(Summary, OfKnownSamples) {
  const Summary odd = summarise(std::vector<double>{1, 1, 2, 2, 4, 6, 9});
  EXPECT_EQ(odd.count, 7u);
  EXPECT_EQ(odd.median, 2);
  EXPECT_EQ(odd.mad, 1);
  EXPECT_EQ(odd.min, 1);
  EXPECT_EQ(odd.max, 9);
  EXPECT_EQ(odd.relative_spread(), 0.5);
  const Summary even = summarise(std::vector<double>{4, 1, 3, 2});
  EXPECT_EQ(even.median, 2.5);
  EXPECT_EQ(even.mad, 1);
}

TEST(Summary, OneWildValueMovesNeitherMedianNorSpread) {
  std::vector<double> sample(21, 100);
  for (size_t i = 0; i < sample.size(); ++i) sample[i] += static_cast<double>(i % 3);
  const Summary calm = summarise(sample);
  sample[4] = 1e12;
  const Summary wild = summarise(sample);
  EXPECT_EQ(wild.median, calm.median);
  EXPECT_NEAR(wild.mad, calm.mad, 1);
  EXPECT_EQ(wild.max, 1e12);
}

TEST(Summary, NaNIsLeftOutAndNothingIsNaN) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Summary some = summarise(std::vector<double>{nan, 3, nan, 1});
  EXPECT_EQ(some.count, 2u);
  EXPECT_EQ(some.median, 2);
  const Summary none = summarise(std::vector<double>{nan});
  EXPECT_EQ(none.count, 0u);
  EXPECT_TRUE(std::isnan(none.median) && std::isnan(none.mad) && std::isnan(none.min) && std::isnan(none.max));
  EXPECT_TRUE(std::isnan(none.relative_spread()));
  EXPECT_TRUE(std::isnan(percentile({}, 50)));
}

TEST(Percentile, InterpolatesBetweenRanks) {
  const std::vector<double> values{10, 20, 30, 40};
  EXPECT_EQ(percentile(values, 0), 10);
  EXPECT_EQ(percentile(values, 100), 40);
  EXPECT_EQ(percentile(values, 50), 25);
  EXPECT_NEAR(percentile(values, 10), 13, 1e-12);
  EXPECT_EQ(percentile(values, -5), 10);
  EXPECT_EQ(percentile(values, 500), 40);
  EXPECT_EQ(percentile(std::vector<double>{7}, 99), 7);
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(percentile(std::vector<double>{1, infinity, infinity}, 75), infinity);
}

TEST(Percentile, NeverFallsAndStaysWithinTheSample) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal(0, 1e6);
  for (int round = 0; round < 100; ++round) {
    std::vector<double> sample(1 + random() % 50);
    for (double& value : sample) value = normal(random);
    const std::vector<double> values = sorted(sample);
    double before = values.front();
    for (int half_percent = 0; half_percent <= 200; ++half_percent) {
      const double value = percentile(values, half_percent / 2.0);
      ASSERT_GE(value, before - 1e-6);
      ASSERT_LE(value, values.back());
      before = value;
    }
  }
}

}  // namespace
}  // namespace warmswap::perf
