#include "controlplane/table/rendezvous.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

namespace warmswap::table {
namespace {

TEST(Cost, IsTheLogarithmToTwentyTwoBits) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 200000; ++i) {
    const uint64_t u = (random() >> (random() % 64)) | 1;
    const double real = 64 - std::log2(static_cast<double>(u));
    ASSERT_NEAR(static_cast<double>(cost(u)) / 4294967296.0, real, 1.0 / (1 << 22)) << u;
  }
}

TEST(Cost, NeverRisesWithTheDraw) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 200000; ++i) {
    const uint64_t a = random() >> (random() % 64);
    const uint64_t b = random() % 2 == 0 ? a + 1 : random() >> (random() % 64);
    ASSERT_GE(cost(std::min(a, b)), cost(std::max(a, b))) << a << " " << b;
  }
}

TEST(Cost, HasTheEndsItSays) {
  EXPECT_EQ(cost(0), cost(1));
  EXPECT_EQ(cost(1), uint64_t{64} << 32);
  EXPECT_EQ(cost(uint64_t{1} << 63), uint64_t{1} << 32);
  EXPECT_GT(cost(~uint64_t{0}), 0u) << "a cost of zero would beat any weight";
  EXPECT_LT(cost(~uint64_t{0}), 4u);
}

std::vector<Contest::Candidate> candidates(const std::vector<uint32_t>& sorted_weights) {
  std::vector<Contest::Candidate> result;
  for (uint16_t rank = 0; rank < sorted_weights.size(); ++rank) {
    result.push_back({seat_seed("candidate" + std::to_string(rank)), sorted_weights[rank], rank});
  }
  return result;
}

TEST(Contest, WinsAreInProportionToWeights) {
  const std::vector<uint32_t> weights{0, 1, 10, 100, 100, 300, 489, 65535};
  const double sum = 66535;
  constexpr uint32_t kSlots = 300000;
  const Contest contest{candidates(weights)};
  std::vector<uint32_t> wins(weights.size(), 0);
  for (uint32_t slot = 0; slot < kSlots; ++slot) ++wins[contest.winner(slot_seed(slot))];
  for (size_t i = 0; i < weights.size(); ++i) {
    const double expected = kSlots / sum * weights[i];
    EXPECT_NEAR(wins[i], expected, 5 * std::sqrt(expected)) << "weight " << weights[i];
  }
}

TEST(Contest, RemovalMovesOnlyWhatTheRemovedWon) {
  const std::vector<uint32_t> weights{5, 5, 5, 7, 9, 9, 20};
  for (uint16_t gone = 0; gone < weights.size(); ++gone) {
    const Contest before{candidates(weights)};
    Contest after{candidates(weights)};
    after.remove(gone);
    for (uint32_t slot = 0; slot < 2000; ++slot) {
      const uint64_t seed = slot_seed(slot);
      if (before.winner(seed) == gone) {
        ASSERT_NE(after.winner(seed), gone);
      } else {
        ASSERT_EQ(after.winner(seed), before.winner(seed)) << "slot " << slot << " without " << gone;
      }
    }
  }
}

TEST(Contest, NobodyWinsAmongNobody) {
  EXPECT_EQ(Contest({}).winner(1), Contest::kNobody);
  EXPECT_EQ(Contest(candidates({0, 0})).winner(1), Contest::kNobody);
  Contest emptied(candidates({3}));
  emptied.remove(0);
  EXPECT_EQ(emptied.winner(1), Contest::kNobody);
}

}  // namespace
}  // namespace warmswap::table
