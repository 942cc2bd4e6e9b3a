#include "dataplane/packet/ipip.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <random>

#include "dataplane/contract/seat.h"
#include "dataplane/packet/parse.h"
#include "tests/unit/dataplane/packet/frames.h"

namespace warmswap::packet {
namespace {

using contract::Be16;
using contract::Be32;
using contract::load;
using test::Bytes;
using test::ExactBuffer;
using test::FrameShape;

contract::Seat seat_with(uint8_t entropy_bits, uint16_t mtu) {
  return contract::make_ipip_seat({.backend = 1,
                                   .port = 5,
                                   .mtu = mtu,
                                   .source_mac = {2, 0, 0, 0, 0, 1},
                                   .next_hop_mac = contract::MacAddress{2, 0, 0, 0, 0, 2},
                                   .outer_source = Be32(0xac1fffff),
                                   .outer_destination = Be32(0xcb007105),
                                   .entropy_mask = contract::entropy_mask(entropy_bits)});
}

/// What the frame must look like, built field by field from the RFCs and the inner frame.
Bytes expected_frame(const FrameShape& shape, const contract::Seat& seat, uint64_t hash, uint32_t source,
                     uint8_t entropy_bits) {
  const Bytes arrived = test::make_frame(shape);
  Bytes inner(arrived.begin() + static_cast<long>(14 + 4 * shape.tags.size()), arrived.end() - long{shape.padding});
  inner[8] = static_cast<uint8_t>(inner[8] - 1);
  test::write_ip_checksum(inner.data());

  Bytes frame(34 + inner.size());
  std::copy_n(seat.header, 34, frame.begin());
  std::copy(inner.begin(), inner.end(), frame.begin() + 34);
  uint8_t* outer = &frame[14];
  const uint32_t mask = (1u << entropy_bits) - 1;
  outer[1] = shape.tos;
  contract::store(outer + 2, Be16(static_cast<uint16_t>(inner.size() + 20)));
  contract::store(outer + 4, Be16(shape.identification));
  contract::store(outer + 6, Be16(shape.flags_fragment & 0x4000));
  contract::store(outer + 12, Be32((source & ~mask) | (static_cast<uint32_t>(hash) & mask)));
  test::write_ip_checksum(outer);
  return frame;
}

/// The steps of the pipeline that concern IPIP, for one packet.
struct Encapsulation {
  explicit Encapsulation(const Packet& packet) : parsed(parse(packet)), ip(packet.frame + parsed.ip_offset) {
    fields = ipip_fields(load<uint64_t>(ip), load<uint64_t>(ip + 8), parsed.ip_length);
  }
  bool possible(const contract::Seat& seat, const Packet& packet) const {
    return fields.least_mtu <= seat.mtu && ipip_has_headroom(packet, parsed.ip_offset);
  }
  void write(const contract::Seat& seat, uint64_t hash, uint8_t entropy_bits, Packet& packet) {
    fields.entropy = ipip_entropy(hash, contract::entropy_mask(entropy_bits));
    fields.sum += ipip_entropy_sum(fields.entropy);
    encapsulate_ipip(seat, fields, ip);
    packet.frame = ip - kIpipFrontBytes;
    packet.length = parsed.ip_length + kIpipFrontBytes;
  }

  ParsedFrame parsed;
  uint8_t* ip;
  IpipFields fields;
};

TEST(Ipip, TemplateAndFillerMakeTheFrameOfTheRfcs) {
  std::mt19937_64 wide(9);
  test::Random random(9);
  for (int i = 0; i < 20000; ++i) {
    const FrameShape shape = test::random_shape(random);
    const auto bits = static_cast<uint8_t>(random() % 25);
    const contract::Seat seat = seat_with(bits, 9000);
    const uint64_t hash = wide();
    ExactBuffer buffer(test::make_frame(shape), 20 + random() % 60);
    Packet& packet = buffer.packet();
    Encapsulation encapsulation(packet);
    ASSERT_TRUE(encapsulation.possible(seat, packet));
    encapsulation.write(seat, hash, bits, packet);
    ASSERT_EQ(Bytes(packet.frame, packet.frame + packet.length), expected_frame(shape, seat, hash, 0xac1fffff, bits));
  }
}

TEST(Ipip, TheInnerChecksumStaysRightForEveryTtlAndChecksum) {
  // Walks the checksum through all 65536 values by way of the identification, over the TTLs where borrow matters.
  const contract::Seat seat = seat_with(0, 1500);
  for (const uint8_t ttl : std::initializer_list<uint8_t>{2, 64, 128, 255}) {
    for (uint32_t id = 0; id < 65536; ++id) {
      ExactBuffer buffer(test::make_frame({.ttl = ttl, .identification = static_cast<uint16_t>(id)}));
      Encapsulation(buffer.packet()).write(seat, 0, 0, buffer.packet());
      const uint8_t* frame = buffer.packet().frame;
      ASSERT_EQ(header_sum(frame + 14, 5), 0xffff);
      ASSERT_EQ(header_sum(frame + 34, 5), 0xffff);
      ASSERT_NE(load<uint16_t>(frame + 44), 0xffff);  // minus zero is never the result of RFC 1624's equation 3
    }
  }
}

TEST(Ipip, KeepsTheTailOfAChainedFrameAsItIs) {
  const Bytes whole = test::make_frame({.payload = 1000, .padding = 0});
  ExactBuffer buffer(whole, 64, 200);
  Packet& packet = buffer.packet();
  Encapsulation(packet).write(seat_with(0, 1500), 0, 0, packet);
  EXPECT_EQ(packet.length, whole.size() + 20);
  EXPECT_EQ(Bytes(packet.frame + 54, packet.frame + 220), Bytes(whole.begin() + 34, whole.begin() + 200));
}

struct Limit {
  const char* what;
  FrameShape shape;
  uint32_t headroom;
  uint16_t mtu;
  bool possible;
  DropReason reason;
};

TEST(Ipip, RefusesAtTheExactLimit) {
  const Limit limits[] = {
      {"TTL 2", {.ttl = 2}, 64, 1500, true, {}},
      {"TTL 1", {.ttl = 1}, 64, 1500, false, DropReason::ttl_expired},
      {"TTL 0", {.ttl = 0}, 64, 1500, false, DropReason::ttl_expired},
      {"fills the MTU", {.payload = 1440}, 64, 1500, true, {}},
      {"a byte above the MTU", {.payload = 1441}, 64, 1500, false, DropReason::too_big},
      {"total length would pass 65535", {.payload = 65535 - 40}, 64, 65535, false, DropReason::too_big},
      {"headroom just enough", {}, 20, 1500, true, {}},
      {"headroom one short", {}, 19, 1500, false, DropReason::no_headroom},
      {"two tags give 8 bytes of room", {.tags = {0x88a8, 0x8100}}, 12, 1500, true, {}},
      {"two tags, one byte short", {.tags = {0x88a8, 0x8100}}, 11, 1500, false, DropReason::no_headroom},
      {"TTL before MTU", {.ttl = 1, .payload = 1441}, 0, 1500, false, DropReason::ttl_expired},
      {"MTU before headroom", {.payload = 1441}, 0, 1500, false, DropReason::too_big},
  };
  for (const Limit& limit : limits) {
    ExactBuffer buffer(test::make_frame(limit.shape), limit.headroom);
    Encapsulation encapsulation(buffer.packet());
    const contract::Seat seat = seat_with(8, limit.mtu);
    ASSERT_EQ(encapsulation.possible(seat, buffer.packet()), limit.possible) << limit.what;
    if (limit.possible) {
      encapsulation.write(seat, 0, 0, buffer.packet());
    } else {
      EXPECT_EQ(ipip_obstacle(seat, encapsulation.ip, encapsulation.parsed.ip_length), limit.reason) << limit.what;
    }
  }
}

}  // namespace
}  // namespace warmswap::packet
