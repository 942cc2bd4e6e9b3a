#include "controlplane/health/handshakes.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace warmswap::health {
namespace {

using namespace std::chrono_literals;

class HandshakeJudgement : public ::testing::Test {
 protected:
  static constexpr size_t kBackends = 5;
  struct Backend {
    double incomplete = 0.01;
    double milliseconds = 30;
  };

  /// A second of clients: `rate_` handshakes of each backend, 30 % of them from so far away that they take ten times as
  /// long. Who is a suspect after it.
  std::vector<Suspect> second() {
    for (uint64_t id = 0; id < kBackends; ++id) {
      for (int i = 0; i < rate_; ++i) {
        if (chance() < backends_[id].incomplete) {
          ++(chance() < 0.5 ? shown_[id].lapsed : shown_[id].retransmitted);
          continue;
        }
        const double took = backends_[id].milliseconds * (0.5 + chance()) * (chance() < 0.3 ? 10 : 1);
        ++shown_[id].completed;
        shown_[id].completed_ns += static_cast<uint64_t>(took * 1e6);
      }
      handshakes_.count(id, shown_[id]);
    }
    return handshakes_.evaluate(config_, ids_);
  }
  std::vector<Suspect> seconds(int count) {
    std::vector<Suspect> all;
    for (int i = 0; i < count; ++i) {
      for (Suspect& suspect : second()) all.push_back(std::move(suspect));
    }
    return all;
  }
  double chance() { return std::uniform_real_distribution<double>(0, 1)(random_); }

  config::AnomalyConfig config_;
  Handshakes handshakes_;
  std::array<Backend, kBackends> backends_{};
  std::array<HandshakeCounts, kBackends> shown_{};
  std::vector<uint64_t> ids_{0, 1, 2, 3, 4};
  std::mt19937_64 random_{4};
  int rate_ = 40;
};

TEST_F(HandshakeJudgement, AUsualPoolHasNoSuspect) {
  EXPECT_TRUE(seconds(5000).empty());
}

TEST_F(HandshakeJudgement, WhoFailsHalfOfItsClientsIsOneWithinSeconds) {
  seconds(10);
  backends_[2].incomplete = 0.5;
  int needed = 1;
  std::vector<Suspect> suspects;
  while ((suspects = second()).empty()) ++needed;
  EXPECT_LE(needed, 4);
  ASSERT_EQ(suspects.size(), 1u);
  EXPECT_EQ(suspects[0].id, 2u);
  EXPECT_EQ(suspects[0].in_a_row, 1u);
  EXPECT_NE(suspects[0].sentence.find("of its handshakes fail, the pool's median is "), std::string::npos);
  EXPECT_EQ(second()[0].in_a_row, 2u);
}

TEST_F(HandshakeJudgement, WhoTakesFiveTimesAsLongIsOne) {
  seconds(10);
  backends_[4].milliseconds = 150;
  seconds(5);
  const std::vector<Suspect> suspects = second();
  ASSERT_EQ(suspects.size(), 1u);
  EXPECT_EQ(suspects[0].id, 4u);
  EXPECT_NE(suspects[0].sentence.find("handshakes take "), std::string::npos) << suspects[0].sentence;
}

TEST_F(HandshakeJudgement, AFloodOrAFaultUpstreamMakesNobodyASuspect) {
  seconds(10);
  for (Backend& backend : backends_) backend.incomplete = 0.95;
  rate_ = 400;
  EXPECT_TRUE(seconds(100).empty());
  for (Backend& backend : backends_) backend = {0.3, 400};
  EXPECT_TRUE(seconds(100).empty());
  for (Backend& backend : backends_) backend = {};
  EXPECT_TRUE(seconds(100).empty());
}

TEST_F(HandshakeJudgement, AFewHandshakesProveNothing) {
  rate_ = 3;  // 15 of late
  backends_[1].incomplete = 1;
  EXPECT_TRUE(seconds(200).empty());
}

TEST_F(HandshakeJudgement, TwoBackendsHaveNoRestOfThePool) {
  ids_ = {0, 1};
  backends_[1].incomplete = 1;
  EXPECT_TRUE(seconds(50).empty());
}

TEST_F(HandshakeJudgement, WhatItFailedBeforeItsEjectionIsForgotten) {
  backends_[3].incomplete = 1;
  EXPECT_FALSE(seconds(10).empty());
  handshakes_.forget(3);
  backends_[3].incomplete = 0.01;
  EXPECT_TRUE(seconds(50).empty());
}

TEST_F(HandshakeJudgement, WithoutNewHandshakesTheOldOnesDoNotCountAgain) {
  backends_[3].incomplete = 1;
  EXPECT_FALSE(seconds(10).empty());
  rate_ = 0;
  EXPECT_TRUE(seconds(3).empty());
}

TEST_F(HandshakeJudgement, CountingBeginsAtTheFirstLookAndAnewWithOtherCounters) {
  shown_[0] = {.completed = 1'000'000, .lapsed = 7, .completed_ns = 1};
  handshakes_.count(0, shown_[0]);
  EXPECT_FALSE(handshakes_.figures(0).has_value());
  shown_[0].completed += 10;
  shown_[0].completed_ns += 10 * 2'000'000;
  shown_[0].retransmitted += 10;
  handshakes_.count(0, shown_[0]);
  const auto figures = handshakes_.figures(0);
  ASSERT_TRUE(figures.has_value());
  EXPECT_EQ(figures->counted.completed, 10u);
  EXPECT_EQ(figures->counted.retransmitted, 10u);
  EXPECT_EQ(figures->counted.lapsed, 0u);
  EXPECT_EQ(figures->time, 2ms);
  EXPECT_DOUBLE_EQ(figures->incomplete.value(), 0.5);
  handshakes_.start_anew();
  handshakes_.count(0, {.completed = 5, .completed_ns = 5});
  EXPECT_EQ(handshakes_.figures(0)->counted.completed, 10u);
  handshakes_.count(0, {.completed = 6, .completed_ns = 6});
  EXPECT_EQ(handshakes_.figures(0)->counted.completed, 11u);
}

}  // namespace
}  // namespace warmswap::health
