#include "perf/gen/checker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "perf/gen/packet_source.h"
#include "tests/unit/perf/gen/tunnel.h"

namespace warmswap::gen {
namespace {

using test::Frame;

constexpr uint64_t kStart = 1'000'000;
constexpr uint64_t kGap = 1000;  // ns between departures

TrafficConfig traffic_with(StreamConfig stream) {
  stream.vips = {*parse_ip("198.51.100.10")};
  TrafficConfig traffic;
  traffic.streams = {std::move(stream)};
  return traffic;
}

/// The first `count` frames of a traffic, as sent.
std::vector<Frame> sent(const TrafficConfig& traffic, size_t count) {
  auto source = StreamSource::make(traffic);
  (*source)->start(kStart, 1e9 / kGap, 1e9);
  std::vector<Frame> frames;
  for (size_t i = 0; i < count; ++i) {
    Frame frame((*source)->largest_frame());
    const uint64_t due = (*source)->due();
    frame.resize((*source)->write(frame.data(), due).length);
    frames.push_back(std::move(frame));
  }
  return frames;
}

/// Which backend a correct balancer gives a flow: by its source port here.
uint8_t backend_of(const Frame& frame) {
  return static_cast<uint8_t>(11 + test::PlainFrame(frame).source_port() % 3);
}

std::vector<Frame> balanced(const std::vector<Frame>& frames) {
  std::vector<Frame> out;
  out.reserve(frames.size());
  for (const Frame& frame : frames) out.push_back(test::ipip(frame, backend_of(frame)));
  return out;
}

struct Judged {
  std::unique_ptr<Checker> checker;
  const StreamTally& tally() const { return checker->streams()[0]; }
};

Judged judge_all(const TrafficConfig& traffic, const std::vector<Frame>& frames, CheckerOptions options = {}) {
  options.hz = 1e9;
  options.interval = std::chrono::microseconds(100);
  options.intervals = 10;
  Judged judged{std::move(*Checker::make(traffic, options))};
  judged.checker->begin(kStart);
  uint64_t now = kStart + 500;
  for (const Frame& frame : frames) {
    const ArrivedFrame arrived{frame.data(), static_cast<uint32_t>(frame.size())};
    judged.checker->check({&arrived, 1}, now);
    now += kGap;
  }
  return judged;
}

std::vector<TrafficConfig> traffics() {
  StreamConfig minimal;
  minimal.flows = 50;
  StreamConfig roomy = minimal;
  roomy.sizes = {{200, 1}};
  StreamConfig udp = minimal;
  udp.transport = Transport::udp;
  return {traffic_with(minimal), traffic_with(roomy), traffic_with(udp)};
}

TEST(Checker, FindsNoFaultWhereThereIsNone) {
  for (const TrafficConfig& traffic : traffics()) {
    const Judged judged = judge_all(traffic, balanced(sent(traffic, 1000)));
    EXPECT_EQ(judged.tally().received, 1000u);
    EXPECT_EQ(judged.tally().duplicated + judged.tally().reordered + judged.tally().misrouted_flows, 0u);
    EXPECT_EQ(judged.checker->corrupt() + judged.checker->foreign() + judged.checker->stale(), 0u);
    EXPECT_EQ(judged.checker->backends().size(), 3u);
    EXPECT_EQ(judged.tally().latency.count(), 1000u);
    EXPECT_GE(judged.tally().latency.min(), 499u);
    EXPECT_LE(judged.tally().latency.max(), 504u) << "a compact signature knows the departure to 4 ticks";
  }
}

TEST(Checker, PacketsThatWereNotSentStandForNoLostOnes) {
  for (const TrafficConfig& traffic : traffics()) {
    std::vector<Frame> frames = balanced(sent(traffic, 110));
    frames.erase(frames.begin() + 40, frames.begin() + 50);
    const Judged judged = judge_all(traffic, frames, {.sent = {100}});
    EXPECT_EQ(judged.tally().received, 90u);
    EXPECT_EQ(judged.checker->beyond(), 10u);
  }
}

TEST(Checker, CountsTheBytesThatArrived) {
  const TrafficConfig traffic = traffics()[1];
  const Judged judged = judge_all(traffic, balanced(sent(traffic, 10)));
  EXPECT_EQ(judged.tally().frame_bytes, 10u * (196 + 20)) << "with the outer header, without FCS";
}

TEST(Checker, CountsSharesAndTimes) {
  const TrafficConfig traffic = traffics()[0];
  const std::vector<Frame> frames = sent(traffic, 1000);
  const Judged judged = judge_all(traffic, balanced(frames));
  uint64_t packets = 0;
  for (uint32_t i = 0; i < judged.checker->backends().size(); ++i) {
    const uint8_t last = judged.checker->backends().key(i).address[3];
    const auto expected = std::ranges::count(frames, last, backend_of);
    const BackendTally& tally = judged.checker->backend(i);
    EXPECT_EQ(tally.packets, static_cast<uint64_t>(expected));
    uint64_t in_timeline = 0;
    for (const uint32_t count : judged.checker->timeline(i)) in_timeline += count;
    EXPECT_EQ(in_timeline, tally.packets);
    EXPECT_NEAR(judged.checker->timeline(i)[0], static_cast<double>(expected) / 10, 20)
        << "100 of 1000 packets, by interval";
    EXPECT_GE(tally.last - tally.first, 900 * kGap);
    packets += tally.packets;
  }
  EXPECT_EQ(packets, 1000u);
}

TEST(Checker, FindsADuplicate) {
  for (const TrafficConfig& traffic : traffics()) {
    std::vector<Frame> frames = balanced(sent(traffic, 100));
    frames.insert(frames.begin() + 60, frames[40]);
    const Judged judged = judge_all(traffic, frames);
    EXPECT_EQ(judged.tally().duplicated, 1u);
    EXPECT_EQ(judged.tally().received, 100u);
  }
}

TEST(Checker, FindsALateOneOnlyWithinItsFlow) {
  StreamConfig two;
  two.flows = 2;
  two.choice = Choice::sequential;
  const TrafficConfig traffic = traffic_with(two);
  std::vector<Frame> frames = balanced(sent(traffic, 10));
  std::swap(frames[4], frames[5]);
  EXPECT_EQ(judge_all(traffic, frames).tally().reordered, 0u) << "different flows may overtake each other";
  std::swap(frames[4], frames[5]);
  std::swap(frames[4], frames[6]);
  const Judged judged = judge_all(traffic, frames);
  EXPECT_EQ(judged.tally().reordered, 1u);
  EXPECT_EQ(judged.tally().received, 10u);
}

TEST(Checker, FindsAMisroutedPacket) {
  for (const TrafficConfig& traffic : traffics()) {
    const std::vector<Frame> plain = sent(traffic, 1000);
    std::vector<Frame> frames = balanced(plain);
    frames[500] = test::ipip(plain[500], 99);
    const Judged judged = judge_all(traffic, frames);
    EXPECT_EQ(judged.tally().misrouted_flows, 1u);
    EXPECT_EQ(judged.tally().backend_changes, 2u) << "there and back";
  }
}

TEST(Checker, AFailoverIsOneChangeForEachFlowThatMoves) {
  const TrafficConfig traffic = traffics()[0];
  const std::vector<Frame> plain = sent(traffic, 4000);
  std::vector<Frame> frames = balanced(plain);
  std::set<uint32_t> moved;
  for (size_t i = 2000; i < frames.size(); ++i) {
    if (backend_of(plain[i]) != 12) continue;
    frames[i] = test::ipip(plain[i], 20);
    moved.insert(test::PlainFrame(plain[i]).source_port());
  }
  const Judged judged = judge_all(traffic, frames);
  EXPECT_NEAR(static_cast<double>(judged.tally().misrouted_flows), static_cast<double>(moved.size()), 1);
  EXPECT_EQ(judged.tally().backend_changes, judged.tally().misrouted_flows);
  EXPECT_GT(moved.size(), 5u);
}

TEST(Checker, ANewConnectionMayGoElsewhere) {
  StreamConfig cycles;
  cycles.flows = 5;
  cycles.life_cycle = 3;
  const TrafficConfig traffic = traffic_with(cycles);
  const std::vector<Frame> plain = sent(traffic, 2000);
  const Judged judged = judge_all(traffic, balanced(plain));
  EXPECT_EQ(judged.tally().misrouted_flows, 0u) << "ports, and with them backends, change with each connection";
  EXPECT_EQ(judged.checker->backends().size(), 3u);
  std::vector<Frame> frames = balanced(plain);
  // Within a connection it may not: the fourth packet of a flow is data.
  frames[1500] = test::ipip(plain[1500], 99);
  EXPECT_GE(judge_all(traffic, frames).tally().backend_changes, 1u);
}

TEST(Checker, CorruptionIsSeenWhereverItIs) {
  for (const TrafficConfig& traffic : traffics()) {
    const std::vector<Frame> frames = balanced(sent(traffic, 1));
    for (size_t byte = 14; byte < frames[0].size(); ++byte) {
      std::vector<Frame> broken = frames;
      broken[0][byte] ^= 0x04;
      const Judged judged = judge_all(traffic, broken);
      EXPECT_EQ(judged.tally().received, 0u) << byte;
      EXPECT_GE(judged.checker->corrupt() + judged.checker->foreign(), 1u) << byte;
    }
  }
}

TEST(Checker, RewrittenAddressesAreCorruptionEvenWithRightChecksums) {
  // Exchanging the addresses' halves leaves every ones'-complement sum as it was.
  const TrafficConfig traffic = traffics()[1];
  std::vector<Frame> frames = balanced(sent(traffic, 1));
  const size_t source = 14 + 20 + 12;
  std::swap(frames[0][source], frames[0][source + 2]);
  std::swap(frames[0][source + 1], frames[0][source + 3]);
  ASSERT_EQ(test::internet_sum({frames[0].begin() + 34, frames[0].begin() + 54}), 0xffffu);
  EXPECT_EQ(judge_all(traffic, frames).checker->corrupt(), 1u);
}

TEST(Checker, OthersTrafficIsForeignAndThePreviousRunsIsStale) {
  const TrafficConfig traffic = traffics()[0];
  TrafficConfig other = traffic;
  other.seed = 2;
  EXPECT_EQ(judge_all(traffic, balanced(sent(other, 10))).checker->foreign(), 10u);

  const std::vector<Frame> frames = balanced(sent(traffic, 10));
  Judged judged{std::move(*Checker::make(traffic, {}))};
  judged.checker->begin(kStart + 5 * kGap);
  for (const Frame& frame : frames) {
    const ArrivedFrame arrived{frame.data(), static_cast<uint32_t>(frame.size())};
    judged.checker->check({&arrived, 1}, kStart + 20 * kGap);
  }
  EXPECT_EQ(judged.checker->stale(), 5u);
  EXPECT_EQ(judged.tally().received, 5u);
}

TEST(Checker, WithoutAFlowTableTheRestStillWorks) {
  const TrafficConfig traffic = traffics()[0];
  std::vector<Frame> frames = balanced(sent(traffic, 100));
  frames.push_back(frames[3]);
  const Judged judged = judge_all(traffic, frames, {.flow_table = false});
  EXPECT_EQ(judged.tally().received, 100u);
  EXPECT_EQ(judged.tally().duplicated, 1u);
}

TEST(Checker, AFloodIsReceivedButNotFollowed) {
  TrafficConfig traffic = traffics()[0];
  traffic.streams.push_back(syn_flood(traffic.streams[0], 1e6));
  const Judged judged = judge_all(traffic, balanced(sent(traffic, 1000)));
  EXPECT_EQ(judged.checker->streams()[0].received + judged.checker->streams()[1].received, 1000u);
  EXPECT_NEAR(static_cast<double>(judged.checker->streams()[1].received), 500, 2);
  EXPECT_EQ(judged.checker->corrupt(), 0u);
}

}  // namespace
}  // namespace warmswap::gen
