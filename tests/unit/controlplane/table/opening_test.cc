// Seats that are open in part: nested, in proportion, within what their holders accept.
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/controlplane/table/pools.h"

namespace warmswap::table {
namespace {

uint16_t random_part(std::mt19937_64& random, uint32_t most) {
  return static_cast<uint16_t>(random() % (most + 1));
}

/// Some whole, some dead, some with surplus, orphans or little room.
std::vector<Opening> random_openings(std::mt19937_64& random, size_t seats) {
  std::vector<Opening> openings(seats);
  for (Opening& opening : openings) {
    if (random() % 2 == 0) opening.planned = random_part(random, kWhole);
    opening.holder = random() % 4 == 0 ? 0 : random() % 2 == 0 ? opening.planned : random_part(random, opening.planned);
    if (random() % 3 == 0) opening.inherit = random_part(random, kWhole);
    if (random() % 4 == 0) opening.inherits = false;
    if (random() % 3 == 0) opening.dealt = random_part(random, kWhole);
    if (random() % 3 == 0) opening.accept = random_part(random, kWhole);
  }
  return openings;
}

bool takes_all(const Opening& opening) {
  return opening.served() > 0 && opening.inherit == kWhole && opening.inherits && opening.accept == kWhole;
}

TEST(Opening, ASeatThatServesMoreGainsAndNobodyElseMoves) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 200; ++round) {
    const Pool pool = random_pool(random);
    const Ring base = base_ring(random_ring_size(random), pool.seats);
    std::vector<Opening> openings = random_openings(random, pool.seats.size());
    const size_t seat = random() % openings.size();
    Opening& opening = openings[seat];
    opening.planned = kWhole;
    opening.holder = random_part(random, kWhole - 1);
    const Ring before = re_deal(base, pool.seats, openings);
    opening.holder = static_cast<uint16_t>(opening.holder + 1 + random_part(random, kWhole - opening.holder - 1u));
    const Ring after = re_deal(base, pool.seats, openings);
    // Without anybody wholly willing, slots that nobody takes are a matter of who is first at all.
    const bool willing = std::any_of(openings.begin(), openings.end(), takes_all);
    for (size_t slot = 0; slot < after.size() && willing; ++slot) {
      if (after[slot] == before[slot]) continue;
      ASSERT_EQ(after[slot], seat) << "slot " << slot << " moved between seats that did not change, round " << round;
    }
  }
}

TEST(Opening, NoSlotOfAWholeSeatMovesWhateverTheOthersDo) {
  std::mt19937_64 random(12);
  for (int round = 0; round < 100; ++round) {
    const Pool pool = random_pool(random);
    const Ring base = base_ring(random_ring_size(random), pool.seats);
    const std::vector<Opening> openings = random_openings(random, pool.seats.size());
    const Ring ring = re_deal(base, pool.seats, openings);
    for (size_t slot = 0; slot < ring.size(); ++slot) {
      if (base[slot] == kNoSeat || openings[base[slot]].served() != kWhole) continue;
      ASSERT_EQ(ring[slot], base[slot]);
    }
  }
}

TEST(Opening, SurplusGoesWhereItIsAcceptedAndADeathDoesNotChangeThat) {
  const Pool pool = pool_of("hot", {100, 100, 200, 100, 50});
  const Ring base = base_ring(kDefaultSize, pool.seats);
  std::vector<Opening> openings(5);
  openings[1] = {.holder = 512, .planned = 512, .accept = 0};
  openings[2] = {.holder = 768, .planned = 768, .accept = 0};
  openings[4].accept = kWhole / 2;
  const Ring planned = re_deal(base, pool.seats, openings);
  const std::vector<uint32_t> own = slots_per_seat(base, 5);
  const std::vector<uint32_t> slots = slots_per_seat(planned, 5);
  const double surplus = own[1] / 2.0 + own[2] / 4.0;
  EXPECT_NEAR(slots[1], own[1] / 2.0, own[1] * 0.02);
  EXPECT_NEAR(slots[2], own[2] * 0.75, own[2] * 0.02);
  EXPECT_NEAR(slots[0] - own[0], surplus * 100 / 225, surplus * 0.05);
  EXPECT_NEAR(slots[4] - own[4], surplus * 25 / 225, surplus * 0.05);
  for (const size_t dead : {size_t{0}, size_t{1}}) {
    std::vector<Opening> one_dead = openings;
    one_dead[dead].holder = 0;
    const Ring after = re_deal(base, pool.seats, one_dead);
    for (size_t slot = 0; slot < after.size(); ++slot) {
      if (planned[slot] != dead) {
        ASSERT_EQ(after[slot], planned[slot]) << "a survivor's slot moved";
      }
    }
  }
}

TEST(Opening, OrphansAreSharedOutByWeightAndRoom) {
  const std::vector<uint32_t> weights{300, 100, 200, 100, 100};
  const std::vector<uint32_t> rooms{kWhole, kWhole, kWhole / 2, kWhole / 10, 0};
  const Pool pool = pool_of("hot", weights);
  const Ring base = base_ring(kDefaultSize, pool.seats);
  const std::vector<uint32_t> own = slots_per_seat(base, 5);
  std::vector<Opening> openings(5);
  for (size_t s = 0; s < 5; ++s) openings[s].inherit = static_cast<uint16_t>(rooms[s]);
  openings[0].holder = 0;
  const std::vector<uint32_t> one = slots_per_seat(re_deal(base, pool.seats, openings), 5);
  for (size_t s = 1; s < 5; ++s) {
    const double exact = own[0] * (weights[s] * rooms[s]) / (100.0 * (rooms[1] + 2 * rooms[2] + rooms[3]));
    EXPECT_NEAR(one[s] - own[s], exact, exact * 0.01 + 1) << "seat " << s;
  }
  // A second failure: the rest share both in the same proportions, and what they had inherited stays.
  const Ring before = re_deal(base, pool.seats, openings);
  openings[1].holder = 0;
  const Ring after = re_deal(base, pool.seats, openings);
  const std::vector<uint32_t> two = slots_per_seat(after, 5);
  EXPECT_NEAR(two[3] - own[3], (own[0] + own[1]) / 11.0, own[0] / 11.0 * 0.06);
  for (size_t slot = 0; slot < before.size(); ++slot) {
    if (before[slot] != 1) {
      ASSERT_EQ(after[slot], before[slot]);
    }
  }
}

TEST(Opening, WhoTakesNoOrphansChangesNothingForTheOthers) {
  const Pool pool = equal_pool("hot", 5);
  const Ring base = base_ring(kDefaultSize, pool.seats);
  std::vector<Opening> openings(5);
  openings[0] = Opening::closed();
  openings[3].inherit = kWhole / 2;
  const Ring all = re_deal(base, pool.seats, openings);
  openings[1].inherits = false;
  const Ring without = re_deal(base, pool.seats, openings);
  const std::vector<uint32_t> own = slots_per_seat(base, 5);
  const std::vector<uint32_t> slots = slots_per_seat(without, 5);
  EXPECT_EQ(slots[1], own[1]);
  EXPECT_NEAR(slots[3] - own[3], own[0] / 5.0, own[0] * 0.02) << "half a part of two and a half";
  for (size_t slot = 0; slot < all.size(); ++slot) {
    if (all[slot] != 1) {
      ASSERT_EQ(without[slot], all[slot]);
    }
  }
  for (Opening& opening : openings) opening.inherits = false;
  const Ring crowded = re_deal(base, pool.seats, openings);
  EXPECT_EQ(std::count(crowded.begin(), crowded.end(), kNoSeat), 0) << "no room is no reason to drop";
}

TEST(Opening, OnlyTheOrphansThatAreDealtHaveAHome) {
  const Pool pool = equal_pool("hot", 4);
  const Ring base = base_ring(kDefaultSize, pool.seats);
  const std::vector<uint32_t> own = slots_per_seat(base, 4);
  std::vector<Opening> openings(4);
  openings[0] = {.holder = 256, .planned = 768};
  const Ring all = re_deal(base, pool.seats, openings);
  openings[0].dealt = 512;
  const Ring part = re_deal(base, pool.seats, openings);
  const auto dropped = std::count(part.begin(), part.end(), kNoSeat);
  EXPECT_NEAR(static_cast<double>(dropped), own[0] / 4.0, own[0] * 0.02)
      << "orphans are half of the seat, dealt a quarter";
  for (size_t slot = 0; slot < all.size(); ++slot) {
    if (part[slot] == kNoSeat) {
      ASSERT_EQ(base[slot], 0);
    } else {
      ASSERT_EQ(part[slot], all[slot]) << "what is dealt goes where it would go anyway";
    }
  }
  openings[0].dealt = 256;
  const Ring none = re_deal(base, pool.seats, openings);
  for (size_t slot = 0; slot < all.size(); ++slot) {
    if (part[slot] == kNoSeat) {
      ASSERT_EQ(none[slot], kNoSeat) << "fewer are dealt: nested";
    }
  }
  EXPECT_NEAR(slots_per_seat(none, 4)[0], own[0] / 4.0, own[0] * 0.02) << "it serves what it serves";
}

TEST(Opening, AGuestHasANestedPartOfItsSeatAndOfNoOther) {
  const std::vector<OwnedSeat> seats{{"a", 100}, {"b", 100}, {"c", 100}};
  const PoolRing whole({}, kDefaultSize, seats, std::vector<Opening>(3));
  std::vector<uint16_t> before(kDefaultSize, 0);
  for (const uint16_t share : std::initializer_list<uint16_t>{100, 300, 900}) {
    std::vector<Opening> openings(3);
    openings[1] = {.holder = static_cast<uint16_t>(kWhole - share), .guest = share};
    const PoolRing ring(whole, kDefaultSize, seats, openings);
    ASSERT_EQ(ring.records(), (std::vector<uint16_t>{0, 1, 2, 1}));
    EXPECT_NEAR(ring.slots()[3], whole.slots()[1] * share / 1024.0, whole.slots()[1] * 0.02);
    EXPECT_EQ(ring.slots()[1] + ring.slots()[3], whole.slots()[1]);
    for (uint32_t slot = 0; slot < kDefaultSize; ++slot) {
      const bool guest = ring.ring()[slot] == 3;
      ASSERT_TRUE(guest || ring.ring()[slot] == whole.ring()[slot]) << "only slots of b go to its guest";
      ASSERT_TRUE(guest || before[slot] == 0) << "what the guest had it keeps";
      before[slot] = guest;
    }
  }
}

}  // namespace
}  // namespace warmswap::table
