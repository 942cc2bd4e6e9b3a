#include "perf/micro/plain_maglev.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace warmswap::perf {
namespace {

using table::Ring;
using table::RingSeat;

constexpr uint32_t kSlots = 4099;

class PlainMaglev : public ::testing::Test {
 protected:
  /// Backends named b0, b1, … of these weights.
  std::vector<RingSeat> backends(const std::vector<uint32_t>& weights) {
    names_.clear();
    names_.reserve(weights.size());
    std::vector<RingSeat> seats;
    for (const uint32_t weight : weights) {
      names_.push_back("b" + std::to_string(names_.size()));
      seats.push_back({names_.back(), weight});
    }
    return seats;
  }
  static std::vector<uint32_t> shares(const Ring& ring, size_t count) { return table::slots_per_seat(ring, count); }

 private:
  std::vector<std::string> names_;
};

TEST_F(PlainMaglev, EqualBackendsDifferByOneSlotAtMost) {
  const Ring ring = plain_maglev(kSlots, backends(std::vector<uint32_t>(100, 7)));
  const std::vector<uint32_t> owned = shares(ring, 100);
  const auto [least, most] = std::minmax_element(owned.begin(), owned.end());
  EXPECT_LE(*most - *least, 1u);
  EXPECT_EQ(std::count(ring.begin(), ring.end(), table::kNoSeat), 0);
}

TEST_F(PlainMaglev, TurnsFollowTheWeights) {
  const std::vector<uint32_t> owned = shares(plain_maglev(kSlots, backends({100, 50, 25, 0})), 4);
  EXPECT_NEAR(owned[0], kSlots * 4.0 / 7, 2);
  EXPECT_NEAR(owned[1], kSlots * 2.0 / 7, 2);
  EXPECT_NEAR(owned[2], kSlots * 1.0 / 7, 2);
  EXPECT_EQ(owned[3], 0u);
}

TEST_F(PlainMaglev, TheFirstTurnTakesThePreferredSlot) {
  // Alone a backend gets everything; its first choice among others is where it also is first when it comes first.
  const std::vector<RingSeat> two = backends({1, 1});
  const Ring forwards = plain_maglev(kSlots, two);
  const std::vector<RingSeat> swapped{two[1], two[0]};
  const Ring backwards = plain_maglev(kSlots, swapped);
  size_t same = 0;
  for (size_t slot = 0; slot < kSlots; ++slot) same += forwards[slot] == 1 - backwards[slot];
  EXPECT_GT(same, kSlots / 2) << "the order of turns decides only about slots that both want at once";
}

TEST_F(PlainMaglev, LosingABackendMovesSomeOfTheSurvivorsToo) {
  std::vector<RingSeat> all = backends(std::vector<uint32_t>(100, 1));
  const Ring before = plain_maglev(kSlots, all);
  std::vector<RingSeat> left(all.begin(), all.end() - 1);
  const Ring after = plain_maglev(kSlots, left);
  size_t moved = 0;
  for (size_t slot = 0; slot < kSlots; ++slot) moved += before[slot] != 99 && before[slot] != after[slot];
  // The paper accepts such disruption; a ring that had none would not be plain Maglev.
  EXPECT_GT(moved, 0u);
  EXPECT_LT(moved, kSlots / 10);
}

TEST_F(PlainMaglev, WithoutAnyWeightNobodyOwnsASlot) {
  const Ring ring = plain_maglev(kSlots, backends({0, 0}));
  EXPECT_EQ(static_cast<size_t>(std::count(ring.begin(), ring.end(), table::kNoSeat)), ring.size());
  EXPECT_EQ(plain_maglev(kSlots, {}).front(), table::kNoSeat);
}

}  // namespace
}  // namespace warmswap::perf
