#include "controlplane/table/ring.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <stdexcept>

#include "tests/unit/controlplane/table/pools.h"

namespace warmswap::table {
namespace {

TEST(BaseRing, EverySlotHasAnOwnerAndShareErrorIsAtMostOneSlot) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 60; ++round) {
    const Pool pool = random_pool(random);
    const uint32_t size = random_ring_size(random);
    uint64_t sum = 0;
    for (const RingSeat& seat : pool.seats) sum += seat.weight;
    const Ring ring = base_ring(size, pool.seats);
    ASSERT_EQ(ring.size(), size);
    const std::vector<uint32_t> slots = slots_per_seat(ring, pool.seats.size());
    uint64_t owned = 0;
    for (size_t i = 0; i < slots.size(); ++i) {
      owned += slots[i];
      const double exact = sum == 0 ? 0 : static_cast<double>(size) * pool.seats[i].weight / static_cast<double>(sum);
      ASSERT_LT(std::abs(slots[i] - exact), 1.0) << pool.names[i] << " in round " << round;
    }
    ASSERT_EQ(owned, sum == 0 ? 0 : size);
  }
}

TEST(BaseRing, TheOrderOfInputDoesNotMatter) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 40; ++round) {
    const Pool pool = random_pool(random);
    const uint32_t size = random_ring_size(random);
    std::vector<RingSeat> shuffled = pool.seats;
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    const Ring one = base_ring(size, pool.seats);
    const Ring other = base_ring(size, shuffled);
    for (uint32_t slot = 0; slot < size; ++slot) {
      const std::string_view a = one[slot] == kNoSeat ? "" : pool.seats[one[slot]].name;
      const std::string_view b = other[slot] == kNoSeat ? "" : shuffled[other[slot]].name;
      ASSERT_EQ(a, b) << "slot " << slot << " of " << size;
    }
  }
}

TEST(BaseRing, AHundredEqualBackendsShareWithinTwoPerMille) {
  const Pool pool = equal_pool("hot", 100);
  EXPECT_LE(share_error(base_ring(kDefaultSize, pool.seats), 100, 100), 1.002);
}

TEST(BaseRing, WeightsAreHonouredWithinOnePercent) {
  const Pool pool = pool_of("hot", {1, 2, 3, 50, 100, 150, 300, 65, 0, 129});
  const std::vector<uint32_t> slots = slots_per_seat(base_ring(kDefaultSize, pool.seats), pool.seats.size());
  for (size_t i = 0; i < slots.size(); ++i) {
    const double exact = kDefaultSize * pool.seats[i].weight / 800.0;
    EXPECT_NEAR(slots[i], exact, 0.01 * exact) << "weight " << pool.seats[i].weight;
  }
}

TEST(BaseRing, WithoutWeightNobodyOwnsAnything) {
  const Pool pool = pool_of("hot", {0, 0, 0});
  EXPECT_EQ(base_ring(251, pool.seats), Ring(251, kNoSeat));
  EXPECT_EQ(base_ring(251, {}), Ring(251, kNoSeat));
}

TEST(BaseRing, ASizeThatIsNotPrimeIsFilledToo) {
  for (const uint32_t size : {2u, 4u, 6u, 12u, 210u, 4096u, 65536u}) {
    const Pool pool = equal_pool("hot", 2);
    const std::vector<uint32_t> slots = slots_per_seat(base_ring(size, pool.seats), 2);
    EXPECT_EQ(slots[0], size / 2) << size;
    EXPECT_EQ(slots[1], size / 2) << size;
  }
}

TEST(BaseRing, RefusesWhatTheConfigurationCheckRefuses) {
  const Pool pool = equal_pool("hot", 2);
  EXPECT_THROW(base_ring(0, pool.seats), std::invalid_argument);
  EXPECT_THROW(base_ring(1, pool.seats), std::invalid_argument);
  EXPECT_THROW(base_ring((1u << 24) + 1, pool.seats), std::invalid_argument);
  EXPECT_THROW(base_ring(251, std::vector<RingSeat>(65535, RingSeat{"x", 1})), std::invalid_argument);
  const std::vector<RingSeat> heavy{{"a", 65536}};
  try {
    base_ring(251, heavy);
    FAIL() << "weight 65536 was accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "seat a has weight 65536; expected at most 65535");
  }
}

// What a planned change costs: slots that move although their owner's share did not shrink. Bounds are those of Maglev
// (0.57 % and 0.94 - 0.50 % measured by others at this size), so a worse construction fails here.
class Disturbance : public ::testing::TestWithParam<int> {
 protected:
  // Percent of the ring that moved beyond what the shares demand.
  static double excess_percent(const Pool& before, const Pool& after) {
    std::map<std::string_view, uint16_t> place;
    for (uint16_t i = 0; i < after.seats.size(); ++i) place[after.seats[i].name] = i;
    std::vector<uint16_t> new_index;
    for (const RingSeat& seat : before.seats) {
      const auto found = place.find(seat.name);
      new_index.push_back(found == place.end() ? uint16_t{0xfffe} : found->second);
    }
    const Ring old_ring = base_ring(kDefaultSize, before.seats);
    const Ring new_ring = base_ring(kDefaultSize, after.seats);
    const std::vector<uint32_t> old_slots = slots_per_seat(old_ring, before.seats.size());
    const std::vector<uint32_t> new_slots = slots_per_seat(new_ring, after.seats.size());
    uint32_t needed = 0;
    for (size_t i = 0; i < old_slots.size(); ++i) {
      const uint32_t now = new_index[i] == 0xfffe ? 0 : new_slots[new_index[i]];
      if (old_slots[i] > now) needed += old_slots[i] - now;
    }
    const SlotsMoved moved =
        slots_moved(renumbered(old_ring, new_index), new_ring, std::vector<bool>(size_t{0xffff}, true));
    EXPECT_GE(moved.total, needed);
    return 100.0 * (moved.total - needed) / kDefaultSize;
  }
  std::string prefix() const { return "set" + std::to_string(GetParam()) + "-"; }
};

TEST_P(Disturbance, RemovalOfOneInAHundred) {
  const Pool before = equal_pool(prefix(), 100);
  Pool after = equal_pool(prefix(), 100);
  after.seats.erase(after.seats.begin() + GetParam() * 7 % 100);
  EXPECT_LE(excess_percent(before, after), 0.75);
  EXPECT_LE(excess_percent(after, before), 0.75) << "and adding it again";
}

TEST_P(Disturbance, HalvingOneWeightInAHundred) {
  const Pool before = equal_pool(prefix(), 100);
  Pool after = equal_pool(prefix(), 100);
  after.seats[static_cast<size_t>(GetParam() * 7 % 100)].weight = 50;
  EXPECT_LE(excess_percent(before, after), 0.60);
  EXPECT_LE(excess_percent(after, before), 0.60) << "and back";
}

TEST_P(Disturbance, RemovalOfOneInTen) {
  const Pool before = equal_pool(prefix(), 10);
  Pool after = equal_pool(prefix(), 10);
  after.seats.erase(after.seats.begin() + GetParam());
  EXPECT_LE(excess_percent(before, after), 1.0);
  EXPECT_LE(excess_percent(after, before), 1.0) << "and adding it again";
}

INSTANTIATE_TEST_SUITE_P(Names, Disturbance, ::testing::Range(0, 10));

TEST(SlotsMoved, CountsAllAndThoseOfSurvivors) {
  const Ring before{0, 1, 2, kNoSeat, 0};
  const Ring after{1, 1, 0, 0, 0};
  const SlotsMoved moved = slots_moved(before, after, {false, true, true});
  EXPECT_EQ(moved.total, 3u);
  EXPECT_EQ(moved.of_survivors, 1u) << "slot 2; slot 0 left a dead seat and slot 3 had nobody";
  EXPECT_THROW(slots_moved(before, Ring{0}, {true, true, true}), std::invalid_argument);
}

TEST(Renumbered, FollowsSeatsAcrossAChangeOfNumbers) {
  const Ring ring{0, 1, 2, kNoSeat};
  const std::vector<uint16_t> new_index{2, kNoSeat, 0};
  EXPECT_EQ(renumbered(ring, new_index), (Ring{2, kNoSeat, 0, kNoSeat}));
}

}  // namespace
}  // namespace warmswap::table
