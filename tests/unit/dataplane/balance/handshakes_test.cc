#include "dataplane/balance/handshakes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "dataplane/contract/seat.h"
#include "tests/unit/dataplane/balance/test_snapshot.h"
#include "tests/unit/dataplane/packet/frames.h"

namespace warmswap::balance {
namespace {

using contract::Be16;
using contract::Be32;
using test::Bytes;
using test::ExactBuffer;
using test::TestCounters;
using test::TestSnapshot;

constexpr uint64_t kHz = 1'000'000'000;
constexpr uint64_t kSecond = kHz;
constexpr uint64_t kMillisecond = kHz / 1000;

class HandshakesTest : public ::testing::Test {
 protected:
  void segment(uint64_t hash, uint8_t flags, uint16_t backend = 0, uint32_t sequence = 7) {
    handshakes_->observe(
        {hash, backend, sequence, flags}, [this] { return now_; }, counters_.data());
  }
  void sweep_all() {
    for (size_t i = 0; i < Handshakes::kSweeps; ++i) handshakes_->sweep(now_, counters_.data());
  }
  /// Completed, retransmitted, lapsed.
  std::vector<uint64_t> counts(uint16_t backend = 0) const {
    const contract::HandshakeCounter& counter = counters_[backend];
    return {counter.completed.get(), counter.retransmitted.get(), counter.lapsed.get()};
  }
  using Counts = std::vector<uint64_t>;

  std::unique_ptr<Handshakes> handshakes_ = std::make_unique<Handshakes>(kHz);
  std::vector<contract::HandshakeCounter> counters_ = std::vector<contract::HandshakeCounter>(4);
  uint64_t now_ = 5 * kSecond;
};

TEST_F(HandshakesTest, TheFirstAckCompletesAndIsTimed) {
  segment(11, kTcpSyn, 2);
  now_ += 30 * kMillisecond;
  segment(11, kTcpAck, 2);
  EXPECT_EQ(counts(2), (Counts{1, 0, 0}));
  EXPECT_NEAR(static_cast<double>(counters_[2].completed_ns.get()), 30e6, 1e3);
  segment(11, kTcpAck, 2);
  now_ += 10 * kSecond;
  sweep_all();
  EXPECT_EQ(counts(2), (Counts{1, 0, 0})) << "later ACKs are no handshakes";
}

TEST_F(HandshakesTest, TheSameSynAgainIsARetransmissionCountedOnce) {
  segment(11, kTcpSyn);
  now_ += kSecond;
  segment(11, kTcpSyn);
  now_ += kMillisecond;
  segment(11, kTcpAck);
  EXPECT_EQ(counts(), (Counts{0, 1, 0}));
}

TEST_F(HandshakesTest, WhoBeginsAnewHadNoAnswer) {
  segment(11, kTcpSyn, 0, 7);
  now_ += 100 * kMillisecond;
  segment(11, kTcpSyn, 0, 8);
  now_ += kMillisecond;
  segment(11, kTcpAck, 0, 9);
  EXPECT_EQ(counts(), (Counts{1, 0, 1}));
  EXPECT_NEAR(static_cast<double>(counters_[0].completed_ns.get()), 1e6, 1e3);
}

TEST_F(HandshakesTest, SilenceLapsesAfterThePatience) {
  segment(11, kTcpSyn, 3);
  now_ += 2 * kSecond;
  sweep_all();
  EXPECT_EQ(counts(3), (Counts{0, 0, 0}));
  now_ += kMillisecond;
  sweep_all();
  EXPECT_EQ(counts(3), (Counts{0, 0, 1}));
  segment(11, kTcpAck, 3);
  EXPECT_EQ(counts(3), (Counts{0, 0, 1}));
}

TEST_F(HandshakesTest, AnAckAfterThePatienceIsLapsedToo) {
  segment(11, kTcpSyn);
  now_ += 3 * kSecond;
  segment(11, kTcpAck);
  EXPECT_EQ(counts(), (Counts{0, 0, 1}));
}

TEST_F(HandshakesTest, WhoGivesUpOrIsMovedIsNotCounted) {
  segment(11, kTcpSyn, 0);
  segment(11, kTcpRst, 0);
  segment(11, kTcpAck, 0);
  segment(12, kTcpSyn, 0);
  segment(12, kTcpAck, 1);  // its slot leads elsewhere now
  segment(13, kTcpSyn, 0);
  segment(13, kTcpSyn, 1);
  segment(13, kTcpAck, 1);
  segment(14, kTcpAck, 0);            // in the middle of a connection
  segment(15, kTcpSyn | kTcpAck, 0);  // no client's
  now_ += 10 * kSecond;
  sweep_all();
  EXPECT_EQ(counts(0), (Counts{0, 0, 0}));
  EXPECT_EQ(counts(1), (Counts{1, 0, 0}));
}

TEST_F(HandshakesTest, AFullTableSamplesNothingNewUntilSomeLapse) {
  // All in one bucket.
  const auto hash = [](uint64_t i) { return 5 + i * Handshakes::kBuckets; };
  for (uint64_t i = 0; i < Handshakes::kPlaces + 3; ++i) segment(hash(i), kTcpSyn);
  segment(hash(Handshakes::kPlaces), kTcpAck);
  EXPECT_EQ(counts(), (Counts{0, 0, 0})) << "it found no place";
  segment(hash(0), kTcpAck);
  EXPECT_EQ(counts(), (Counts{1, 0, 0}));
  segment(hash(90), kTcpSyn);
  segment(hash(90), kTcpAck);
  EXPECT_EQ(counts(), (Counts{2, 0, 0})) << "a place is free again";
  now_ += 3 * kSecond;
  segment(hash(91), kTcpSyn);
  EXPECT_EQ(counts(), (Counts{2, 0, 3})) << "those that lapsed make room";
}

class HandshakePath : public test::AtEveryLevel {
 protected:
  static constexpr uint32_t kVip = 0xc633640a;
  static constexpr uint16_t kFlows = 4000;

  static TestSnapshot snapshot_of(uint32_t sampled_below) {
    test::TestPool pool;
    for (uint16_t backend = 0; backend < 3; ++backend) {
      pool.seats.push_back(
          contract::make_ipip_seat({.backend = backend,
                                    .port = 0,
                                    .mtu = 1600,
                                    .source_mac = {2, 0, 0, 0, 0, 1},
                                    .next_hop_mac = contract::MacAddress{2, 0, 0, 0, 1, static_cast<uint8_t>(backend)},
                                    .outer_source = Be32(0xac100000),
                                    .outer_destination = Be32(0xcb007100u + backend),
                                    .entropy_mask = contract::entropy_mask(16)}));
    }
    for (uint16_t slot = 0; slot < 251; ++slot) pool.ring.push_back(slot % 3);
    const contract::VipPlacement vips[] = {{{Be32(kVip), Be16(80), 6}, 3, 0}, {{Be32(kVip), Be16(0), 17}, 4, 0}};
    return {{1, 2}, vips, {&pool, 1}, 16, sampled_below};
  }

  /// One segment of each flow; every seventh with IP options, every fifth in a frame with a VLAN tag.
  void send(const TestSnapshot& snapshot, uint8_t flags, uint8_t protocol = 6) {
    std::vector<ExactBuffer> buffers;
    std::vector<packet::Packet> packets;
    for (uint16_t flow = 0; flow < kFlows; ++flow) {
      test::FrameShape shape{.protocol = protocol, .source_port = static_cast<uint16_t>(1000 + flow)};
      if (flow % 7 == 0) shape.option_words = 2;
      if (flow % 5 == 0) shape.tags = {0x8100};
      Bytes frame = test::make_frame(shape);
      if (protocol == 6) frame[14 + 4 * shape.tags.size() + 20 + 4 * shape.option_words + 13] = flags;
      buffers.emplace_back(frame, 64);
    }
    packets.reserve(buffers.size());
    for (ExactBuffer& buffer : buffers) packets.push_back(buffer.packet());
    process_burst(snapshot.view(), packets, counters_->ledger());
  }
  const contract::HandshakeCounter& counter(uint32_t backend) {
    return counters_->region().handshakes(counters_->geometry())[backend];
  }
  uint64_t sum(contract::Counter contract::HandshakeCounter::*which) {
    uint64_t all = 0;
    for (uint32_t backend = 0; backend < 3; ++backend) all += (counter(backend).*which).get();
    return all;
  }

  std::unique_ptr<TestCounters> counters_ = std::make_unique<TestCounters>();
};
INSTANTIATE_TEST_SUITE_P(Level, HandshakePath, ::testing::ValuesIn(test::runnable_levels()), test::level_name);

TEST_P(HandshakePath, OneFlowInSoManyIsSampled) {
  for (const uint32_t one_in : {4u, 16u}) {
    counters_ = std::make_unique<TestCounters>();
    const TestSnapshot snapshot = snapshot_of(contract::sampled_below(one_in));
    send(snapshot, kTcpSyn);
    send(snapshot, kTcpAck);
    const uint64_t completed = sum(&contract::HandshakeCounter::completed);
    const double expected = static_cast<double>(kFlows) / one_in;
    EXPECT_NEAR(static_cast<double>(completed), expected, 5 * std::sqrt(expected));
    for (uint32_t backend = 0; backend < 3; ++backend) {
      const auto share = static_cast<double>(counter(backend).completed.get());
      EXPECT_NEAR(share, expected / 3, 6 * std::sqrt(expected / 3)) << "the sample is spread as the flows are";
    }
  }
}

TEST_P(HandshakePath, NothingIsSampledWhenItIsOff) {
  const TestSnapshot snapshot = snapshot_of(contract::sampled_below(0));
  send(snapshot, kTcpSyn);
  send(snapshot, kTcpSyn);
  send(snapshot, kTcpAck);
  EXPECT_EQ(sum(&contract::HandshakeCounter::completed), 0u);
  EXPECT_EQ(sum(&contract::HandshakeCounter::retransmitted), 0u);
}

TEST_P(HandshakePath, RetransmissionsAreSeenAndUdpIsNot) {
  const TestSnapshot snapshot = snapshot_of(contract::sampled_below(8));
  send(snapshot, kTcpSyn, 17);
  send(snapshot, kTcpSyn, 17);
  EXPECT_EQ(sum(&contract::HandshakeCounter::retransmitted), 0u);
  send(snapshot, kTcpSyn);
  send(snapshot, kTcpSyn);
  EXPECT_GT(sum(&contract::HandshakeCounter::retransmitted), kFlows / 16u);
  EXPECT_EQ(sum(&contract::HandshakeCounter::completed), 0u);
}

}  // namespace
}  // namespace warmswap::balance
