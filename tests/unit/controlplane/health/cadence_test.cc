#include "controlplane/health/cadence.h"

#include <gtest/gtest.h>

#include <vector>

namespace warmswap::health {
namespace {

using namespace std::chrono_literals;
using Clock = Cadence::Clock;

const Clock::time_point kAnchor(123'456'789s);

TEST(Cadence, phasesSpreadEvenlyOverTheInterval) {
  for (const uint64_t targets : {2u, 10u, 100u, 10'000u}) {
    std::vector<Clock::duration> phases;
    for (uint64_t id = 1; id <= targets; ++id) {
      phases.push_back(Cadence::phase(id, 1s));
      ASSERT_GE(phases.back(), 0s);
      ASSERT_LT(phases.back(), 1s);
    }
    std::sort(phases.begin(), phases.end());
    for (size_t i = 1; i < phases.size(); ++i) {
      // Three-distance theorem: gaps of golden-ratio multiples stay below φ² / n.
      ASSERT_LT(phases[i] - phases[i - 1], 1s * 2.7 / static_cast<double>(targets));
    }
  }
}

TEST(Cadence, neverDriftsAndJitterStaysInItsBounds) {
  for (const uint32_t jitter : {0u, 10u, 50u}) {
    for (const Clock::duration interval : {10ms, 1000ms}) {
      for (uint64_t id = 0; id < 20; ++id) {
        Cadence cadence(id, interval, jitter, kAnchor, kAnchor);
        const auto grid = kAnchor + Cadence::phase(id, interval);
        Clock::time_point now = kAnchor;
        for (int i = 0; i < 2000; ++i) {
          now = cadence.next(now);
          const auto off = (now - grid) % interval;
          const auto distance = std::min<Clock::duration>(off, interval - off);
          ASSERT_LE(distance, interval / 100 * jitter);
        }
        // 2000 starts after the first probe took 2000 intervals, give or take phase and jitter.
        EXPECT_NEAR(static_cast<double>((now - kAnchor) / (interval / 100)), 200'000, 150);
      }
    }
  }
}

TEST(Cadence, jitterVaries) {
  Cadence cadence(1, 1s, 10, kAnchor, kAnchor);
  Clock::time_point now = kAnchor;
  std::vector<int> deciles(10);
  for (int i = 0; i < 10'000; ++i) {
    now = cadence.next(now);
    const auto late = (now - kAnchor - Cadence::phase(1, 1s) + 100ms) % 1s;  // 0..200 ms
    ++deciles[std::min<size_t>(9, static_cast<size_t>(late / 20ms))];
  }
  for (const int count : deciles) EXPECT_NEAR(count, 1000, 150);
}

TEST(Cadence, theSecondProbeComesHalfAnIntervalAfterTheFirstOrLater) {
  for (uint64_t id = 0; id < 1000; ++id) {
    const auto first = kAnchor + 777us * id;
    Cadence cadence(id, 100ms, 0, kAnchor, first);
    const auto second = cadence.next(first);
    ASSERT_GE(second - first, 49ms);
    ASSERT_LE(second - first, 151ms);
  }
}

TEST(Cadence, missedStartsAreNotMadeUpFor) {
  Cadence cadence(5, 10ms, 0, kAnchor, kAnchor);
  Clock::time_point now = cadence.next(kAnchor);
  now += 1s + 3ms;  // the loop was held up for a hundred intervals
  EXPECT_EQ(cadence.next(now), now);
  const auto next = cadence.next(now);
  EXPECT_GT(next, now);
  EXPECT_LE(next - now, 10ms);
}

}  // namespace
}  // namespace warmswap::health
