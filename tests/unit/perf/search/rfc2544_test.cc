#include "perf/search/rfc2544.h"

#include <gtest/gtest.h>

#include "tests/unit/perf/search/simulated_device.h"

namespace warmswap::perf {
namespace {

ThroughputGoal goal_up_to(double max_pps) {
  ThroughputGoal goal;
  goal.limits.min_pps = 1e4;
  goal.limits.max_pps = max_pps;
  goal.resolution = 0.005;
  return goal;
}

ThroughputResult search(SimulatedDevice& device, const ThroughputGoal& goal) {
  auto result = search_throughput(device.measure(), goal);
  EXPECT_TRUE(result.ok()) << result.error();
  return *result;
}

TEST(Throughput, ASharpCeilingIsFoundWithinTheResolutionAndLogarithmicCost) {
  for (int i = 0; i < 21; ++i) {
    const double capacity = 2e4 * std::pow(1.37, i);
    SimulatedDevice device{.capacity_pps = capacity};
    const ThroughputResult result = search(device, goal_up_to(14.88e6));
    EXPECT_EQ(result.outcome, Outcome::found);
    EXPECT_LE(result.throughput_pps, capacity);
    EXPECT_GT(result.failed_pps, capacity);
    EXPECT_LE(result.failed_pps - result.throughput_pps, 0.005 * result.failed_pps);
    EXPECT_TRUE(result.confirmed);
    EXPECT_EQ(result.trials.size(), device.trials);
    EXPECT_EQ(result.time_spent, device.spent);
    EXPECT_LE(device.trials, 22u) << capacity;  // log2(14.88e6 / (0.005 · 2e4)) + first, last, confirming
  }
}

TEST(Throughput, WhatHoldsAtTheHighestRateIsSaidToBeALeast) {
  SimulatedDevice device{.capacity_pps = 20e6};
  const ThroughputResult result = search(device, goal_up_to(14.88e6));
  EXPECT_EQ(result.outcome, Outcome::no_loss_at_max);
  EXPECT_EQ(result.throughput_pps, 14.88e6);
  EXPECT_TRUE(std::isnan(result.failed_pps));
  EXPECT_EQ(device.trials, 2u);  // and the confirming one
  EXPECT_NE(describe(result).find("or more: it held at the highest rate"), std::string::npos) << describe(result);
}

TEST(Throughput, ADeviceThatLosesAtAnyRateHasNone) {
  SimulatedDevice device{.capacity_pps = 10};
  const ThroughputResult result = search(device, goal_up_to(14.88e6));
  EXPECT_EQ(result.outcome, Outcome::loss_at_min);
  EXPECT_TRUE(std::isnan(result.throughput_pps));
  EXPECT_EQ(describe(result).rfind("no throughput: it did not hold even at the lowest rate", 0), 0u)
      << describe(result);
}

TEST(Throughput, TheGeneratorsLimitIsNotTakenForTheDevices) {
  SimulatedDevice device{.capacity_pps = 8e6, .generator_pps = 5e6};
  const ThroughputResult result = search(device, goal_up_to(14.88e6));
  EXPECT_EQ(result.outcome, Outcome::generator_limit);
  EXPECT_NEAR(result.throughput_pps, 5e6, 5e6 * 0.005);
  EXPECT_NE(describe(result).find("or more: the generator reached its limit first"), std::string::npos);
  SimulatedDevice slower{.capacity_pps = 4e6, .generator_pps = 5e6};
  const ThroughputResult own = search(slower, goal_up_to(14.88e6));
  EXPECT_EQ(own.outcome, Outcome::found);
  EXPECT_NEAR(own.throughput_pps, 4e6, 4e6 * 0.005);
}

TEST(Throughput, AHiccupOfTheGeneratorIsTriedAgain) {
  SimulatedDevice device{.capacity_pps = 3e6, .hiccup_chance = 0.15, .seed = 5};
  ThroughputGoal goal = goal_up_to(14.88e6);
  goal.limits.attempts = 6;
  const ThroughputResult result = search(device, goal);
  EXPECT_EQ(result.outcome, Outcome::found);
  EXPECT_NEAR(result.throughput_pps, 3e6, 3e6 * 0.005);
  const auto invalid =
      std::count_if(result.trials.begin(), result.trials.end(), [](const Trial& t) { return !t.valid(); });
  EXPECT_GT(invalid, 0);
}

TEST(Throughput, ALossAtTheConfirmingTrialSendsTheSearchOnBelow) {
  SimulatedDevice device{.capacity_pps = 5e6};
  const Measure inner = device.measure();
  // Long trials see a ceiling that short ones do not.
  const Measure measure = [&](double rate, Nanoseconds duration) -> contract::Result<Trial> {
    device.capacity_pps = duration > std::chrono::seconds(1) ? 4.9e6 : 5e6;
    return inner(rate, duration);
  };
  ThroughputGoal goal = goal_up_to(14.88e6);
  goal.trial_duration = std::chrono::seconds(1);
  const auto result = search_throughput(measure, goal);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->confirmed);
  EXPECT_LE(result->throughput_pps, 4.9e6);
  EXPECT_GE(result->throughput_pps, 4.7e6);
}

TEST(Throughput, TrialsAndTimeAreBounded) {
  SimulatedDevice device{.capacity_pps = 5e6, .noise = 0.3, .sporadic_chance = 0.3};
  ThroughputGoal goal = goal_up_to(14.88e6);
  goal.limits.max_trials = 4;
  EXPECT_EQ(search(device, goal).outcome, Outcome::unfinished);
  EXPECT_EQ(device.trials, 4u);
  SimulatedDevice other;
  goal = goal_up_to(14.88e6);
  goal.limits.max_time = std::chrono::seconds(150);
  EXPECT_EQ(search(other, goal).outcome, Outcome::unfinished);
  EXPECT_EQ(other.trials, 3u);  // of 60 s, the last one begun in time
}

TEST(Throughput, WhenItIsStoppedWhatWasKnownIsTold) {
  SimulatedDevice device{.capacity_pps = 3e6};
  ThroughputGoal goal = goal_up_to(14.88e6);
  goal.limits.stop = [&device] { return device.trials >= 5; };
  const ThroughputResult result = search(device, goal);
  EXPECT_EQ(result.outcome, Outcome::unfinished);
  EXPECT_EQ(result.trials.size(), 4u) << "the one under way when it was stopped does not count";
  EXPECT_LE(result.throughput_pps, 3e6);
  EXPECT_GT(result.failed_pps, 3e6);
}

TEST(Throughput, ATrialThatFailsEndsTheSearchWithItsReason) {
  const Measure broken = [](double, Nanoseconds) -> contract::Result<Trial> {
    return contract::Error{"the link is down"};
  };
  const auto result = search_throughput(broken, goal_up_to(1e6));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error(), "the trial at 1.000 Mpps failed: the link is down");
}

TEST(Throughput, GoalsThatMakeNoSenseAreNamed) {
  SimulatedDevice device;
  ThroughputGoal goal;
  EXPECT_NE(search_throughput(device.measure(), goal).error().find("expected 0 < lowest ≤ highest"), std::string::npos);
  goal = goal_up_to(1e6);
  goal.resolution = 0;
  EXPECT_NE(search_throughput(device.measure(), goal).error().find("the resolution is 0"), std::string::npos);
  goal = goal_up_to(1e6);
  goal.confirm_duration = std::chrono::milliseconds(0);
  EXPECT_NE(search_throughput(device.measure(), goal).error().find("a trial of 0 ms"), std::string::npos);
  EXPECT_EQ(device.trials, 0u);
}

TEST(FrameLoss, StepsDownUntilTwoTrialsInARowLoseNothing) {
  SimulatedDevice device{.capacity_pps = 6.5e6};
  LossGoal goal;
  goal.limits.max_pps = 10e6;
  const auto rows = sweep_frame_loss(device.measure(), goal);
  ASSERT_TRUE(rows.ok()) << rows.error();
  ASSERT_EQ(rows->size(), 6u);  // 100, 90, 80, 70 % lose, 60 and 50 % do not
  for (size_t i = 0; i < rows->size(); ++i) {
    const double rate = 10e6 * (1 - 0.1 * static_cast<double>(i));
    EXPECT_NEAR((*rows)[i].rate_pps, rate, 1);
    EXPECT_NEAR((*rows)[i].loss_ratio(), std::max(0.0, 1 - 6.5e6 / rate), 1e-6);
  }
}

TEST(FrameLoss, EndsAtTheLowestRateAndKeepsInvalidTrials) {
  SimulatedDevice device{.capacity_pps = 1, .generator_pps = 8.5e6};
  LossGoal goal;
  goal.limits.max_pps = 10e6;
  goal.limits.attempts = 1;
  const auto rows = sweep_frame_loss(device.measure(), goal);
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->size(), 10u);
  EXPECT_FALSE((*rows)[0].valid());
  EXPECT_FALSE((*rows)[1].valid());
  EXPECT_TRUE((*rows)[2].valid());
  goal.step = 0.2;
  EXPECT_NE(sweep_frame_loss(device.measure(), goal).error().find("the step is 0.2"), std::string::npos);
}

}  // namespace
}  // namespace warmswap::perf
