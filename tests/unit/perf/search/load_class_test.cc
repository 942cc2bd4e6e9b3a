#include "perf/search/load_class.h"

#include <gtest/gtest.h>

#include <random>

namespace warmswap::perf {
namespace {

Trial trial(double loss, int milliseconds, bool reached = true) {
  Trial result;
  result.rate_pps = 1e6;
  result.duration = std::chrono::milliseconds(milliseconds);
  result.sent = 1'000'000;
  result.received = static_cast<uint64_t>(1e6 * (1 - loss));
  result.rate_reached = reached;
  return result;
}

SearchGoal goal(double exceed, int final_ms, int sum_ms) {
  SearchGoal result = non_drop_rate();
  result.exceed_ratio = exceed;
  result.final_trial_duration = std::chrono::milliseconds(final_ms);
  result.duration_sum = std::chrono::milliseconds(sum_ms);
  return result;
}

std::vector<Trial> some(int good, int bad, int milliseconds) {
  std::vector<Trial> trials(static_cast<size_t>(good), trial(0, milliseconds));
  trials.insert(trials.end(), static_cast<size_t>(bad), trial(0.1, milliseconds));
  return trials;
}

TEST(LoadClass, OneLongTrialDecidesAsRfc2544Wants) {
  const SearchGoal rfc = goal(0, 60'000, 60'000);
  EXPECT_EQ(classify(some(1, 0, 60'000), rfc), LoadClass::lower_bound);
  EXPECT_EQ(classify(some(0, 1, 60'000), rfc), LoadClass::upper_bound);
  EXPECT_EQ(classify(some(5, 1, 60'000), rfc), LoadClass::upper_bound);
  EXPECT_EQ(classify(some(3, 0, 10'000), rfc), LoadClass::undecided);    // short ones never make a lower bound
  EXPECT_EQ(classify(some(3, 1, 10'000), rfc), LoadClass::upper_bound);  // but an upper one
  EXPECT_EQ(classify({}, rfc), LoadClass::undecided);
}

TEST(LoadClass, TheMajorityDecidesAsSoonAsItCannotTurn) {
  const SearchGoal majority = goal(0.5, 1000, 21'000);
  EXPECT_EQ(classify(some(10, 0, 1000), majority), LoadClass::undecided);
  EXPECT_EQ(classify(some(11, 0, 1000), majority), LoadClass::lower_bound);
  EXPECT_EQ(classify(some(11, 10, 1000), majority), LoadClass::lower_bound);
  EXPECT_EQ(classify(some(10, 10, 1000), majority), LoadClass::undecided);
  EXPECT_EQ(classify(some(0, 10, 1000), majority), LoadClass::undecided);
  EXPECT_EQ(classify(some(0, 11, 1000), majority), LoadClass::upper_bound);
}

TEST(LoadClass, InvalidTrialsAreNotLookedAt) {
  const SearchGoal rfc = goal(0, 1000, 1000);
  EXPECT_EQ(classify(std::vector<Trial>{trial(0.5, 1000, false)}, rfc), LoadClass::undecided);
  EXPECT_EQ(classify(std::vector<Trial>{trial(0.5, 1000, false), trial(0, 1000)}, rfc), LoadClass::lower_bound);
}

TEST(LoadClass, MoreTrialsAlwaysDecideInTheEndAndLossNeverHelps) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 5000; ++round) {
    const int final_ms = 100 + static_cast<int>(random() % 900);
    SearchGoal any =
        goal(static_cast<double>(random() % 90) / 100, final_ms, final_ms + static_cast<int>(random() % 20'000));
    any.loss_ratio = static_cast<double>(random() % 3) * 0.005;
    std::vector<Trial> trials;
    for (size_t i = random() % 12; i > 0; --i) {
      trials.push_back(trial(static_cast<double>(random() % 3) * 0.004, 50 + static_cast<int>(random() % 1500)));
    }
    const LoadClass before = classify(trials, any);
    std::vector<Trial> worse = trials;
    worse.push_back(trial(0.9, final_ms));
    if (before == LoadClass::upper_bound) {
      ASSERT_EQ(classify(worse, any), LoadClass::upper_bound);
    }
    for (int spent = 0; spent <= any.duration_sum.count(); spent += final_ms) {
      trials.push_back(trial(random() % 2 == 0 ? 0.9 : 0, final_ms));
    }
    ASSERT_NE(classify(trials, any), LoadClass::undecided);
  }
}

TEST(ConditionalThroughput, IsWhatTheWorstTolerableTimeLetsThrough) {
  const SearchGoal majority = goal(0.5, 1000, 4000);
  const std::vector<Trial> trials = {trial(0.4, 1000), trial(0, 1000), trial(0.2, 1000), trial(0.1, 1000)};
  EXPECT_NEAR(conditional_throughput(trials, majority), 0.9e6, 1);  // half of the time at most 10 % is lost
  EXPECT_NEAR(conditional_throughput(trials, goal(0, 1000, 4000)), 0.6e6, 1);
  EXPECT_NEAR(conditional_throughput(trials, goal(0.75, 1000, 4000)), 1e6, 1);
  EXPECT_EQ(conditional_throughput(trials, goal(0, 1000, 8000)), 0);  // half of the time is not known
  EXPECT_TRUE(std::isnan(conditional_throughput(std::vector<Trial>{trial(0, 10)}, majority)));
}

TEST(Classify, ATrialThatReadsANanosecondShortIsAFullOne) {
  const SearchGoal any = goal(0.5, 1000, 1000);
  Trial read_short = trial(0, 1000);
  read_short.duration -= std::chrono::nanoseconds(1);
  EXPECT_EQ(classify(std::vector<Trial>{read_short}, any), LoadClass::lower_bound);
  EXPECT_GT(conditional_throughput(std::vector<Trial>{read_short}, any), 0);
  Trial cut_short = trial(0, 1000);
  cut_short.duration -= std::chrono::milliseconds(10);
  EXPECT_EQ(classify(std::vector<Trial>{cut_short}, any), LoadClass::undecided);
}

TEST(SearchGoal, WhatMakesNoSenseIsNamed) {
  EXPECT_EQ(non_drop_rate().fault(), "");
  EXPECT_EQ(partial_drop_rate().fault(), "");
  SearchGoal bad = non_drop_rate();
  bad.exceed_ratio = 1;
  EXPECT_NE(bad.fault().find("NDR has loss ratio 0 and exceed ratio 1"), std::string::npos);
  bad = non_drop_rate();
  bad.width = 0;
  EXPECT_NE(bad.fault().find("NDR has width 0"), std::string::npos);
  bad = non_drop_rate();
  bad.duration_sum = std::chrono::milliseconds(500);
  EXPECT_NE(bad.fault().find("expected 0 < initial ≤ final ≤ sum"), std::string::npos);
}

}  // namespace
}  // namespace warmswap::perf
