#include "dataplane/packet/parse.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "tests/unit/dataplane/packet/frames.h"

namespace warmswap::packet {
namespace {

using test::Bytes;
using test::ExactBuffer;
using test::FrameShape;
using test::make_frame;

ParsedFrame parse_bytes(const Bytes& frame) {
  return parse(ExactBuffer(frame).packet());
}

/// A frame made from `shape` and then changed by `change(ip header)`, with a right header checksum again.
template <typename Change>
ParsedFrame parse_changed(const FrameShape& shape, Change change) {
  Bytes frame = make_frame(shape);
  uint8_t* ip = &frame[14 + 4 * shape.tags.size()];
  change(ip);
  test::write_ip_checksum(ip);
  return parse_bytes(frame);
}

#define EXPECT_OUTCOME(parsed, expected_kind, expected_reason)                     \
  do {                                                                             \
    const ParsedFrame outcome = (parsed);                                          \
    EXPECT_EQ(outcome.kind, FrameKind::expected_kind);                             \
    EXPECT_EQ(outcome.reason, DropReason::expected_reason) << int(outcome.reason); \
  } while (false)

TEST(Parse, ReadsEveryValidShape) {
  test::Random random(1);
  for (int i = 0; i < 20000; ++i) {
    const FrameShape shape = test::random_shape(random);
    const ParsedFrame parsed = parse_bytes(make_frame(shape));
    ASSERT_EQ(parsed.kind, FrameKind::flow);
    ASSERT_EQ(parsed.ip_offset, 14 + 4 * shape.tags.size());
    ASSERT_EQ(parsed.ip_length, 20 + 4 * shape.option_words + (shape.protocol == 6 ? 20 : 8) + shape.payload);
    const contract::FlowKey flow{contract::Be32(shape.source), contract::Be32(shape.destination),
                                 contract::Be16(shape.source_port), contract::Be16(shape.destination_port),
                                 shape.protocol};
    ASSERT_EQ(parsed.flow_key(), flow);
    ASSERT_EQ(parsed.destination(), flow.destination);
  }
}

TEST(Parse, LeavesWhatIsNotIpv4ToTheKernel) {
  for (const uint16_t type : std::initializer_list<uint16_t>{0x86dd, 0x0806, 0x88cc, 0x0000, 0x0040}) {
    Bytes frame = make_frame({});
    contract::store(&frame[12], contract::Be16(type));
    EXPECT_EQ(parse_bytes(frame).kind, FrameKind::other) << type;
  }
  EXPECT_EQ(parse_bytes(make_frame({.tags = {0x88a8, 0x8100, 0x8100}})).kind, FrameKind::other);
}

TEST(Parse, LeavesWhatWasSentToAGroupToTheKernel) {
  for (const uint8_t first : std::initializer_list<uint8_t>{0x01, 0x33, 0xff}) {
    Bytes frame = make_frame({});
    frame[0] = first;
    EXPECT_EQ(parse_bytes(frame).kind, FrameKind::other) << int{first};
  }
}

TEST(Parse, EveryPrefixOfAFrameIsTruncatedOrTooShortForItsLength) {
  for (const FrameShape& shape :
       {FrameShape{}, FrameShape{.tags = {0x88a8, 0x8100}, .option_words = 3, .protocol = 17}}) {
    const Bytes frame = make_frame(shape);
    const size_t headers = 14 + 4 * shape.tags.size() + 20 + 4 * shape.option_words;
    for (size_t length = 0; length < frame.size(); ++length) {
      const ParsedFrame parsed = parse_bytes(Bytes(frame.begin(), frame.begin() + static_cast<long>(length)));
      ASSERT_EQ(parsed.kind, FrameKind::malformed) << length;
      ASSERT_EQ(parsed.reason, length < headers ? DropReason::truncated : DropReason::bad_ip_total_length) << length;
    }
  }
}

TEST(Parse, HeadersInSeveralBuffersAreNotCalledTruncated) {
  const Bytes frame = make_frame({.tags = {0x8100}, .option_words = 2, .payload = 100});
  const size_t headers = 14 + 4 + 28 + 20;
  for (size_t contiguous = 0; contiguous < headers; ++contiguous) {
    const ParsedFrame parsed = parse(ExactBuffer(frame, 64, contiguous).packet());
    ASSERT_EQ(parsed.reason, DropReason::split_header) << contiguous;
    // As soon as the address can be read, it decides.
    ASSERT_EQ(parsed.kind, contiguous < 14 + 4 + 28 ? FrameKind::malformed : FrameKind::address_only) << contiguous;
  }
  EXPECT_EQ(parse(ExactBuffer(frame, 64, headers).packet()).kind, FrameKind::flow);
}

TEST(Parse, NamesABrokenIpHeader) {
  EXPECT_OUTCOME(parse_changed({}, [](uint8_t* ip) { ip[0] = 0x65; }), malformed, bad_ip_version);
  EXPECT_OUTCOME(parse_changed({}, [](uint8_t* ip) { ip[0] = 0x44; }), malformed, bad_ip_header_length);
  EXPECT_OUTCOME(parse_changed({}, [](uint8_t* ip) { ip[2] = 0, ip[3] = 19; }), malformed, bad_ip_total_length);
  EXPECT_OUTCOME(parse_changed({}, [](uint8_t* ip) { ip[3] = 41; }), malformed, bad_ip_total_length);
  EXPECT_OUTCOME(parse_changed({.option_words = 2}, [](uint8_t* ip) { ip[3] = 27; }), malformed, bad_ip_total_length);
}

TEST(Parse, AnySingleBitErrorInTheIpHeaderIsNoticed) {
  for (const uint32_t option_words : {0u, 10u}) {
    const Bytes good = make_frame({.option_words = option_words});
    for (size_t bit = 0; bit < (20 + 4 * option_words) * 8; ++bit) {
      Bytes frame = good;
      frame[14 + bit / 8] = static_cast<uint8_t>(frame[14 + bit / 8] ^ 1u << bit % 8);
      ASSERT_EQ(parse_bytes(frame).kind, FrameKind::malformed) << bit;
    }
  }
}

TEST(Parse, AFragmentHasNoPorts) {
  for (const uint16_t flags : std::initializer_list<uint16_t>{0x2000, 0x2001, 0x0001, 0x1fff, 0x6000}) {
    const ParsedFrame parsed = parse_bytes(make_frame({.flags_fragment = flags}));
    EXPECT_EQ(parsed.kind, FrameKind::address_only);
    EXPECT_EQ(parsed.reason, DropReason::fragment_unsupported);
    EXPECT_EQ(parsed.ports, 0u);
    EXPECT_EQ(parsed.protocol, 0);
    EXPECT_EQ(parsed.destination(), contract::Be32(0xc633640a));
  }
  EXPECT_EQ(parse_bytes(make_frame({.flags_fragment = 0x8000})).kind,
            FrameKind::flow);  // the reserved bit is no matter
}

TEST(Parse, OtherProtocolsAreDecidedByAddress) {
  EXPECT_OUTCOME(parse_changed({}, [](uint8_t* ip) { ip[9] = 1; }), address_only, icmp_unsupported);
  for (const uint8_t protocol : std::initializer_list<uint8_t>{2, 4, 47, 50, 132}) {
    EXPECT_OUTCOME(parse_changed({}, [=](uint8_t* ip) { ip[9] = protocol; }), address_only, no_vip_port);
  }
}

TEST(Parse, NamesABrokenTransportHeader) {
  const auto length = [](uint8_t bytes) { return [=](uint8_t* ip) { ip[3] = bytes; }; };
  EXPECT_OUTCOME(parse_changed({}, length(39)), address_only, truncated);
  EXPECT_OUTCOME(parse_changed({}, length(20)), address_only, truncated);
  EXPECT_OUTCOME(parse_changed({.protocol = 17}, length(27)), address_only, truncated);
  EXPECT_OUTCOME(parse_changed({}, [](uint8_t* ip) { ip[32] = 0x40; }), address_only, bad_tcp_header);
  EXPECT_OUTCOME(parse_changed({.payload = 3}, [](uint8_t* ip) { ip[32] = 0x60; }), address_only, bad_tcp_header);
  EXPECT_EQ(parse_changed({.payload = 4}, [](uint8_t* ip) { ip[32] = 0x60; }).kind, FrameKind::flow);
  EXPECT_OUTCOME(parse_changed({.protocol = 17}, [](uint8_t* ip) { ip[25] = 7; }), address_only, bad_udp_length);
  EXPECT_OUTCOME(parse_changed({.protocol = 17}, [](uint8_t* ip) { ip[25] = 9; }), address_only, bad_udp_length);
  EXPECT_EQ(parse_changed({.protocol = 17, .payload = 5}, [](uint8_t* ip) { ip[25] = 8; }).kind, FrameKind::flow);
}

}  // namespace
}  // namespace warmswap::packet
