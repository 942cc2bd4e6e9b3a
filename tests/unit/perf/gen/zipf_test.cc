#include "perf/gen/zipf.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace warmswap::gen {
namespace {

/// Exact probabilities, added up the slow way.
std::vector<double> probabilities(uint64_t n, double exponent) {
  std::vector<double> out(n + 1, 0);
  double sum = 0;
  for (uint64_t k = 1; k <= n; ++k) sum += std::pow(static_cast<double>(k), -exponent);
  for (uint64_t k = 1; k <= n; ++k) out[k] = std::pow(static_cast<double>(k), -exponent) / sum;
  return out;
}

class ZipfShape : public testing::TestWithParam<double> {};

TEST_P(ZipfShape, MatchesTheExactDistribution) {
  constexpr uint64_t kRanks = 50;
  constexpr int kSamples = 400'000;
  const Zipf zipf(kRanks, GetParam());
  const std::vector<double> exact = probabilities(kRanks, GetParam());
  SplitMix64 random(7);
  std::vector<double> counts(kRanks + 1, 0);
  for (int i = 0; i < kSamples; ++i) {
    const uint64_t rank = zipf(random);
    ASSERT_GE(rank, 1u);
    ASSERT_LE(rank, kRanks);
    counts[rank] += 1;
  }
  double chi_square = 0;
  int cells = 0;
  for (uint64_t k = 1; k <= kRanks; ++k) {
    const double expected = exact[k] * kSamples;
    if (expected < 5) continue;
    chi_square += (counts[k] - expected) * (counts[k] - expected) / expected;
    ++cells;
  }
  EXPECT_LT(chi_square, cells + 5 * std::sqrt(2.0 * cells)) << cells << " cells, five standard deviations";
}

INSTANTIATE_TEST_SUITE_P(Exponents, ZipfShape, testing::Values(0.2, 0.5, 0.99, 1.0, 1.01, 1.5, 2.0, 3.0));

TEST(Zipf, OneRank) {
  const Zipf zipf(1, 1.1);
  SplitMix64 random(1);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(zipf(random), 1u);
}

TEST(Zipf, ManyRanksGiveTheKnownHead) {
  // H(10^8) = 18.9979: the most popular of 10^8 has 1/18.9979 of the draws at exponent 1.
  constexpr int kSamples = 500'000;
  const Zipf zipf(100'000'000, 1);
  SplitMix64 random(3);
  int first = 0;
  uint64_t largest = 0;
  for (int i = 0; i < kSamples; ++i) {
    const uint64_t rank = zipf(random);
    first += rank == 1 ? 1 : 0;
    largest = std::max(largest, rank);
  }
  EXPECT_NEAR(first / static_cast<double>(kSamples), 1 / 18.9979, 0.002);
  EXPECT_GT(largest, 90'000'000u);
  EXPECT_LE(largest, 100'000'000u);
}

}  // namespace
}  // namespace warmswap::gen
