#include "dataplane/contract/arena.h"

#include <gtest/gtest.h>

#include <random>

namespace warmswap::contract {
namespace {

TEST(Arena, RandomUseNeverOverlapsAndComesBackWhole) {
  constexpr uint64_t kBytes = 1 << 16;
  Arena arena(4096, kBytes);
  std::mt19937 random(1);
  std::map<Offset, uint64_t> live;
  for (int i = 0; i < 20'000; ++i) {
    if (live.empty() || random() % 2 == 0) {
      const uint64_t bytes = random() % 3000;
      const auto at = arena.allocate(bytes);
      if (!at) continue;
      EXPECT_EQ(*at % kCacheLine, 0u);
      EXPECT_GE(*at, 4096 + sizeof(BlockHeader));
      EXPECT_LE(*at + bytes, 4096 + kBytes);
      const auto next = live.upper_bound(*at);
      if (next != live.end()) {
        ASSERT_LE(*at + bytes + sizeof(BlockHeader), next->first);
      }
      if (next != live.begin()) {
        ASSERT_LE(std::prev(next)->first + std::prev(next)->second + sizeof(BlockHeader), *at);
      }
      live.emplace(*at, bytes);
    } else {
      auto victim = std::next(live.begin(), static_cast<long>(random() % live.size()));
      arena.release(victim->first);
      live.erase(victim);
    }
  }
  for (const auto& [at, bytes] : live) arena.release(at);
  EXPECT_EQ(arena.free_bytes(), kBytes);
  ASSERT_EQ(arena.holes().size(), 1u) << "neighbouring holes must merge";
  EXPECT_EQ(arena.holes()[0].bytes, kBytes);
}

TEST(Arena, ReserveRefusesOverlapAndOutside) {
  Arena arena(4096, 8192);
  EXPECT_TRUE(arena.reserve(4096 + 1024, 100));
  EXPECT_FALSE(arena.reserve(4096 + 1024, 100));
  EXPECT_FALSE(arena.reserve(4096 + 1024 + 64, 10));
  EXPECT_FALSE(arena.reserve(64, 10));
  EXPECT_FALSE(arena.reserve(4096 + 64, 1 << 20));
  EXPECT_FALSE(arena.reserve(4096 + 64, ~uint64_t{0} - 32));
  EXPECT_FALSE(arena.allocate(~uint64_t{0} - 10).has_value());
}

}  // namespace
}  // namespace warmswap::contract
