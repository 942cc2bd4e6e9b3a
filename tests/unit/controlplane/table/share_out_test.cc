#include "controlplane/table/share_out.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace warmswap::table {
namespace {

std::vector<uint64_t> in_order(size_t n) {
  std::vector<uint64_t> tie(n);
  std::iota(tie.begin(), tie.end(), uint64_t{0});
  return tie;
}

TEST(ShareOut, EveryShareIsWithinOneOfExactAndTheyAddUp) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::vector<uint32_t> weights(1 + random() % 300);
    for (uint32_t& weight : weights) weight = random() % 4 == 0 ? 0 : static_cast<uint32_t>(random() % 65536);
    const uint32_t total = static_cast<uint32_t>(random() % 70000);
    const uint64_t sum = std::accumulate(weights.begin(), weights.end(), uint64_t{0});
    const std::vector<uint32_t> shares = share_out(total, weights, in_order(weights.size()));
    ASSERT_EQ(std::accumulate(shares.begin(), shares.end(), uint64_t{0}), sum == 0 ? 0 : total);
    for (size_t i = 0; i < weights.size() && sum != 0; ++i) {
      const double exact = static_cast<double>(total) * weights[i] / static_cast<double>(sum);
      ASSERT_LT(std::abs(shares[i] - exact), 1.0) << "weight " << weights[i] << " in round " << round;
      if (weights[i] == 0) {
        ASSERT_EQ(shares[i], 0u);
      }
    }
  }
}

TEST(ShareOut, TiesGoToTheSmallerTieValue) {
  const std::vector<uint32_t> weights{5, 5, 5};
  EXPECT_EQ(share_out(4, weights, std::vector<uint64_t>{30, 10, 20}), (std::vector<uint32_t>{1, 2, 1}));
  EXPECT_EQ(share_out(5, weights, std::vector<uint64_t>{30, 10, 20}), (std::vector<uint32_t>{1, 2, 2}));
}

TEST(ShareOut, TheLargestInputsDoNotOverflow) {
  const std::vector<uint32_t> weights(65534, 65535);
  const std::vector<uint32_t> shares = share_out(1u << 24, weights, in_order(weights.size()));
  EXPECT_EQ(std::accumulate(shares.begin(), shares.end(), uint64_t{0}), uint64_t{1} << 24);
  EXPECT_GE(*std::min_element(shares.begin(), shares.end()), 256u);
  EXPECT_LE(*std::max_element(shares.begin(), shares.end()), 257u);
}

TEST(ShareOut, NobodyGetsNothing) {
  EXPECT_TRUE(share_out(7, {}, {}).empty());
}

}  // namespace
}  // namespace warmswap::table
