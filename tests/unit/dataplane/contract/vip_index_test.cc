#include "dataplane/contract/vip_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <tuple>

namespace warmswap::contract {
namespace {

constexpr HashKey kSecret{0x0123456789abcdefULL, 0xfedcba9876543210ULL};
using Random = std::independent_bits_engine<std::mt19937_64, 32, uint32_t>;

constexpr uint8_t kTcp = 6;
constexpr uint8_t kUdp = 17;

VipPlacement vip(uint32_t address, uint16_t port, uint8_t protocol, uint32_t id) {
  return {{Be32(address), Be16(port), protocol}, id, id % 7};
}

class Index {
 public:
  explicit Index(std::span<const VipPlacement> vips, HashKey secret = kSecret)
      : secret_(secret), buckets_(build_vip_index(vips, secret).value()) {}

  const VipEntry* find(uint32_t address, uint16_t port, uint8_t protocol) const {
    const VipKey key{Be32(address), Be16(port), protocol};
    return find_vip(buckets_.data(), mask(), vip_home(secret_, key, mask()), key);
  }
  uint32_t mask() const { return static_cast<uint32_t>(buckets_.size() - 1); }
  const std::vector<VipBucket>& buckets() const { return buckets_; }

 private:
  HashKey secret_;
  std::vector<VipBucket> buckets_;
};

/// 10 000 vips as an operator would number them: neighbouring addresses, a few ports each. The worst case for a weak
/// hash.
std::vector<VipPlacement> many_vips() {
  std::vector<VipPlacement> vips;
  for (uint32_t i = 0; i < 10000; ++i) {
    vips.push_back(vip(0xc6336400 + i / 4, static_cast<uint16_t>(i % 4 == 3 ? 0 : 80 + i % 4), kTcp, i));
  }
  return vips;
}

TEST(VipIndex, AnEmptyListFindsNothing) {
  const Index index({});
  EXPECT_EQ(index.buckets().size(), 1u);
  EXPECT_EQ(index.find(0xc633640a, 80, kTcp), nullptr);
  EXPECT_EQ(index.find(0, 0, 0), nullptr);  // an empty entry is all zeros but for its pool
}

TEST(VipIndex, TellsExactAnyPortAndAddressApart) {
  const std::vector<VipPlacement> vips = {vip(0xc633640a, 80, kTcp, 1), vip(0xc633640a, 0, kUdp, 2)};
  const Index index(vips);
  ASSERT_NE(index.find(0xc633640a, 80, kTcp), nullptr);
  EXPECT_EQ(index.find(0xc633640a, 80, kTcp)->vip, 1u);
  EXPECT_EQ(index.find(0xc633640a, 80, kTcp)->pool, 1u);
  EXPECT_EQ(index.find(0xc633640a, 81, kTcp), nullptr);
  ASSERT_NE(index.find(0xc633640a, 0, kUdp), nullptr);
  EXPECT_EQ(index.find(0xc633640a, 0, kUdp)->vip, 2u);
  EXPECT_EQ(index.find(0xc633640a, 0, kTcp), nullptr);
  EXPECT_NE(index.find(0xc633640a, 0, 0), nullptr);
  EXPECT_EQ(index.find(0xc633640b, 0, 0), nullptr);
}

TEST(VipIndex, AgreesWithAMapOverRandomVips) {
  Random random(3);
  for (int round = 0; round < 50; ++round) {
    std::map<std::tuple<uint32_t, uint16_t, uint8_t>, uint32_t> expected;
    std::vector<VipPlacement> vips;
    const size_t wanted = random() % 300;
    while (vips.size() < wanted) {
      const auto id = static_cast<uint32_t>(vips.size());
      const VipPlacement v =
          vip(0x0a000000 + random() % 64, static_cast<uint16_t>(random() % 16), random() % 2 == 0 ? kTcp : kUdp, id);
      if (expected.try_emplace({v.key.address.host(), v.key.port.host(), v.key.protocol}, id).second) vips.push_back(v);
    }
    const Index index(vips, HashKey{random(), random()});
    for (uint32_t address = 0x0a000000; address < 0x0a000000 + 64; ++address) {
      bool present = false;
      for (uint16_t port = 0; port < 16; ++port) {
        for (const uint8_t protocol : {kTcp, kUdp}) {
          const auto at = expected.find({address, port, protocol});
          const VipEntry* found = index.find(address, port, protocol);
          ASSERT_EQ(found != nullptr, at != expected.end());
          if (found == nullptr) continue;
          ASSERT_EQ(found->vip, at->second);
          present = true;
        }
      }
      ASSERT_EQ(index.find(address, 0, 0) != nullptr, present);
    }
  }
}

TEST(VipIndex, LookUpsStayShortAtTenThousandVips) {
  const std::vector<VipPlacement> vips = many_vips();
  for (const HashKey secret : {kSecret, HashKey{}, HashKey{~uint64_t{0}, ~uint64_t{0}}}) {
    const Index index(vips, secret);
    size_t lines = 0;
    for (const VipPlacement& v : vips) {
      const uint32_t home = vip_home(secret, v.key, index.mask());
      const VipEntry* found = find_vip(index.buckets().data(), index.mask(), home, v.key);
      ASSERT_NE(found, nullptr);
      ASSERT_EQ(found->vip, v.vip);
      const auto bucket = static_cast<uint32_t>(reinterpret_cast<const VipBucket*>(found) - index.buckets().data());
      lines += ((bucket - home) & index.mask()) + 1;
    }
    EXPECT_LT(static_cast<double>(lines) / static_cast<double>(vips.size()), 1.1);
  }
}

TEST(VipIndex, MissesEndAtABucketWithRoom) {
  const Index index(many_vips());
  Random random(5);
  size_t lines = 0;
  constexpr int kMisses = 10000;
  for (int i = 0; i < kMisses; ++i) {
    const VipKey key{Be32(0x08000000 + random() % 0x1000000), Be16(80), kTcp};
    uint32_t at = vip_home(kSecret, key, index.mask());
    ++lines;
    while (probe_vip(index.buckets()[at], vip_word(key)).more) at = (at + 1) & index.mask(), ++lines;
  }
  EXPECT_LT(static_cast<double>(lines) / kMisses, 1.2);
}

TEST(VipIndex, DoesNotDependOnTheOrderOfTheList) {
  std::vector<VipPlacement> vips = many_vips();
  const Index first(vips);
  std::shuffle(vips.begin(), vips.end(), std::mt19937(7));
  const Index second(vips);
  ASSERT_EQ(first.buckets().size(), second.buckets().size());
  EXPECT_EQ(std::memcmp(first.buckets().data(), second.buckets().data(), first.buckets().size() * sizeof(VipBucket)),
            0);
}

TEST(VipIndex, EveryUsedEntryHoldsIndicesOfAGivenVip) {
  const Index index(many_vips());
  for (const VipBucket& bucket : index.buckets()) {
    for (const VipEntry& entry : bucket.entries) {
      if (entry.pool == kNoPool) continue;
      EXPECT_LT(entry.vip, 10000u);
      EXPECT_EQ(entry.pool, entry.vip % 7);
    }
  }
}

TEST(VipIndex, ALookUpEndsInATableWithoutRoom) {
  std::vector<VipBucket> full(2);
  for (VipBucket& bucket : full) {
    for (VipEntry& entry : bucket.entries) entry = {Be32(1), Be16(1), kTcp, 0, 0, 0};
  }
  EXPECT_EQ(find_vip(full.data(), 1, 0, {Be32(2), Be16(1), kTcp}), nullptr);
}

TEST(VipIndex, RefusesTwoVipsWithOneKey) {
  const std::vector<VipPlacement> vips = {vip(0xc633640a, 80, kTcp, 1), vip(0xc633640b, 80, kTcp, 2),
                                          vip(0xc633640a, 80, kTcp, 3)};
  const auto built = build_vip_index(vips, kSecret);
  ASSERT_FALSE(built.ok());
  EXPECT_EQ(built.error(),
            "vip 198.51.100.10 protocol 6 port 80: given twice; expected each address, protocol and port once");
}

TEST(VipIndex, RefusesProtocolZeroAndNoPool) {
  const std::vector<VipPlacement> zero = {vip(0xc633640a, 80, 0, 1)};
  EXPECT_FALSE(build_vip_index(zero, kSecret).ok());
  std::vector<VipPlacement> homeless = {vip(0xc633640a, 80, kTcp, 1)};
  homeless[0].pool = kNoPool;
  EXPECT_FALSE(build_vip_index(homeless, kSecret).ok());
}

}  // namespace
}  // namespace warmswap::contract
