#include "perf/gen/permutation.h"

#include <gtest/gtest.h>

#include <bit>
#include <vector>

#include "perf/gen/random.h"

namespace warmswap::gen {
namespace {

TEST(Permutation, IsABijectionOfEverySize) {
  for (uint64_t size = 1; size <= 300; ++size) {
    const Permutation permutation(size, size * 7919);
    std::vector<bool> hit(size, false);
    for (uint64_t x = 0; x < size; ++x) {
      const uint64_t y = permutation(x);
      ASSERT_LT(y, size);
      ASSERT_FALSE(hit[y]) << size;
      hit[y] = true;
      ASSERT_EQ(permutation.inverse(y), x) << size;
    }
  }
}

TEST(Permutation, InvertsOnLargeSizes) {
  SplitMix64 random(1);
  for (const uint64_t size :
       {uint64_t{1} << 20, (uint64_t{1} << 32) - 5, uint64_t{1} << 47, uint64_t{1} << 62, (uint64_t{1} << 62) - 57}) {
    const Permutation permutation(size, random.next());
    for (int i = 0; i < 2000; ++i) {
      const uint64_t x = random.next() % size;
      ASSERT_EQ(permutation.inverse(permutation(x)), x);
      ASSERT_LT(permutation(x), size);
    }
  }
}

TEST(Permutation, ScattersNeighbours) {
  // Of two neighbouring inputs about half of the output bits differ, in the worst bit position too.
  constexpr int kBits = 30;
  const Permutation permutation(uint64_t{1} << kBits, 42);
  constexpr int kSamples = 20'000;
  std::vector<int> differ(kBits, 0);
  for (uint64_t x = 0; x < kSamples; ++x) {
    const uint64_t changed = permutation(x) ^ permutation(x + 1);
    for (int bit = 0; bit < kBits; ++bit) differ[bit] += static_cast<int>(changed >> bit & 1);
  }
  for (int bit = 0; bit < kBits; ++bit) {
    EXPECT_GT(differ[bit], kSamples * 0.35) << bit;
    EXPECT_LT(differ[bit], kSamples * 0.65) << bit;
  }
}

TEST(Permutation, FirstValuesSpreadEvenly) {
  // The first thousandth of the inputs falls into 64 equal parts of the range about equally often (chi-square).
  constexpr uint64_t kSize = 64'000'000;
  constexpr uint64_t kSamples = 64'000;
  const Permutation permutation(kSize, 3);
  std::vector<double> parts(64, 0);
  for (uint64_t x = 0; x < kSamples; ++x) parts[permutation(x) / (kSize / 64)] += 1;
  double chi_square = 0;
  for (const double count : parts) chi_square += (count - 1000) * (count - 1000) / 1000;
  EXPECT_LT(chi_square, 120) << "63 degrees of freedom: 120 is beyond the 0.999 98 quantile";
}

TEST(Permutation, KeysDiffer) {
  const Permutation first(1'000'000, 1);
  const Permutation second(1'000'000, 2);
  int equal = 0;
  for (uint64_t x = 0; x < 10'000; ++x) equal += first(x) == second(x) ? 1 : 0;
  EXPECT_LT(equal, 10);
}

}  // namespace
}  // namespace warmswap::gen
