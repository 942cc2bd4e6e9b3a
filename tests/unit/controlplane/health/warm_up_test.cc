#include "controlplane/health/warm_up.h"

#include <gtest/gtest.h>

#include <random>

namespace warmswap::health {
namespace {

using namespace std::chrono_literals;
using Change = WarmUp::Change;

config::WarmConfig hundred_a_second() {
  config::WarmConfig config;
  config.rate = 100;
  config.response_time = 50ms;
  config.hold = 3s;
  config.verify = 60s;
  return config;
}

/// A server that answers so many a second in time, and above that too late.
struct Standby {
  explicit Standby(double a_second, bool warmed = false)
      : capacity(a_second), warm_up(hundred_a_second(), warmed, now) {}

  Change step(double budget = 1e9) {
    const double granted = std::min(warm_up.wanted(), budget);
    most = std::max(most, granted);
    for (int i = 0; i < static_cast<int>(granted); ++i) {
      warm_up.answered(true, granted <= capacity ? 10ms : 400ms);
    }
    now += WarmUp::kStep;
    return warm_up.end_of_step(granted, now);
  }
  Change steps(int count, double budget = 1e9) {
    Change last = Change::none;
    for (int i = 0; i < count; ++i) {
      if (const Change change = step(budget); change != Change::none) last = change;
    }
    return last;
  }

  double capacity;
  WarmUp::Clock::time_point now{};
  double most = 0;
  WarmUp warm_up;
};

TEST(WarmUp, RampsUpHoldsAndIsWarm) {
  Standby standby(1000);
  EXPECT_EQ(standby.warm_up.wanted(), 10) << "a tenth at first";
  EXPECT_EQ(standby.steps(9), Change::none);
  EXPECT_EQ(standby.warm_up.wanted(), 100);
  EXPECT_EQ(standby.steps(2), Change::none);
  EXPECT_FALSE(standby.warm_up.warmed()) << "the rate must be held for 3 s";
  EXPECT_EQ(standby.step(), Change::warmed);
  EXPECT_EQ(standby.warm_up.warmth(), 1);
  EXPECT_EQ(standby.warm_up.wanted(), 0) << "and then it is left alone";
}

// The worked example of the literature: loads 50 and 80 under a threshold of 100 are not yet warm.
TEST(WarmUp, StandbysThatHoldFiftyAndEightyOfAHundredAreNotYetWarm) {
  for (const double load : {50.0, 80.0}) {
    Standby standby(load);
    standby.steps(60);
    EXPECT_FALSE(standby.warm_up.warmed()) << load;
    EXPECT_LE(standby.warm_up.warmth(), load / 100);
    EXPECT_GE(standby.warm_up.warmth(), load / 100 / 2 - 0.1) << load;
    EXPECT_NE(standby.warm_up.why().find("of 100 requests/s within 50ms"), std::string::npos) << standby.warm_up.why();
    EXPECT_LE(standby.most, load + 10) << "one step beyond what it can do, and back";
  }
}

TEST(WarmUp, ErrorsAreNoBetterThanLateAnswers) {
  WarmUp warm_up(hundred_a_second(), false, {});
  for (int i = 0; i < 10; ++i) warm_up.answered(false, 1ms);
  warm_up.end_of_step(10, {});
  EXPECT_EQ(warm_up.wanted(), 5);
  EXPECT_NE(warm_up.why().find("at 10 a second 100 % were late or failed"), std::string::npos) << warm_up.why();
}

TEST(WarmUp, OneInTwentyMayBeLate) {
  WarmUp warm_up(hundred_a_second(), false, {});
  for (int i = 0; i < 19; ++i) warm_up.answered(true, 1ms);
  warm_up.answered(true, 51ms);
  warm_up.end_of_step(10, {});
  EXPECT_EQ(warm_up.wanted(), 20);
}

TEST(WarmUp, IsVerifiedAndLostWhenItFailsTwice) {
  Standby standby(1000);
  ASSERT_EQ(standby.steps(12), Change::warmed);
  EXPECT_EQ(standby.steps(59), Change::none);
  EXPECT_EQ(standby.warm_up.wanted(), 0);
  standby.step();
  EXPECT_EQ(standby.warm_up.wanted(), 50) << "from half the rate";
  standby.capacity = 30;
  EXPECT_EQ(standby.step(), Change::none) << "once is a hiccup";
  EXPECT_TRUE(standby.warm_up.warmed());
  standby.capacity = 10;
  EXPECT_EQ(standby.step(), Change::lost);
  EXPECT_LT(standby.warm_up.warmth(), 0.2);
  standby.capacity = 1000;
  EXPECT_EQ(standby.steps(20), Change::warmed) << "and wins it again";
}

TEST(WarmUp, AVerificationThatSucceedsIsNoNews) {
  Standby standby(1000, true);
  EXPECT_EQ(standby.warm_up.wanted(), 50) << "adopted as warm, and verified at once";
  EXPECT_TRUE(standby.warm_up.warmed());
  EXPECT_EQ(standby.steps(20), Change::none);
  EXPECT_EQ(standby.warm_up.wanted(), 0);
}

TEST(WarmUp, LessThanItAskedForProvesNothingAboutMore) {
  Standby standby(1000);
  EXPECT_EQ(standby.steps(50, 30), Change::none);
  EXPECT_EQ(standby.warm_up.warmth(), 0.3);
  EXPECT_NE(standby.warm_up.why().find("waits for its part of the budget"), std::string::npos);
}

TEST(WarmUp, WhateverIsAnsweredTheRateStaysInItsBounds) {
  std::mt19937 random(7);
  WarmUp warm_up(hundred_a_second(), false, {});
  WarmUp::Clock::time_point now{};
  for (int step = 0; step < 100'000; ++step) {
    const double granted = warm_up.wanted();
    for (auto i = random() % 5; i > 0; --i)
      warm_up.answered(random() % 8 != 0, std::chrono::milliseconds(random() % 60));
    if (random() % 50 == 0) warm_up.held_up();
    now += WarmUp::kStep;
    const bool before = warm_up.warmed();
    const Change change = warm_up.end_of_step(granted, now);
    ASSERT_EQ(change == Change::none, before == warm_up.warmed());
    ASSERT_TRUE(warm_up.wanted() == 0 || (warm_up.wanted() >= 1 && warm_up.wanted() <= 100));
    ASSERT_LE(warm_up.wanted(), granted == 0 ? 50 : granted + 10) << "never a jump";
  }
}

}  // namespace
}  // namespace warmswap::health
