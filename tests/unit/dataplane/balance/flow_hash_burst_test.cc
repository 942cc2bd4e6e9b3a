#include "dataplane/balance/flow_hash_burst.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace warmswap::balance {
namespace {

TEST(FlowHashBurst, EqualsTheHashOfEachFlowForEveryCount) {
  constexpr size_t kMost = 70;  // more than any vector width, with a remainder
  std::mt19937_64 random(1);
  for (size_t count = 0; count <= kMost; ++count) {
    const contract::HashKey key{random(), random()};
    std::array<uint64_t, kMost> first{}, second{};
    std::array<uint64_t, kMost + 1> hashes{};
    for (size_t i = 0; i < count; ++i) first[i] = random(), second[i] = random();
    hashes[count] = 0x5555;
    flow_hash_burst(key, first.data(), second.data(), hashes.data(), count);
    for (size_t i = 0; i < count; ++i) {
      ASSERT_EQ(hashes[i], contract::flow_hash(key, contract::FlowWords{first[i], second[i]})) << i << " of " << count;
    }
    ASSERT_EQ(hashes[count], 0x5555u) << "wrote behind the last of " << count;
  }
}

}  // namespace
}  // namespace warmswap::balance
