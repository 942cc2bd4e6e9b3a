#include "controlplane/health/anomaly.h"

#include <gtest/gtest.h>

#include <random>

namespace warmswap::health {
namespace {

using namespace std::chrono_literals;

class AnomalyTest : public ::testing::Test {
 protected:
  /// One probe of each backend at its usual pace ±10 %, then a look at all. Who stood out.
  std::vector<uint64_t> round() {
    for (uint64_t id = 0; id < paces_.size(); ++id) {
      const double noise = 0.9 + 0.2 * static_cast<double>(random_() % 1000) / 1000;
      const bool good = static_cast<double>(random_() % 1000) / 1000 >= errors_[id];
      anomaly_.result(id, good,
                      std::chrono::nanoseconds(static_cast<int64_t>(static_cast<double>(paces_[id].count()) * noise)));
    }
    std::vector<uint64_t> ids;
    for (uint64_t id = 0; id < paces_.size(); ++id) ids.push_back(id);
    std::vector<uint64_t> out;
    for (const Outlying& outlying : anomaly_.evaluate(config_, ids)) {
      out.push_back(outlying.id);
      sentence_ = outlying.sentence;
    }
    return out;
  }
  std::vector<uint64_t> rounds(int count) {
    std::vector<uint64_t> all;
    for (int i = 0; i < count; ++i) {
      const std::vector<uint64_t> out = round();
      all.insert(all.end(), out.begin(), out.end());
    }
    return all;
  }

  config::AnomalyConfig config_;
  Anomaly anomaly_;
  std::vector<std::chrono::nanoseconds> paces_{2ms, 2ms, 3ms, 2ms, 4ms};
  std::vector<double> errors_{0, 0, 0, 0, 0};
  std::mt19937_64 random_{9};
  std::string sentence_;
};

TEST_F(AnomalyTest, AUsualPoolHasNoOutlier) {
  EXPECT_TRUE(rounds(2000).empty());
}

TEST_F(AnomalyTest, ASlowOneStandsOutAfterSoManyProbes) {
  rounds(20);
  paces_[3] = 60ms;
  int needed = 0;
  while (round().empty()) ++needed;
  EXPECT_GE(needed, 4) << "five in a row";
  EXPECT_LE(needed, 12);
  EXPECT_NE(sentence_.find("ms, the pool's median is "), std::string::npos) << sentence_;
}

TEST_F(AnomalyTest, WhatHurtsAllAlikeEjectsNobody) {
  rounds(20);
  for (auto& pace : paces_) pace *= 40;
  EXPECT_TRUE(rounds(200).empty());
}

TEST_F(AnomalyTest, OneThatFailsNowAndThenStandsOutThoughNeverThreeTimesInARow) {
  errors_[1] = 0.5;
  const std::vector<uint64_t> out = rounds(100);
  ASSERT_FALSE(out.empty());
  for (const uint64_t id : out) EXPECT_EQ(id, 1u);
  EXPECT_NE(sentence_.find("of its probes fail"), std::string::npos) << sentence_;
}

TEST_F(AnomalyTest, AlmostEqualBackendsAreNotHunted) {
  paces_ = {100us, 100us, 100us, 100us, 900us};
  EXPECT_TRUE(rounds(500).empty()) << "nine times the median, but less than the floor above it";
}

TEST_F(AnomalyTest, TwoAreTooFewToCompare) {
  paces_ = {1ms, 500ms};
  EXPECT_TRUE(rounds(100).empty());
}

TEST_F(AnomalyTest, TheAverageResponseTimeFollows) {
  EXPECT_FALSE(anomaly_.response_time(3).has_value());
  anomaly_.result(3, true, 8ms);
  EXPECT_EQ(anomaly_.response_time(3), 8ms);
  anomaly_.result(3, true, 16ms);
  EXPECT_EQ(anomaly_.response_time(3), 9ms) << "8 + (16 - 8) / 8";
  anomaly_.result(3, false, 1s);
  EXPECT_EQ(anomaly_.response_time(3), 9ms) << "a bad probe's time says nothing";
}

}  // namespace
}  // namespace warmswap::health
