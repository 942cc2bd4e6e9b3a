#include "dataplane/balance/columns.h"

#include <gtest/gtest.h>

#include "dataplane/packet/parse.h"
#include "tests/unit/dataplane/packet/frames.h"

namespace warmswap::balance {
namespace {

using contract::load;
using test::Bytes;
using test::FrameShape;

HeaderWords words_of(const packet::Packet& packet, uint32_t ip_offset) {
  const uint8_t* ip = packet.frame + ip_offset;
  return {load<uint64_t>(ip),       load<uint64_t>(ip + 8), load<uint64_t>(ip + 16), load<uint64_t>(ip + 24), ip[32],
          packet.length - ip_offset};
}

/// The arithmetic and the parser are two readings of the same bytes: they must agree on what is a plain flow, and on
/// everything about it.
void expect_agreement(const Bytes& frame) {
  test::ExactBuffer buffer(frame);
  const packet::Packet& packet = buffer.packet();
  if (!is_plain(packet.frame, packet.contiguous, packet.headroom)) return;
  const packet::ParsedFrame parsed = packet::parse(buffer.packet());
  const Facts facts = facts_of(words_of(buffer.packet(), 14));
  const bool plain_flow = parsed.kind == packet::FrameKind::flow && frame[14] == 0x45;
  ASSERT_EQ(facts.odd == 0, plain_flow);
  if (!plain_flow) return;
  const contract::FlowKey flow = parsed.flow_key();
  const contract::FlowWords flow_words = contract::flow_words(flow);
  ASSERT_EQ(facts.length, parsed.ip_length);
  ASSERT_EQ(facts.first, flow_words.first);
  ASSERT_EQ(facts.second, flow_words.second);
  ASSERT_EQ(facts.vip_word, contract::vip_word({flow.destination, flow.destination_port, flow.protocol}));
}

TEST(Columns, AgreeWithTheParserOnGoodFrames) {
  test::Random random(21);
  for (int i = 0; i < 20000; ++i) {
    FrameShape shape = test::random_shape(random);
    shape.tags.clear();
    expect_agreement(test::make_frame(shape));
    if (HasFatalFailure()) return;
  }
}

TEST(Columns, AgreeWithTheParserOnBrokenOnes) {
  test::Random random(22);
  for (int i = 0; i < 300000; ++i) {
    FrameShape shape = test::random_shape(random);
    shape.tags.clear();
    shape.option_words = 0;
    shape.payload = random() % 40;
    Bytes frame = test::make_frame(shape);
    for (uint32_t changes = random() % 3; changes > 0; --changes) {
      frame[14 + random() % 24] = static_cast<uint8_t>(random() % 3 == 0 ? 0xff : random());
    }
    frame.resize(frame.size() - random() % 3 * (random() % 8));
    if (frame[14] == 0x45 && random() % 8 != 0) test::write_ip_checksum(&frame[14]);
    expect_agreement(frame);
    if (HasFatalFailure()) return;
  }
}

TEST(Columns, AgreeWithTheParserOnEveryProtocolFlagAndLength) {
  const auto each = [](auto change) {
    for (uint32_t value = 0; value < 256; ++value) {
      Bytes frame = test::make_frame({.payload = 20});
      change(frame, static_cast<uint8_t>(value));
      test::write_ip_checksum(&frame[14]);
      expect_agreement(frame);
    }
  };
  each([](Bytes& frame, uint8_t value) { frame[14 + 9] = value; });        // protocol
  each([](Bytes& frame, uint8_t value) { frame[14 + 6] = value; });        // flags and high offset
  each([](Bytes& frame, uint8_t value) { frame[14 + 7] = value; });        // low offset
  each([](Bytes& frame, uint8_t value) { frame[14 + 3] = value; });        // total length
  each([](Bytes& frame, uint8_t value) { frame[14 + 20 + 12] = value; });  // TCP data offset
}

}  // namespace
}  // namespace warmswap::balance
