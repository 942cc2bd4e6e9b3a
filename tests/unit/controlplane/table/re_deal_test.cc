#include "controlplane/table/re_deal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "tests/unit/controlplane/table/pools.h"

namespace warmswap::table {
namespace {

struct Case {
  Pool pool;
  Ring base;
  std::vector<bool> dead;
};

Case random_case(std::mt19937_64& random) {
  Case result;
  result.pool = random_pool(random);
  result.base = base_ring(random_ring_size(random), result.pool.seats);
  result.dead = random_dead(random, result.pool.seats.size());
  return result;
}

TEST(ReDeal, GivesDeadSlotsToLiveWeightAndTouchesNothingElse) {
  std::mt19937_64 random(6);
  for (int round = 0; round < 60; ++round) {
    const Case c = random_case(random);
    bool somebody = false;
    for (size_t i = 0; i < c.dead.size(); ++i) somebody = somebody || (!c.dead[i] && c.pool.seats[i].weight > 0);
    const Ring ring = re_deal(c.base, c.pool.seats, c.dead);
    for (size_t slot = 0; slot < ring.size(); ++slot) {
      if (c.base[slot] == kNoSeat || !c.dead[c.base[slot]]) {
        ASSERT_EQ(ring[slot], c.base[slot]) << "a survivor's slot moved";
      } else if (somebody) {
        ASSERT_NE(ring[slot], kNoSeat);
        ASSERT_FALSE(c.dead[ring[slot]]);
        ASSERT_GT(c.pool.seats[ring[slot]].weight, 0u);
      } else {
        ASSERT_EQ(ring[slot], kNoSeat);
      }
    }
    std::vector<bool> survives = c.dead;
    survives.flip();
    ASSERT_EQ(slots_moved(c.base, ring, survives).of_survivors, 0u);
  }
}

TEST(ReDeal, OneMoreDeathMovesOnlyItsSlotsAndItsReturnRestoresThem) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 60; ++round) {
    const Case c = random_case(random);
    const Ring before = re_deal(c.base, c.pool.seats, c.dead);
    std::vector<bool> more = c.dead;
    const size_t victim = random() % more.size();
    more[victim] = true;
    const Ring after = re_deal(c.base, c.pool.seats, more);
    for (size_t slot = 0; slot < after.size(); ++slot) {
      if (before[slot] != victim) {
        ASSERT_EQ(after[slot], before[slot]) << "slot " << slot << " was not the victim's";
      }
    }
    ASSERT_EQ(re_deal(c.base, c.pool.seats, c.dead), before) << "the victim is back";
  }
}

TEST(ReDeal, NobodyDeadIsTheBaseRing) {
  std::mt19937_64 random(8);
  for (int round = 0; round < 20; ++round) {
    const Case c = random_case(random);
    ASSERT_EQ(re_deal(c.base, c.pool.seats, std::vector<bool>(c.dead.size(), false)), c.base);
  }
}

TEST(ReDeal, TheNumberingOfSeatsDoesNotMatter) {
  std::mt19937_64 random(9);
  for (int round = 0; round < 30; ++round) {
    const Case c = random_case(random);
    std::vector<uint16_t> new_index(c.pool.seats.size());
    for (uint16_t i = 0; i < new_index.size(); ++i) new_index[i] = i;
    std::shuffle(new_index.begin(), new_index.end(), random);
    std::vector<RingSeat> seats(c.pool.seats.size());
    std::vector<bool> dead(seats.size());
    for (size_t i = 0; i < seats.size(); ++i) {
      seats[new_index[i]] = c.pool.seats[i];
      dead[new_index[i]] = c.dead[i];
    }
    ASSERT_EQ(re_deal(renumbered(c.base, new_index), seats, dead),
              renumbered(re_deal(c.base, c.pool.seats, c.dead), new_index));
  }
}

TEST(ReDeal, AllDeadOrWithoutWeightLeavesNoOwner) {
  const Pool pool = pool_of("hot", {100, 100, 0});
  const Ring base = base_ring(251, pool.seats);
  EXPECT_EQ(re_deal(base, pool.seats, {true, true, true}), Ring(251, kNoSeat));
  EXPECT_EQ(re_deal(base, pool.seats, {true, true, false}), Ring(251, kNoSeat))
      << "weight 0 owns no slot, not even then";
}

TEST(ReDeal, TheLastOneTakesAll) {
  const Pool pool = pool_of("hot", {100, 300, 1});
  const Ring base = base_ring(1009, pool.seats);
  EXPECT_EQ(re_deal(base, pool.seats, {true, true, false}), Ring(1009, 2));
}

// Promise 3 of the design, over many pools and many sets of dead rather than one that happens to do.
TEST(ReDeal, SharesStayEven) {
  for (int set = 0; set < 100; ++set) {
    const Pool pool = equal_pool("set" + std::to_string(set) + "-", 100);
    const Ring base = base_ring(kDefaultSize, pool.seats);
    std::mt19937_64 random(static_cast<uint64_t>(set));
    std::vector<bool> dead(100, false);
    dead[random() % 100] = true;
    ASSERT_LE(share_error(re_deal(base, pool.seats, dead), 100, 99), 1.002) << "one dead, set " << set;
    std::fill_n(dead.begin(), 10, true);
    std::fill(dead.begin() + 10, dead.end(), false);
    std::shuffle(dead.begin(), dead.end(), random);
    ASSERT_LE(share_error(re_deal(base, pool.seats, dead), 100, 90), 1.03) << "ten dead, set " << set;
  }
}

TEST(ReDeal, SurvivorsAbsorbInProportionToTheirWeights) {
  const std::vector<uint32_t> weights{400, 50, 100, 150, 100, 200};
  const Pool pool = pool_of("hot", weights);
  const Ring base = base_ring(kDefaultSize, pool.seats);
  const std::vector<uint32_t> before = slots_per_seat(base, weights.size());
  const std::vector<uint32_t> one =
      slots_per_seat(re_deal(base, pool.seats, {true, false, false, false, false, false}), 6);
  for (size_t i = 1; i < 6; ++i) EXPECT_NEAR(one[i] - before[i], before[0] * weights[i] / 600.0, 1.0);
  const std::vector<uint32_t> two =
      slots_per_seat(re_deal(base, pool.seats, {true, false, false, false, false, true}), 6);
  for (size_t i = 1; i < 5; ++i) {
    const double gain = (before[0] + before[5]) * weights[i] / 400.0;
    EXPECT_NEAR(two[i] - before[i], gain, 5 * std::sqrt(gain)) << "weight " << weights[i];
  }
}

TEST(ReDeal, RefusesWhatDoesNotFitTogether) {
  const Pool pool = equal_pool("hot", 2);
  EXPECT_THROW(re_deal(Ring{0, 1}, pool.seats, {true}), std::invalid_argument);
  EXPECT_THROW(re_deal(Ring{0, 2}, pool.seats, {true, false}), std::invalid_argument);
}

}  // namespace
}  // namespace warmswap::table
