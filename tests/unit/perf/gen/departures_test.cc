#include "perf/gen/departures.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace warmswap::gen {
namespace {

constexpr double kHz = 2'445'000'000;

TEST(DepartureClock, DoesNotDriftFromStartPlusNIntervals) {
  for (const double rate : {1.0, 999'983.0, 1e6, 14'880'952.0, 1e9}) {
    DepartureClock clock(1'000'000, rate, kHz);
    constexpr uint64_t kSteps = 2'000'000;
    for (uint64_t i = 0; i < kSteps; ++i) clock.advance();
    const double exact = 1'000'000 + static_cast<double>(kSteps) * kHz / rate;
    EXPECT_NEAR(static_cast<double>(clock.next()), exact, exact * 1e-9 + 1) << rate;
  }
}

TEST(DepartureClock, SkippingIsAdvancingManyTimes) {
  for (const double rate : {3.0, 1e6, 7'777'777.0}) {
    for (const uint64_t behind :
         {uint64_t{0}, uint64_t{1}, uint64_t{2444}, uint64_t{2445}, uint64_t{2446}, uint64_t{987'654'321}}) {
      DepartureClock stepped(5000, rate, kHz);
      DepartureClock skipped(5000, rate, kHz);
      uint64_t steps = 0;
      for (; stepped.next() < 5000 + behind; ++steps) stepped.advance();
      EXPECT_EQ(skipped.skip_to(5000 + behind), steps) << rate << " " << behind;
      EXPECT_EQ(skipped.next(), stepped.next());
      for (int i = 0; i < 100; ++i) {
        skipped.advance();
        stepped.advance();
        ASSERT_EQ(skipped.next(), stepped.next()) << "the fraction was kept as well";
      }
    }
  }
}

TEST(Departures, StreamsLeaveInOrderAndInProportion) {
  const std::vector<double> rates{700'000, 200'000, 100'000};
  Departures departures(0, rates, kHz);
  std::vector<double> counts(rates.size(), 0);
  uint64_t before = 0;
  constexpr int kPackets = 100'000;
  for (int i = 0; i < kPackets; ++i) {
    ASSERT_GE(departures.time(), before);
    before = departures.time();
    counts[departures.stream()] += 1;
    departures.advance();
  }
  for (size_t i = 0; i < rates.size(); ++i) EXPECT_NEAR(counts[i] / kPackets, rates[i] / 1e6, 1e-4) << i;
  EXPECT_NEAR(static_cast<double>(before), kPackets / 1e6 * kHz, kHz / 1e5);
}

TEST(Departures, EqualStreamsDoNotLeaveTogether) {
  Departures departures(0, {1000, 1000, 1000}, kHz);
  uint64_t before = departures.time();
  for (int i = 0; i < 100; ++i) {
    departures.advance();
    EXPECT_GT(departures.time() - before, kHz / 1000 / 4);
    before = departures.time();
  }
}

TEST(Departures, SkippingCountsAllStreams) {
  Departures departures(0, {1000, 500}, 1e9);
  // 1 ms and 2 ms apart, the second one begins half of its interval later: 10 of the first, 5 of the second.
  EXPECT_EQ(departures.skip_to(10'000'000), 15u);
  EXPECT_GE(departures.time(), 10'000'000u);
}

}  // namespace
}  // namespace warmswap::gen
