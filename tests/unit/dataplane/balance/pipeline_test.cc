#include "dataplane/balance/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "dataplane/contract/seat.h"
#include "dataplane/packet/checksum.h"
#include "tests/unit/dataplane/balance/test_snapshot.h"
#include "tests/unit/dataplane/packet/frames.h"

namespace warmswap::balance {
namespace {

using contract::Be16;
using contract::Be32;
using contract::DropReason;
using packet::Packet;
using packet::Verdict;
using test::Bytes;
using test::ExactBuffer;
using test::FrameShape;
using test::TestCounters;
using test::TestPool;
using test::TestSnapshot;

constexpr contract::HashKey kKey{0x1122334455667788ULL, 0x99aabbccddeeff00ULL};
constexpr uint32_t kVip = 0xc633640a;

contract::Seat seat_of(uint16_t backend) {
  return contract::make_ipip_seat({.backend = backend,
                                   .port = static_cast<uint8_t>(backend % 4),
                                   .mtu = 1600,
                                   .source_mac = {2, 0, 0, 0, 0, 1},
                                   .next_hop_mac = contract::MacAddress{2, 0, 0, 0, 1, static_cast<uint8_t>(backend)},
                                   .outer_source = Be32(0xac100000),
                                   .outer_destination = Be32(0xcb007100u + backend),
                                   .entropy_mask = contract::entropy_mask(16)});
}

/// Two vips on one pool of `backends` seats: kVip tcp/80 (id 3) and kVip udp any port (id 4).
TestSnapshot snapshot_of(uint16_t backends, uint32_t ring_size = 251) {
  TestPool pool;
  for (uint16_t i = 0; i < backends; ++i) pool.seats.push_back(seat_of(i));
  for (uint32_t slot = 0; slot < ring_size; ++slot) pool.ring.push_back(static_cast<uint16_t>(slot % backends));
  const contract::VipPlacement vips[] = {{{Be32(kVip), Be16(80), 6}, 3, 0}, {{Be32(kVip), Be16(0), 17}, 4, 0}};
  const uint32_t all = contract::sampled_below(1);  // look at every handshake too
  return TestSnapshot(kKey, vips, {&pool, 1}, 16, all);
}

class Pipeline : public test::AtEveryLevel {};
INSTANTIATE_TEST_SUITE_P(Level, Pipeline, ::testing::ValuesIn(test::runnable_levels()), test::level_name);

TEST_P(Pipeline, CountsPacketsAndBytesPerVipAndBackend) {
  const TestSnapshot snapshot = snapshot_of(5);
  TestCounters counters;
  test::Random random(1);
  std::map<uint32_t, std::pair<uint64_t, uint64_t>> vips, backends;
  std::vector<ExactBuffer> buffers;
  std::vector<Packet> packets;
  std::vector<FrameShape> shapes;
  for (int i = 0; i < 1000; ++i) {
    shapes.push_back(test::random_shape(random));
    buffers.emplace_back(test::make_frame(shapes.back()));
    packets.push_back(buffers.back().packet());
  }
  const Outcome outcome = process_burst(snapshot.view(), packets, counters.ledger());
  uint64_t forwarded = 0;
  uint64_t received_bytes = 0;
  for (size_t i = 0; i < packets.size(); ++i) {
    const FrameShape& shape = shapes[i];
    const uint64_t ip_length =
        20 + 4 * shape.option_words + (shape.protocol == 6 ? 20 : 8) + static_cast<uint64_t>(shape.payload);
    const auto count = [&](auto& map, uint32_t id) { ++map[id].first, map[id].second += ip_length; };
    ASSERT_EQ(packets[i].verdict, Verdict::forward);
    ++forwarded;
    count(vips, shape.protocol == 6 ? 3 : 4);
    count(backends, packets[i].frame[5]);
    received_bytes += 14 + 4 * shape.tags.size() + ip_length + shape.padding;
  }
  EXPECT_EQ(counters.region().totals.forwarded_packets.get(), forwarded);
  EXPECT_EQ(counters.region().totals.received_packets.get(), packets.size());
  EXPECT_EQ(counters.region().totals.received_bytes.get(), received_bytes);
  EXPECT_EQ(outcome.forwarded, forwarded);
  EXPECT_EQ(outcome.ports, 0b1111u) << "backends leave by port 0 to 3";
  EXPECT_EQ(counters.all_drops(), 0u);
  EXPECT_EQ(backends.size(), 5u);
  for (uint32_t id = 0; id < 8; ++id) {
    EXPECT_EQ(counters.vip(id).packets.get(), vips[id].first);
    EXPECT_EQ(counters.vip(id).bytes.get(), vips[id].second);
    EXPECT_EQ(counters.backend(id).packets.get(), backends[id].first);
    EXPECT_EQ(counters.backend(id).bytes.get(), backends[id].second);
  }
  EXPECT_GT(vips[3].first, 400u);
  EXPECT_GT(vips[4].first, 400u);
}

TEST_P(Pipeline, SaysByWhichPortsABurstLeavesWhereverTheyStandInIt) {
  const TestSnapshot snapshot = snapshot_of(5);
  std::map<uint8_t, FrameShape> shape_of;  // by port
  for (uint16_t port = 1024; shape_of.size() < 4; ++port) {
    const FrameShape shape{.source_port = port};
    TestCounters counters;
    ExactBuffer buffer(test::make_frame(shape));
    process_burst(snapshot.view(), {&buffer.packet(), 1}, counters.ledger());
    shape_of[buffer.packet().port] = shape;
  }
  for (const size_t count : {size_t{2}, size_t{65}}) {
    for (const size_t odd : {size_t{0}, count - 1}) {
      TestCounters counters;
      std::vector<ExactBuffer> buffers;
      std::vector<Packet> packets;
      for (size_t i = 0; i < count; ++i) {
        buffers.emplace_back(test::make_frame(shape_of.at(i == odd ? 3 : 1)));
        packets.push_back(buffers.back().packet());
      }
      const Outcome outcome = process_burst(snapshot.view(), packets, counters.ledger());
      EXPECT_EQ(outcome.ports, 0b1010u) << count << " packets, number " << odd << " by port 3";
      EXPECT_EQ(outcome.forwarded, count);
    }
  }
}

TEST_P(Pipeline, AVipCountsWhatItsPoolCouldNotTake) {
  TestPool pool;
  pool.ring = {contract::kNoSeat, contract::kNoSeat};
  const contract::VipPlacement vips[] = {{{Be32(kVip), Be16(80), 6}, 3, 0}};
  const TestSnapshot snapshot(kKey, vips, {&pool, 1});
  TestCounters counters;
  ExactBuffer buffer(test::make_frame({}));
  process_burst(snapshot.view(), {&buffer.packet(), 1}, counters.ledger());
  EXPECT_EQ(buffer.packet().reason, DropReason::no_backend);
  EXPECT_EQ(counters.vip(3).packets.get(), 1u);
  EXPECT_EQ(counters.vip(3).bytes.get(), 40u);
}

TEST_P(Pipeline, AFlowKeepsItsBackendWhateverElseIsInItsPackets) {
  const TestSnapshot snapshot = snapshot_of(50);
  TestCounters counters;
  test::Random random(2);
  std::map<std::tuple<uint32_t, uint16_t, uint8_t>, uint8_t> backend_of;
  for (int i = 0; i < 5000; ++i) {
    FrameShape shape = test::random_shape(random);
    shape.source = 0xc0000200 + random() % 16;
    shape.source_port = static_cast<uint16_t>(1024 + random() % 8);
    ExactBuffer buffer(test::make_frame(shape));
    process_burst(snapshot.view(), {&buffer.packet(), 1}, counters.ledger());
    ASSERT_EQ(buffer.packet().verdict, Verdict::forward);
    const uint8_t backend = buffer.packet().frame[5];
    const auto [at, first] = backend_of.try_emplace({shape.source, shape.source_port, shape.protocol}, backend);
    ASSERT_EQ(at->second, backend);
  }
  EXPECT_EQ(backend_of.size(), 16u * 8 * 2);
}

TEST_P(Pipeline, TheSeatIsTheOneTheFlowHashNames) {
  const TestSnapshot snapshot = snapshot_of(61, 65537);
  TestCounters counters;
  test::Random random(3);
  for (int i = 0; i < 2000; ++i) {
    const FrameShape shape = test::random_shape(random);
    ExactBuffer buffer(test::make_frame(shape));
    process_burst(snapshot.view(), {&buffer.packet(), 1}, counters.ledger());
    const contract::FlowKey flow{Be32(shape.source), Be32(shape.destination), Be16(shape.source_port),
                                 Be16(shape.destination_port), shape.protocol};
    const uint32_t slot = contract::ring_slot(contract::flow_hash(kKey, flow), 65537);
    ASSERT_EQ(buffer.packet().frame[5], slot % 61);
    ASSERT_EQ(buffer.packet().port, slot % 61 % 4);
  }
}

/// Every packet must get a verdict, be counted once, and, unless forwarded, stay as it came. The buffers end where the
/// packet ends, so the address sanitizer reports any access outside.
void expect_sane(ProcessBurst process_burst, const TestSnapshot& snapshot, const Bytes& frame, uint32_t headroom,
                 size_t contiguous) {
  TestCounters counters;
  ExactBuffer buffer(frame, headroom, contiguous);
  Packet& packet = buffer.packet();
  const uint8_t* arrived = packet.frame;
  packet.verdict = static_cast<Verdict>(0xff);
  process_burst(snapshot.view(), {&packet, 1}, counters.ledger());
  const uint64_t forwarded = counters.region().totals.forwarded_packets.get();
  const uint64_t passed = counters.region().totals.passed_packets.get();
  ASSERT_EQ(forwarded + passed + counters.all_drops(), 1u);
  if (packet.verdict == Verdict::forward) {
    ASSERT_EQ(forwarded, 1u);
    const uint8_t* outer = packet.frame + 14;
    const uint8_t* inner = packet.frame + 34;
    const auto inner_length = contract::load<Be16>(inner + 2).host();
    ASSERT_EQ(packet::header_sum(outer, 5), 0xffff);
    ASSERT_EQ(packet::header_sum(inner, inner[0] & 0xfu), 0xffff);
    ASSERT_EQ(contract::load<Be16>(outer + 2).host(), inner_length + 20);
    ASSERT_EQ(packet.length, inner_length + 34u);
    // Behind the inner TTL and checksum nothing has changed.
    const auto moved_from = static_cast<size_t>(inner + 12 - arrived);
    const auto end = std::min<ptrdiff_t>(arrived + contiguous - packet.frame, packet.length);
    const Bytes tail(packet.frame + 46, packet.frame + end);
    ASSERT_EQ(tail, Bytes(frame.begin() + long(moved_from), frame.begin() + long(moved_from + tail.size())));
    return;
  }
  ASSERT_EQ(packet.verdict == Verdict::pass ? passed : counters.drops(packet.reason), 1u);
  ASSERT_EQ(packet.length, frame.size());
  ASSERT_EQ(Bytes(packet.frame, packet.frame + contiguous), Bytes(frame.begin(), frame.begin() + long(contiguous)));
}

TEST_P(Pipeline, SurvivesRandomBytes) {
  const TestSnapshot snapshot = snapshot_of(3);
  test::Random random(4);
  for (int i = 0; i < 100000; ++i) {
    Bytes frame(random() % 128);
    for (uint8_t& byte : frame) byte = static_cast<uint8_t>(random());
    // Lead some of them past the first checks.
    if (frame.size() >= 14 && random() % 4 != 0) contract::store(&frame[12], Be16(random() % 3 == 0 ? 0x8100 : 0x0800));
    if (frame.size() >= 15 && random() % 2 == 0) frame[14] = static_cast<uint8_t>(0x40 | (frame[14] & 0xf));
    expect_sane(process_burst, snapshot, frame, random() % 64,
                random() % 4 == 0 ? random() % (frame.size() + 1) : frame.size());
    if (HasFatalFailure()) return;
  }
}

TEST_P(Pipeline, SurvivesMutatedFrames) {
  const TestSnapshot snapshot = snapshot_of(3);
  test::Random random(5);
  for (int i = 0; i < 200000; ++i) {
    FrameShape shape = test::random_shape(random);
    shape.payload = random() % 40;
    Bytes frame = test::make_frame(shape);
    for (uint32_t changes = random() % 4; changes > 0; --changes) {
      frame[random() % frame.size()] = static_cast<uint8_t>(random() % 3 == 0 ? 0xff : random());
    }
    if (random() % 4 == 0) frame.resize(random() % (frame.size() + 1));
    const size_t ip = 14 + 4 * shape.tags.size();
    const bool readable = frame.size() > ip && frame.size() >= ip + (frame[ip] & 0xfu) * 4 && (frame[ip] & 0xf) >= 5;
    if (readable && random() % 4 != 0) test::write_ip_checksum(&frame[ip]);  // or the checksum would stop nearly all
    expect_sane(process_burst, snapshot, frame, random() % 64,
                random() % 8 == 0 ? random() % (frame.size() + 1) : frame.size());
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace warmswap::balance
