#include "dataplane/contract/flow_hash.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

namespace warmswap::contract {
namespace {

constexpr HashKey kReferenceKey{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};  // bytes 00..0f

TEST(SipHash13, AgreesWithTheReferenceImplementation) {
  // Output of the authors' reference implementation (c = 1, d = 3) for messages 00, 01, .. of length 0..15.
  constexpr uint64_t kPublished[] = {
      0xabac0158050fc4dcULL, 0xc9f49bf37d57ca93ULL, 0x82cb9b024dc7d44dULL, 0x8bf80ab8e7ddf7fbULL,
      0xcf75576088d38328ULL, 0xdef9d52f49533b67ULL, 0xc50d2b50c59f22a7ULL, 0xd3927d989bb11140ULL,
      0x369095118d299a8eULL, 0x25a48eb36c063de4ULL, 0x79de85ee92ff097fULL, 0x70c118c1f94dc352ULL,
      0x78a384b157b4d9a2ULL, 0x306f760c1229ffa7ULL, 0x605aa111c0f95d34ULL, 0xd320d86d2a519956ULL,
  };
  std::array<uint8_t, 16> message;
  std::iota(message.begin(), message.end(), uint8_t{0});
  for (size_t length = 0; length < std::size(kPublished); ++length) {
    EXPECT_EQ(sip_hash(kReferenceKey, message.data(), length), kPublished[length]) << length << " bytes";
  }
}

std::array<uint8_t, 13> message_of(const FlowKey& flow) {
  std::array<uint8_t, 13> message;
  store(&message[0], flow.source);
  store(&message[4], flow.destination);
  store(&message[8], flow.source_port);
  store(&message[10], flow.destination_port);
  message[12] = flow.protocol;
  return message;
}

TEST(FlowHash, IsSipHashOfTheThirteenByteString) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 10000; ++i) {
    const HashKey key{random(), random()};
    const FlowKey flow{Be32(static_cast<uint32_t>(random())), Be32(static_cast<uint32_t>(random())),
                       Be16(static_cast<uint16_t>(random())), Be16(static_cast<uint16_t>(random())),
                       static_cast<uint8_t>(random())};
    const auto message = message_of(flow);
    ASSERT_EQ(flow_hash(key, flow), sip_hash(key, message.data(), message.size()));
  }
}

TEST(FlowHash, AgreesWithThePythonOracle) {
  // From tests/support/siphash.py, key 00..0f, ring of 65537 slots.
  struct Row {
    uint32_t source, destination;
    uint16_t source_port, destination_port;
    uint8_t protocol;
    uint64_t hash;
    uint32_t slot;
  };
  constexpr Row kRows[] = {
      {0xa54dca18, 0xc6336425, 12337, 443, 6, 0x32d72e6646585137ULL, 13015},
      {0x6d132cde, 0xc63364d6, 9156, 80, 6, 0x213e3240ea613c92ULL, 8510},
      {0xd91e3f72, 0xc633641f, 51993, 80, 6, 0x209f8cddbe3284c3ULL, 8351},
      {0x174494d6, 0xc6336449, 15439, 53, 17, 0x007158830f79820dULL, 113},
      {0x5c3460be, 0xc6336431, 8229, 53, 6, 0xd81b8e19dd3dc712ULL, 55324},
      {0x69fedaa0, 0xc63364ee, 59399, 443, 17, 0xdca377d976d2c6dbULL, 56484},
  };
  for (const Row& row : kRows) {
    const FlowKey flow{Be32(row.source), Be32(row.destination), Be16(row.source_port), Be16(row.destination_port),
                       row.protocol};
    EXPECT_EQ(flow_hash(kReferenceKey, flow), row.hash);
    EXPECT_EQ(ring_slot(row.hash, 65537), row.slot);
  }
}

TEST(RingSlot, StaysInTheRingAndReachesBothEnds) {
  for (const uint32_t size : {2u, 3u, 251u, 65537u, 1u << 24}) {
    EXPECT_EQ(ring_slot(0, size), 0u);
    EXPECT_EQ(ring_slot(~uint64_t{0}, size), size - 1);
  }
}

TEST(RingSlot, SpreadsFlowsEvenly) {
  // 50 000 flows of one client subnet over 50 slots: chi-squared with 49 degrees of freedom stays below 85.4 in 99.9 %
  // of cases; the flows are fixed, so this cannot flicker.
  constexpr uint32_t kSlots = 50;
  std::vector<int> hits(kSlots);
  for (uint32_t i = 0; i < 50000; ++i) {
    const FlowKey flow{Be32(0xc0000200 + i % 250), Be32(0xc633640a), Be16(static_cast<uint16_t>(1024 + i / 250)),
                       Be16(80), 6};
    ++hits[ring_slot(flow_hash(kReferenceKey, flow), kSlots)];
  }
  double chi_squared = 0;
  for (const int n : hits) chi_squared += (n - 1000.0) * (n - 1000.0) / 1000.0;
  EXPECT_LT(chi_squared, 85.4);
}

TEST(FlowEntropy, DoesNotDependOnTheSlot) {
  // Flows of one slot still use all values of the entropy's low 4 bits.
  std::array<int, 16> seen{};
  for (uint32_t i = 0; i < 20000; ++i) {
    const FlowKey flow{Be32(0xc0000200 + i), Be32(0xc633640a), Be16(40000), Be16(80), 6};
    const uint64_t hash = flow_hash(kReferenceKey, flow);
    if (ring_slot(hash, 10) == 3) ++seen[flow_entropy(hash) & 0xf];
  }
  for (const int n : seen) EXPECT_NEAR(n, 125, 60);
}

}  // namespace
}  // namespace warmswap::contract
