#include "perf/gen/packet_source.h"

#include <gtest/gtest.h>

#include <limits>

namespace warmswap::gen {
namespace {

using std::chrono::nanoseconds;

TrafficConfig two_streams() {
  TrafficConfig traffic;
  StreamConfig stream;
  stream.vips = {*parse_ip("198.51.100.10")};
  stream.name = "a";
  stream.weight = 3;
  traffic.streams.push_back(stream);
  stream.name = "b";
  stream.fixed_rate = 500;
  traffic.streams.push_back(stream);
  return traffic;
}

TEST(StreamSource, FixedRatesStandBesideTheShares) {
  auto source = StreamSource::make(two_streams());
  ASSERT_TRUE(source);
  EXPECT_DOUBLE_EQ((*source)->total_rate(2000), 2500);
  (*source)->start(0, 2000, 1e9);
  std::vector<uint8_t> frame((*source)->largest_frame());
  uint64_t counts[2] = {};
  while ((*source)->due() < 1'000'000'000) ++counts[(*source)->write(frame.data(), 0).stream];
  EXPECT_NEAR(static_cast<double>(counts[0]), 2000, 1);
  EXPECT_NEAR(static_cast<double>(counts[1]), 500, 1);
}

TEST(StreamSource, SkippedDeparturesUseUpNoSequenceNumbers) {
  TrafficConfig traffic = two_streams();
  traffic.streams.resize(1);
  auto source = StreamSource::make(traffic);
  (*source)->start(0, 1e6, 1e9);
  std::vector<uint8_t> frame((*source)->largest_frame());
  const auto sequence = [&] {
    (*source)->write(frame.data(), 0);
    return contract::load<contract::Be32>(&frame[14 + 20 + 4]).host();
  };
  EXPECT_EQ(sequence(), 0u);
  EXPECT_EQ((*source)->skip_to(1'000'000), 999u);
  EXPECT_EQ(sequence(), 1u);
  EXPECT_EQ((*source)->due(), 1'001'000u);
}

TEST(StreamSource, NeedsAStream) {
  EXPECT_FALSE(StreamSource::make({}));
}

Capture capture_of(std::vector<int64_t> times) {
  Capture capture;
  for (const int64_t time : times) {
    capture.frames.push_back({capture.bytes.size(), 60, nanoseconds(time)});
    capture.bytes.insert(capture.bytes.end(), 60, static_cast<uint8_t>(capture.frames.size()));
  }
  return capture;
}

TEST(CaptureSource, RepeatsTheFramesInOrder) {
  auto source = CaptureSource::make(capture_of({0, 1000, 5000}), false);
  ASSERT_TRUE(source);
  (*source)->start(100, 1e6, 1e9);
  std::vector<uint8_t> frame((*source)->largest_frame());
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ((*source)->due(), 100u + 1000u * static_cast<unsigned>(i)) << "the rate, not the capture's times";
    EXPECT_EQ((*source)->write(frame.data(), 0).length, 60u);
    EXPECT_EQ(frame[0], 1 + i % 3);
  }
}

TEST(CaptureSource, KeepsTheTimesWhenAsked) {
  auto source = CaptureSource::make(capture_of({70'000, 71'000, 76'000}), true);
  (*source)->start(0, 1e6, 1e9);
  std::vector<uint8_t> frame((*source)->largest_frame());
  // The mean distance, 3 µs, is also that from the last frame to the first of the next round.
  for (const uint64_t due : {0u, 1000u, 6000u, 9000u, 10'000u, 15'000u, 18'000u}) {
    EXPECT_EQ((*source)->due(), due);
    (*source)->write(frame.data(), 0);
  }
  EXPECT_NEAR((*source)->total_rate(123), 1e9 / 3000, 1);
}

TEST(CaptureSource, RefusesAnEmptyCapture) {
  EXPECT_FALSE(CaptureSource::make({}, false));
}

}  // namespace
}  // namespace warmswap::gen
