// What a packet's burst is must not matter to it: bursts of all kinds against each of their packets alone.
#include <gtest/gtest.h>

#include <cstring>
#include <optional>

#include "dataplane/balance/levels.h"
#include "dataplane/balance/packet_access.h"
#include "tests/unit/dataplane/balance/test_snapshot.h"
#include "tests/unit/dataplane/packet/frames.h"

namespace warmswap::balance {
namespace {

using contract::Be16;
using contract::Be32;
using packet::Packet;
using packet::Verdict;
using test::Bytes;
using test::ExactBuffer;
using test::FrameShape;
using test::TestCounters;
using test::TestPool;
using test::TestSnapshot;

constexpr contract::HashKey kKey{0x1122334455667788ULL, 0x99aabbccddeeff00ULL};
constexpr uint32_t kFirstVip = 0xc6336401;

contract::Seat seat_of(uint16_t backend, uint8_t port, uint16_t mtu, bool resolved = true) {
  contract::SeatParameters parameters{.backend = backend,
                                      .port = port,
                                      .mtu = mtu,
                                      .source_mac = {2, 0, 0, 0, 0, 1},
                                      .outer_source = Be32(0xac100000),
                                      .outer_destination = Be32(0xcb007100u + backend),
                                      .entropy_mask = contract::entropy_mask(16)};
  if (resolved) parameters.next_hop_mac = contract::MacAddress{2, 0, 0, 0, 1, static_cast<uint8_t>(backend)};
  return contract::make_ipip_seat(parameters);
}

TestPool pool_of(std::vector<contract::Seat> seats) {
  TestPool pool{.ring = {}, .seats = std::move(seats)};
  for (uint32_t slot = 0; slot < 251; ++slot) pool.ring.push_back(static_cast<uint16_t>(slot % pool.seats.size()));
  return pool;
}

/// Vip n, tcp/80 unless said, is on pool n: each kind of pool that a burst can meet.
enum Kind : uint32_t { alike, two_ports, narrow, unresolved, nobody, gaps, any_port, kKinds };

TestSnapshot every_kind_of_pool() {
  std::vector<TestPool> pools(kKinds);
  pools[alike] = pool_of({seat_of(1, 2, 1600), seat_of(2, 2, 1500)});
  pools[two_ports] = pool_of({seat_of(3, 0, 1600), seat_of(4, 1, 1600)});
  pools[narrow] = pool_of({seat_of(5, 2, 1600), seat_of(6, 2, 80)});
  pools[unresolved] = pool_of({seat_of(7, 2, 1600), seat_of(8, 2, 1600, false)});
  pools[nobody] = {.ring = {contract::kNoSeat, contract::kNoSeat}, .seats = {contract::make_empty_seat()}};
  pools[gaps] = pool_of({seat_of(9, 3, 1600)});
  for (size_t slot = 0; slot < pools[gaps].ring.size(); slot += 5) pools[gaps].ring[slot] = contract::kNoSeat;
  pools[any_port] = pool_of({seat_of(10, 2, 1600), seat_of(11, 2, 1600)});
  std::vector<contract::VipPlacement> vips;
  for (uint32_t n = 0; n < kKinds; ++n)
    vips.push_back({{Be32(kFirstVip + n), Be16(n == any_port ? 0 : 80), 6}, n + 1, n});
  return TestSnapshot(kKey, vips, pools);
}

/// A good frame to vip `kind`, or one that no pool gets. `one_port`: an any-port vip's too goes to port 80.
Bytes frame_to(uint32_t kind, bool good, test::Random& random, bool one_port = false) {
  FrameShape shape = test::random_shape(random);
  shape.protocol = 6;
  shape.destination = kFirstVip + kind;
  shape.destination_port = kind == any_port && !one_port ? static_cast<uint16_t>(1 + random() % 65535) : 80;
  shape.payload = random() % 60;
  if (good && random() % 4 != 0) shape.tags.clear(), shape.option_words = 0;
  Bytes frame = test::make_frame(shape);
  if (good) return frame;
  switch (random() % 6) {
    case 0:
      frame.resize(random() % frame.size());
      break;
    case 1:
      frame[0] |= 1;  // to a group
      break;
    case 2:
      frame[12] = 0x86, frame[13] = 0xdd;  // IPv6 by its type
      break;
    default:
      frame[random() % frame.size()] ^= static_cast<uint8_t>(1 + random() % 255);
  }
  return frame;
}

/// packet::Packet as io's buffers are handled: what the Outcome says of all is not said of each.
struct UnmarkedAccess : PacketAccess {
  static constexpr bool kMarkEach = false;
};

struct Burst {
  std::vector<ExactBuffer> buffers;
  std::vector<Packet> packets;

  explicit Burst(const std::vector<Bytes>& frames) {
    for (const Bytes& frame : frames) {
      buffers.emplace_back(frame);
      packets.push_back(buffers.back().packet());
    }
  }
};

/// What the columns on the stack hold before they are written must not matter.
[[gnu::noinline]] void spoil_stack() {
  volatile uint8_t bytes[size_t{64} << 10];
  for (volatile uint8_t& byte : bytes) byte = 0xa5;
}

void expect_same_packet(const Packet& packet, const Packet& alone) {
  ASSERT_EQ(packet.verdict, alone.verdict);
  if (packet.verdict == Verdict::forward) {
    ASSERT_EQ(packet.port, alone.port);
  } else {
    ASSERT_EQ(packet.reason, alone.reason);
  }
  ASSERT_EQ(packet.length, alone.length);
  ASSERT_EQ(std::memcmp(packet.frame, alone.frame, packet.length), 0);
}

/// `frames` in one burst and one by one, by the plain path: same verdicts, bytes, counts.
void expect_no_difference(const TestSnapshot& snapshot, const std::vector<Bytes>& frames, VectorLevel level) {
  Burst apart(frames);
  TestCounters counted_apart;
  Outcome sum;
  for (Packet& packet : apart.packets) {
    const Outcome one = process_burst_at(VectorLevel::baseline)(snapshot.view(), {&packet, 1}, counted_apart.ledger());
    sum.forwarded += one.forwarded;
    sum.ports |= one.ports;
  }
  Burst together(frames);
  TestCounters counted;
  spoil_stack();
  const Outcome outcome = process_burst_at(level)(snapshot.view(), together.packets, counted.ledger());
  ASSERT_EQ(outcome.forwarded, sum.forwarded);
  ASSERT_EQ(outcome.ports, sum.ports);
  ASSERT_TRUE(counted == counted_apart);
  for (size_t i = 0; i < frames.size(); ++i) {
    ASSERT_NO_FATAL_FAILURE(expect_same_packet(together.packets[i], apart.packets[i]));
  }

  if (frames.size() > kBurstPackets) return;
  constexpr auto kUnset = static_cast<Verdict>(0x7f);
  Burst unmarked(frames);
  for (Packet& packet : unmarked.packets) packet.verdict = kUnset;
  TestCounters counted_unmarked;
  spoil_stack();
  const Outcome by_outcome =
      process_burst_of<UnmarkedAccess>(level)(snapshot.view(), unmarked.packets, counted_unmarked.ledger());
  ASSERT_EQ(by_outcome.forwarded, sum.forwarded);
  ASSERT_TRUE(counted_unmarked == counted_apart);
  const bool outcome_says_all = by_outcome.forwarded == frames.size() && std::has_single_bit(by_outcome.ports);
  for (size_t i = 0; i < frames.size(); ++i) {
    if (outcome_says_all && unmarked.packets[i].verdict == kUnset) {
      unmarked.packets[i].verdict = Verdict::forward;
      unmarked.packets[i].port = static_cast<uint8_t>(std::countr_zero(by_outcome.ports));
    }
    ASSERT_NO_FATAL_FAILURE(expect_same_packet(unmarked.packets[i], apart.packets[i]));
  }
}

class Bursts : public test::AtEveryLevel {};
INSTANTIATE_TEST_SUITE_P(Level, Bursts, ::testing::ValuesIn(test::runnable_levels()), test::level_name);

TEST_P(Bursts, ForOneVipOfEachKind) {
  const TestSnapshot snapshot = every_kind_of_pool();
  test::Random random(31);
  for (int i = 0; i < 700; ++i) {
    const uint32_t kind = static_cast<uint32_t>(i) % (kKinds + 1);  // the last is nobody's
    std::vector<Bytes> frames;
    for (uint32_t n = 1 + random() % 70; n > 0; --n) frames.push_back(frame_to(kind, true, random, true));
    ASSERT_NO_FATAL_FAILURE(expect_no_difference(snapshot, frames, GetParam())) << "kind " << kind << ", burst " << i;
  }
}

TEST_P(Bursts, ForOneVipWithOthersAmongThem) {
  const TestSnapshot snapshot = every_kind_of_pool();
  test::Random random(32);
  for (int i = 0; i < 700; ++i) {
    const uint32_t kind = static_cast<uint32_t>(i) % kKinds;
    std::vector<Bytes> frames;
    for (uint32_t n = 1 + random() % 70; n > 0; --n) frames.push_back(frame_to(kind, random() % 8 != 0, random));
    ASSERT_NO_FATAL_FAILURE(expect_no_difference(snapshot, frames, GetParam())) << "kind " << kind << ", burst " << i;
  }
}

TEST_P(Bursts, OfAllKinds) {
  const TestSnapshot snapshot = every_kind_of_pool();
  test::Random random(33);
  for (int i = 0; i < 700; ++i) {
    std::vector<Bytes> frames;
    for (uint32_t n = 1 + random() % 130; n > 0; --n)
      frames.push_back(frame_to(random() % (kKinds + 1), random() % 8 != 0, random));  // the last is nobody's
    ASSERT_NO_FATAL_FAILURE(expect_no_difference(snapshot, frames, GetParam())) << "burst " << i;
  }
}

TEST_P(Bursts, ThatAllFitAreNotMarkedOneByOne) {
  const TestSnapshot snapshot = every_kind_of_pool();
  const std::vector<Bytes> frames(32, test::make_frame({.destination = kFirstVip + alike}));
  Burst burst(frames);
  for (Packet& packet : burst.packets) packet.verdict = Verdict::drop;
  TestCounters counters;
  const Outcome outcome =
      process_burst_of<UnmarkedAccess>(GetParam())(snapshot.view(), burst.packets, counters.ledger());
  EXPECT_EQ(outcome.forwarded, 32u);
  EXPECT_EQ(outcome.ports, 0b100u);
  for (const Packet& packet : burst.packets) EXPECT_EQ(packet.verdict, Verdict::drop) << "was marked";
}

}  // namespace
}  // namespace warmswap::balance
