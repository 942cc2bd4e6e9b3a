#include "perf/gen/decode.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "perf/gen/stream.h"
#include "tests/unit/perf/gen/tunnel.h"

namespace warmswap::gen {
namespace {

using test::Frame;

Frame generated(bool v6, Transport transport, uint16_t size) {
  StreamConfig config;
  config.vips = {*parse_ip(v6 ? "2001:db8::10" : "198.51.100.10")};
  config.transport = transport;
  config.sizes = {{size, 1}};
  auto stream = Stream::make(config, {});
  Frame frame(stream->largest_frame());
  frame.resize(stream->next(frame.data(), 1));
  return frame;
}

/// Decodes a copy that ends where the frame ends, so that AddressSanitizer sees any read beyond.
Decoded decode_exactly(const Frame& frame, size_t length) {
  static std::unique_ptr<uint8_t[]> copy;  // the result points into it
  copy = std::make_unique<uint8_t[]>(length);
  std::memcpy(copy.get(), frame.data(), length);
  return decode(copy.get(), static_cast<uint32_t>(length));
}
Decoded decode_exactly(const Frame& frame) {
  return decode_exactly(frame, frame.size());
}

std::vector<Frame> tunnels(const Frame& inner) {
  return {test::ipip(inner, 11),         test::ipip(inner, 11, true),
          test::gre(inner, 11),          test::gre(inner, 11, 0x8000),
          test::gre(inner, 11, 0xb000),  test::gue(inner, 11, 0),
          test::gue(inner, 11, 4),       test::gue(inner, 11, -1),
          test::gue(inner, 11, 2, true), test::tagged(test::ipip(inner, 11))};
}

TEST(Decode, FindsTheInnerPacketInEveryTunnel) {
  for (const bool v6 : {false, true}) {
    for (const Transport transport : {Transport::tcp, Transport::udp}) {
      const Frame inner = generated(v6, transport, 128);
      const test::PlainFrame plain(inner);
      for (const Frame& frame : tunnels(inner)) {
        const Decoded decoded = decode_exactly(frame);
        ASSERT_EQ(decoded.status, DecodeStatus::good);
        EXPECT_TRUE(decoded.transport_checksum_right);
        EXPECT_EQ(decoded.v6, v6);
        EXPECT_EQ(decoded.udp, transport == Transport::udp);
        EXPECT_EQ(decoded.source_port(), plain.source_port());
        EXPECT_EQ(decoded.destination_port(), 80);
        EXPECT_EQ(decoded.payload_bytes, plain.payload_bytes());
        EXPECT_EQ(decoded.ip_bytes, plain.ip_bytes);
        EXPECT_EQ(decoded.backend.address[decoded.backend.size - 1], 11) << "the outer destination";
        EXPECT_NE(decoded.backend.encapsulation, Encapsulation::none);
      }
    }
  }
}

TEST(Decode, APlainFrameBelongsToItsDestinationMac) {
  const Decoded decoded = decode_exactly(generated(false, Transport::tcp, 64));
  ASSERT_EQ(decoded.status, DecodeStatus::good);
  EXPECT_EQ(decoded.backend.encapsulation, Encapsulation::none);
  EXPECT_EQ(decoded.backend.size, 6);
}

TEST(Decode, ReadsNothingBeyondTheFrameWhereverItEnds) {
  for (const bool v6 : {false, true}) {
    for (const Frame& frame : tunnels(generated(v6, Transport::udp, 96))) {
      for (size_t length = 0; length < frame.size(); ++length) {
        ASSERT_NE(decode_exactly(frame, length).status, DecodeStatus::good) << length;
      }
    }
  }
}

TEST(Decode, SurvivesAnything) {
  SplitMix64 random(9);
  const std::vector<Frame> seeds = tunnels(generated(false, Transport::tcp, 80));
  for (int i = 0; i < 200'000; ++i) {
    Frame frame = seeds[random.below(seeds.size())];
    for (int changes = 0; changes < 3; ++changes) {
      frame[random.below(frame.size())] = static_cast<uint8_t>(random.next());
    }
    frame.resize(random.below(frame.size()) + 1);
    decode_exactly(frame);
  }
}

TEST(Decode, AFlippedBitInAnIpv4HeaderOrSegmentShows) {
  const Frame frame = test::ipip(generated(false, Transport::tcp, 64), 11);
  for (size_t byte = 14; byte < frame.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      Frame broken = frame;
      broken[byte] ^= static_cast<uint8_t>(1u << bit);
      const Decoded decoded = decode_exactly(broken);
      EXPECT_TRUE(decoded.status != DecodeStatus::good || !decoded.transport_checksum_right) << byte << "." << bit;
    }
  }
}

TEST(Decode, OtherTrafficIsForeign) {
  Frame arp(60, 0);
  arp[12] = 0x08;
  arp[13] = 0x06;
  EXPECT_EQ(decode_exactly(arp).status, DecodeStatus::foreign);
  Frame icmp{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
  const Frame ip = test::ipv4_header(1, 8, 1);
  icmp.insert(icmp.end(), ip.begin(), ip.end());
  icmp.insert(icmp.end(), 8, 0);
  EXPECT_EQ(decode_exactly(icmp).status, DecodeStatus::foreign);
}

}  // namespace
}  // namespace warmswap::gen
