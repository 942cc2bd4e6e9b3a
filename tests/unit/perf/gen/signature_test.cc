#include "perf/gen/signature.h"

#include <gtest/gtest.h>

#include <array>

namespace warmswap::gen {
namespace {

constexpr uint64_t kKey = 0x1234'5678'9abc'def0;
constexpr Signature kExample{
    .stream = 11, .flow = 0x0fed'cba9, .sequence = 0xdead'beef, .departure = 0x0123'4567'89ab'cdef};

TEST(Signature, ComesBackAsWritten) {
  std::array<uint8_t, kSignatureBytes> bytes{};
  write_signature(bytes.data(), kExample, kKey);
  Signature read;
  ASSERT_TRUE(read_signature(bytes.data(), kKey, read));
  EXPECT_EQ(read.stream, kExample.stream);
  EXPECT_EQ(read.flow, kExample.flow);
  EXPECT_EQ(read.sequence, kExample.sequence);
  EXPECT_EQ(read.departure, kExample.departure);
  EXPECT_FALSE(read_signature(bytes.data(), kKey + 1, read)) << "another seed's packets are not ours";
}

TEST(Signature, StandsOnTheWireAsDocumented) {
  std::array<uint8_t, kSignatureBytes> bytes{};
  write_signature(bytes.data(), kExample, kKey);
  const std::array<uint8_t, 16> expected{0xbf, 0xed, 0xcb, 0xa9, 0xde, 0xad, 0xbe, 0xef,
                                         0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(bytes[i + 2], expected[i]) << i;
}

TEST(Signature, AnyFlippedBitShows) {
  std::array<uint8_t, kSignatureBytes> bytes{};
  write_signature(bytes.data(), kExample, kKey);
  Signature read;
  int missed = 0;
  for (size_t bit = 0; bit < 8 * kSignatureBytes; ++bit) {
    bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    missed += read_signature(bytes.data(), kKey, read) ? 1 : 0;
    bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
  }
  EXPECT_EQ(missed, 0);
}

TEST(CompactSignature, LeavesPortsFlagsAndChecksumAlone) {
  std::array<uint8_t, 20> tcp{};
  tcp.fill(0xaa);
  write_compact_signature(tcp.data(), kExample, kKey);
  for (const size_t untouched : {0, 1, 2, 3, 12, 13, 16, 17}) EXPECT_EQ(tcp[untouched], 0xaa) << untouched;
  Signature read;
  ASSERT_TRUE(read_compact_signature(tcp.data(), kKey, read));
  EXPECT_EQ(read.stream, kExample.stream);
  EXPECT_EQ(read.sequence, kExample.sequence);
  EXPECT_EQ(read.departure, kExample.departure & kCompactDepartureMask);
  EXPECT_FALSE(read_compact_signature(tcp.data(), kKey + 1, read));
  for (const size_t at : {4, 8, 14, 18}) {
    tcp[at] ^= 0x10;
    EXPECT_FALSE(read_compact_signature(tcp.data(), kKey, read)) << at;
    tcp[at] ^= 0x10;
  }
}

TEST(CompactSignature, DepartureExpandsToTheLatestThatFits) {
  for (const uint64_t departure : {uint64_t{4}, uint64_t{1} << 40, (uint64_t{3} << 34) - 4, uint64_t{1} << 34}) {
    for (const uint64_t passed :
         {uint64_t{0}, uint64_t{3}, uint64_t{1000}, uint64_t{1} << 33, (uint64_t{1} << 34) - 4}) {
      EXPECT_EQ(expand_departure(departure & kCompactDepartureMask, departure + passed), departure)
          << departure << " " << passed;
    }
  }
}

}  // namespace
}  // namespace warmswap::gen
