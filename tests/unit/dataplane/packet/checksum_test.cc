#include "dataplane/packet/checksum.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/dataplane/packet/frames.h"

namespace warmswap::packet {
namespace {

TEST(Checksum, OfTheExampleInRfc1071) {
  // RFC 1071 §3: bytes 00 01 f2 03 f4 f5 f6 f7 sum to ddf2.
  const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  EXPECT_EQ(contract::Be16::from_raw(header_sum(bytes, 2)).host(), 0xddf2);
}

uint16_t fold_slowly(uint64_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

TEST(Checksum, FoldAgreesWithAddingWordByWord) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    const uint64_t value = random() >> (random() % 64);
    ASSERT_EQ(fold(value), fold_slowly(value));
    ASSERT_EQ(fold(static_cast<uint32_t>(value)), fold_slowly(value & 0xffffffff));
  }
  EXPECT_EQ(fold(~uint64_t{0}), 0xffff);
  EXPECT_EQ(fold(~uint32_t{0}), 0xffff);
  EXPECT_EQ(fold(uint64_t{0}), 0);
}

TEST(Checksum, AValidHeaderSumsToAllOnes) {
  test::Random random(2);
  for (int i = 0; i < 1000; ++i) {
    const test::FrameShape shape = test::random_shape(random);
    const test::Bytes frame = test::make_frame(shape);
    const uint8_t* ip = &frame[14 + 4 * shape.tags.size()];
    ASSERT_EQ(header_sum(ip, 5 + shape.option_words), 0xffff);
  }
}

}  // namespace
}  // namespace warmswap::packet
