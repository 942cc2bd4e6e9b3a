#include "perf/gen/stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "tests/unit/perf/gen/frame_check.h"

namespace warmswap::gen {
namespace {

StreamConfig base() {
  StreamConfig config;
  config.vips = {*parse_ip("198.51.100.10")};
  return config;
}

std::vector<test::PlainFrame> frames(const StreamConfig& config, size_t count, uint64_t seed = 1) {
  auto stream = Stream::make(config, {.index = 0, .seed = seed});
  EXPECT_TRUE(stream) << stream.error();
  std::vector<test::PlainFrame> out;
  std::vector<uint8_t> buffer(stream->largest_frame());
  for (size_t i = 0; i < count; ++i) {
    const uint32_t length = stream->next(buffer.data(), i);
    out.emplace_back(std::vector<uint8_t>(buffer.begin(), buffer.begin() + length));
  }
  return out;
}

/// Source address and port.
uint64_t client(const test::PlainFrame& frame) {
  return uint64_t{test::big16(&frame.frame[26])} << 32 | test::big16(&frame.frame[28]) << 16 | frame.source_port();
}

TEST(Stream, IsAFunctionOfItsDescriptionAndSeed) {
  StreamConfig config = base();
  config.kinds = {{Kind::syn, 1}, {Kind::data, 3}};
  const auto first = frames(config, 100);
  const auto again = frames(config, 100);
  const auto other = frames(config, 100, 2);
  size_t equal = 0;
  for (size_t i = 0; i < first.size(); ++i) {
    ASSERT_EQ(first[i].frame, again[i].frame);
    equal += first[i].frame == other[i].frame ? 1 : 0;
  }
  EXPECT_EQ(equal, 0u);
}

TEST(Stream, KindsComeByWeight) {
  StreamConfig config = base();
  config.kinds = {{Kind::syn, 1}, {Kind::ack, 2}, {Kind::data, 6}, {Kind::fin, 1}};
  std::map<uint8_t, double> flags;
  constexpr int kPackets = 40'000;
  for (const auto& frame : frames(config, kPackets)) flags[frame.tcp_flags()] += 1.0 / kPackets;
  EXPECT_NEAR(flags[0x02], 0.1, 0.01);
  EXPECT_NEAR(flags[0x10], 0.2, 0.01);
  EXPECT_NEAR(flags[0x18], 0.6, 0.01);
  EXPECT_NEAR(flags[0x11], 0.1, 0.01);
  EXPECT_EQ(flags.size(), 4u);
}

TEST(Stream, ImixIsSevenFourOne) {
  StreamConfig config = base();
  config.transport = Transport::udp;
  config.sizes = {{64, 7}, {594, 4}, {1518, 1}};
  std::map<size_t, double> sizes;
  constexpr int kPackets = 48'000;
  for (const auto& frame : frames(config, kPackets)) sizes[frame.frame.size() + kFcsBytes] += 12.0 / kPackets;
  EXPECT_NEAR(sizes[64], 7, 0.15);
  EXPECT_NEAR(sizes[594], 4, 0.15);
  EXPECT_NEAR(sizes[1518], 1, 0.1);
  EXPECT_EQ(sizes.size(), 3u);
  const auto stream = Stream::make(config, {});
  EXPECT_NEAR(stream->mean_frame(), (7 * 60 + 4 * 590 + 1514) / 12.0, 0.01);
}

TEST(Stream, UniformAndSequentialReachAllFlowsAlike) {
  for (const Choice choice : {Choice::uniform, Choice::sequential}) {
    StreamConfig config = base();
    config.flows = 100;
    config.choice = choice;
    std::map<uint64_t, double> clients;
    for (const auto& frame : frames(config, 20'000)) clients[client(frame)] += 1;
    ASSERT_EQ(clients.size(), 100u);
    double chi_square = 0;
    for (const auto& [who, count] : clients) chi_square += (count - 200) * (count - 200) / 200;
    EXPECT_LT(chi_square, choice == Choice::sequential ? 1e-9 : 170) << "99 degrees of freedom";
  }
}

TEST(Stream, ZipfFlowsAreAsPopularAsTheirRankAndLieAnywhere) {
  StreamConfig config = base();
  config.flows = 1000;
  config.choice = Choice::zipf;
  config.zipf_exponent = 1;
  std::map<uint64_t, double> clients;
  constexpr int kPackets = 50'000;
  const auto space = make_flow_space(config, 0, 1);
  std::map<uint64_t, double> flows;
  for (const auto& frame : frames(config, kPackets)) {
    const auto flow = space->find(&frame.frame[26], static_cast<uint16_t>(frame.source_port()), &frame.frame[30], 80);
    ASSERT_TRUE(flow);
    flows[flow->index] += 1.0 / kPackets;
  }
  std::vector<std::pair<double, uint64_t>> ranked;
  ranked.reserve(flows.size());
  for (const auto& [flow, share] : flows) ranked.emplace_back(share, flow);
  std::ranges::sort(ranked, std::greater());
  const double harmonic = std::log(1000.0) + 0.5772156649;
  EXPECT_NEAR(ranked[0].first, 1 / harmonic, 0.006);
  EXPECT_NEAR(ranked[1].first, 1 / harmonic / 2, 0.005);
  EXPECT_NEAR(ranked[9].first, 1 / harmonic / 10, 0.003);
  uint64_t low = 0;
  for (int rank = 0; rank < 20; ++rank) low += ranked[rank].second < 500 ? 1 : 0;
  EXPECT_GT(low, 3u);
  EXPECT_LT(low, 17u) << "popular flows are scattered over the flow space";
}

TEST(Stream, LifeCyclesOpenCarryCloseAndMoveOn) {
  StreamConfig config = base();
  config.flows = 20;
  config.life_cycle = 3;
  config.sizes = {{200, 1}};
  struct Life {
    std::string kinds;
    std::vector<uint64_t> clients;
  };
  std::map<uint64_t, Life> lives;  // by source address: 10.0.0.0/8 hardly gives two of 20 flows the same
  for (const auto& frame : frames(config, 5000)) {
    Life& life = lives[client(frame) >> 16];
    life.kinds += frame.tcp_flags() == 0x02 ? 'S' : frame.tcp_flags() == 0x11 ? 'F' : 'd';
    life.clients.push_back(client(frame));
    ASSERT_EQ(frame.frame.size(), frame.tcp_flags() == 0x18 ? 196u : 60u);
  }
  ASSERT_EQ(lives.size(), 20u);
  for (const auto& [address, life] : lives) {
    const size_t first = std::min(life.kinds.find('S'), life.kinds.size());
    ASSERT_LE(first, 4u) << "each begins somewhere in its first connection";
    for (size_t i = 1; i < life.kinds.size(); ++i) {
      const size_t step = (i + 5 - first) % 5;
      ASSERT_EQ(life.kinds[i], "SdddF"[step]);
      if (step != 0) {
        ASSERT_EQ(life.clients[i], life.clients[i - 1]);
      } else {
        ASSERT_NE(life.clients[i], life.clients[i - 1]) << "the next connection has another source port";
      }
    }
  }
}

TEST(Stream, LifeCyclesHaveTheirMixFromTheFirstPacketOn) {
  StreamConfig config = base();
  config.flows = 100'000;
  config.life_cycle = 8;
  int opening = 0;
  int closing = 0;
  for (const auto& frame : frames(config, 10'000)) {
    opening += frame.tcp_flags() == 0x02 ? 1 : 0;
    closing += frame.tcp_flags() == 0x11 ? 1 : 0;
  }
  // One in ten each: 1000, with a standard deviation of 30.
  EXPECT_NEAR(opening, 1000, 150);
  EXPECT_NEAR(closing, 1000, 150);
}

TEST(Stream, FreshFlowsDoNotComeAgain) {
  std::map<uint64_t, int> clients;
  for (const auto& frame : frames(syn_flood(base(), 1000), 20'000)) {
    ++clients[client(frame)];
    ASSERT_EQ(frame.tcp_flags(), 0x02);
    ASSERT_EQ(frame.frame[26], 198);
    ASSERT_EQ(frame.frame[27] & 0xfe, 18) << "198.18.0.0/15";
  }
  EXPECT_EQ(clients.size(), 20'000u);
}

}  // namespace
}  // namespace warmswap::gen
