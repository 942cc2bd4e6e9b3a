#include "dataplane/contract/seat.h"

#include <gtest/gtest.h>

#include <vector>

namespace warmswap::contract {
namespace {

SeatParameters example() {
  return {.backend = 7,
          .port = 3,
          .mtu = 1500,
          .source_mac = {0x02, 0, 0, 0, 0, 0x01},
          .next_hop_mac = MacAddress{0x02, 0, 0, 0, 0, 0x02},
          .outer_source = Be32(0xac10ffff),  // 172.16.255.255
          .outer_destination = Be32(0xcb007107),
          .entropy_mask = entropy_mask(12)};
}

TEST(Seat, HoldsTheReadyMadeHeaderByteByByte) {
  const Seat seat = make_ipip_seat(example());
  const std::vector<uint8_t> expected = {
      0x02, 0,  0,    0,    0,    0x02, 0x02, 0,
      0,    0,  0,    0x01, 0x08, 0x00,           // Ethernet: to the next hop, from the port, IPv4
      0x45, 0,  0,    0,    0,    0,    0,    0,  // TOS, length, identification, flags: per packet
      64,   4,  0,    0,                          // TTL, IP in IP, checksum: per packet
      172,  16, 0xf0, 0,    203,  0,    113,  7,  // 12 entropy bits are clear
  };
  EXPECT_EQ(std::vector<uint8_t>(seat.header, seat.header + expected.size()), expected);
  for (size_t i = expected.size(); i < sizeof(seat.header); ++i) EXPECT_EQ(seat.header[i], 0) << i;
  EXPECT_EQ(seat.backend, 7);
  EXPECT_EQ(seat.port, 3);
  EXPECT_EQ(seat.mtu, 1500);
  EXPECT_EQ(seat.encapsulation, Encapsulation::ipip);
  EXPECT_EQ(seat.flags, kSeatResolved);
}

TEST(Seat, HeaderSumIsTheSumOfTheStoredIpHeader) {
  // 0x4500 + 0x4004 + 0xac10 + 0xf000 + 0xcb00 + 0x7107 = 0x35d1b, folded 0x5d1e, in wire order.
  EXPECT_EQ(Be16::from_raw(make_ipip_seat(example()).header_sum).host(), 0x5d1e);
}

TEST(Seat, WithoutANextHopIsUnresolved) {
  SeatParameters parameters = example();
  parameters.next_hop_mac.reset();
  EXPECT_EQ(make_ipip_seat(parameters).flags & kSeatResolved, 0);
}

TEST(Seat, ThatCannotBeSentToTakesNoPacketOfAnySize) {
  SeatParameters unresolved = example();
  unresolved.next_hop_mac.reset();
  EXPECT_EQ(make_ipip_seat(unresolved).mtu, 0);
  SeatParameters nobodys = example();
  nobodys.backend = kNoBackend;
  EXPECT_EQ(make_ipip_seat(nobodys).mtu, 0);
  EXPECT_EQ(make_empty_seat().mtu, 0);
}

TEST(Seat, KeepsTheWholeSourceWithoutEntropyAndOneOctetWithMost) {
  SeatParameters parameters = example();
  parameters.entropy_mask = entropy_mask(0);
  EXPECT_EQ(load<Be32>(make_ipip_seat(parameters).header + 26), Be32(0xac10ffff));
  parameters.entropy_mask = entropy_mask(kMaxEntropyBits);
  EXPECT_EQ(load<Be32>(make_ipip_seat(parameters).header + 26), Be32(0xac000000));
}

TEST(Seat, AnEmptySeatHasNoBackend) {
  EXPECT_EQ(make_empty_seat().backend, kNoBackend);
}

Seat seat_by(uint8_t port, uint16_t mtu) {
  return make_ipip_seat({.backend = 1, .port = port, .mtu = mtu, .next_hop_mac = MacAddress{2, 0, 0, 0, 0, 1}});
}

CommonWay way_of(const std::vector<Seat>& seats) {
  return common_way(seats);
}

TEST(CommonWay, IsTheOnePortAndTheSmallestMtu) {
  EXPECT_EQ(way_of({seat_by(3, 1600)}), (CommonWay{1600, 3}));
  EXPECT_EQ(way_of({seat_by(3, 1600), seat_by(3, 1500), seat_by(3, 9000)}), (CommonWay{1500, 3}));
}

TEST(CommonWay, IsNotThereWhereASeatNeedsALook) {
  Seat unresolved = make_ipip_seat({.backend = 1, .port = 3, .mtu = 1600});
  EXPECT_EQ(way_of({seat_by(3, 1600), seat_by(2, 1600)}), CommonWay{}) << "two ports";
  EXPECT_EQ(way_of({seat_by(3, 1600), unresolved}), CommonWay{});
  EXPECT_EQ(way_of({make_empty_seat(), seat_by(3, 1600)}), CommonWay{});
  EXPECT_EQ(way_of({}), CommonWay{});
}

}  // namespace
}  // namespace warmswap::contract
