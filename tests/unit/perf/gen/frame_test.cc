#include "perf/gen/frame.h"

#include <gtest/gtest.h>

#include "perf/gen/random.h"
#include "tests/unit/perf/gen/frame_check.h"

namespace warmswap::gen {
namespace {

constexpr uint64_t kKey = 77;

std::vector<uint8_t> write(const FrameTemplate& shape, SplitMix64& random) {
  std::array<uint8_t, 16> source;
  std::array<uint8_t, 16> destination;
  for (uint8_t& byte : source) byte = static_cast<uint8_t>(random.next());
  for (uint8_t& byte : destination) byte = static_cast<uint8_t>(random.next());
  std::vector<uint8_t> frame(shape.length());
  shape.write(frame.data(),
              {.source = source.data(),
               .destination = destination.data(),
               .source_port = contract::Be16(static_cast<uint16_t>(random.next())),
               .destination_port = contract::Be16(80),
               .signature = {.stream = 3,
                             .flow = static_cast<uint32_t>(random.next()) & kSignatureFlowMask,
                             .sequence = static_cast<uint32_t>(random.next()),
                             .departure = random.next()}},
              kKey);
  return frame;
}

TEST(FrameTemplate, ChecksumsAreRightForEveryShape) {
  SplitMix64 random(1);
  for (const bool v6 : {false, true}) {
    for (const Transport transport : {Transport::tcp, Transport::udp}) {
      for (const Kind kind : {Kind::syn, Kind::ack, Kind::data, Kind::fin}) {
        if (transport == Transport::udp && kind != Kind::data) continue;
        for (uint16_t size = kSmallestFrame; size < 200; ++size) {
          const FrameTemplate shape({.v6 = v6, .transport = transport, .kind = kind, .bytes = size});
          for (int i = 0; i < 10; ++i) {
            const test::PlainFrame frame(write(shape, random));
            if (!v6) {
              ASSERT_EQ(frame.ip_sum(), 0xffffu);
            }
            ASSERT_EQ(frame.transport_sum(), 0xffffu) << size;
            ASSERT_EQ(frame.protocol, transport == Transport::tcp ? 6 : 17);
          }
        }
      }
    }
  }
}

TEST(FrameTemplate, SizesCountTheFcsAndAreRaisedToWhatTheHeadersNeed) {
  const auto length = [](bool v6, Transport transport, uint16_t bytes) {
    return FrameTemplate({.v6 = v6, .transport = transport, .kind = Kind::data, .bytes = bytes}).length();
  };
  EXPECT_EQ(length(false, Transport::tcp, 64), 60u);
  EXPECT_EQ(length(false, Transport::udp, 64), 60u);
  EXPECT_EQ(length(false, Transport::tcp, 1518), 1514u);
  EXPECT_EQ(length(true, Transport::tcp, 64), 75u) << "Ethernet, IPv6, TCP and a byte of data";
  EXPECT_EQ(length(true, Transport::udp, 64), 80u) << "Ethernet, IPv6, UDP and a signature";
  EXPECT_EQ(length(true, Transport::udp, 9018), 9014u);
}

TEST(FrameTemplate, SegmentsWithoutDataCarryNoneAndArePadded) {
  SplitMix64 random(2);
  const FrameTemplate syn({.kind = Kind::syn, .bytes = 64});
  EXPECT_TRUE(syn.compact());
  const test::PlainFrame frame(write(syn, random));
  EXPECT_EQ(frame.frame.size(), 60u);
  EXPECT_EQ(frame.ip_bytes, 40u) << "six bytes of Ethernet padding follow";
  EXPECT_EQ(frame.payload_bytes(), 0u);
  EXPECT_EQ(frame.tcp_flags(), 0x02);
}

TEST(FrameTemplate, SignatureGoesWhereThereIsRoom) {
  SplitMix64 random(3);
  for (const uint16_t size : {uint16_t{64}, uint16_t{75}, uint16_t{76}, uint16_t{512}}) {
    const FrameTemplate shape({.kind = Kind::data, .bytes = size});
    EXPECT_EQ(shape.compact(), size < 54 + 4 + kSignatureBytes) << size;
    const test::PlainFrame frame(write(shape, random));
    const uint8_t* transport = frame.frame.data() + frame.transport;
    Signature read;
    EXPECT_EQ(read_compact_signature(transport, kKey, read), shape.compact()) << size;
    if (!shape.compact()) {
      EXPECT_TRUE(read_signature(transport + 20, kKey, read)) << size;
    }
    EXPECT_EQ(read.stream, 3u);
  }
}

TEST(FrameTemplate, UdpNeverHasAZeroChecksum) {
  // Over many packets the computed sum is zero about once in 65536; it must then be sent as its other form.
  SplitMix64 random(4);
  const FrameTemplate shape({.transport = Transport::udp, .kind = Kind::data, .bytes = 64});
  int all_ones = 0;
  for (int i = 0; i < 400'000; ++i) {
    const std::vector<uint8_t> frame = write(shape, random);
    const uint32_t checksum = test::big16(&frame[14 + 20 + 6]);
    ASSERT_NE(checksum, 0u);
    all_ones += checksum == 0xffff ? 1 : 0;
  }
  EXPECT_GT(all_ones, 0) << "the corner was never met: the test proves nothing";
}

}  // namespace
}  // namespace warmswap::gen
