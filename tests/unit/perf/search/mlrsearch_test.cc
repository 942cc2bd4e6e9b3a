#include "perf/search/mlrsearch.h"

#include <gtest/gtest.h>

#include "tests/unit/perf/search/simulated_device.h"

namespace warmswap::perf {
namespace {

constexpr double kMax = 14.88e6;

Limits limits_up_to(double max_pps) {
  Limits limits;
  limits.min_pps = 1e4;
  limits.max_pps = max_pps;
  return limits;
}

std::vector<SearchGoal> both() {
  return {non_drop_rate(), partial_drop_rate()};
}

MlrResult search(SimulatedDevice& device, const Limits& limits, const std::vector<SearchGoal>& goals) {
  auto result = mlrsearch(device.measure(), limits, goals);
  EXPECT_TRUE(result.ok()) << result.error();
  EXPECT_EQ(result->trials.size(), device.trials);
  EXPECT_EQ(result->time_spent, device.spent);
  return *result;
}

TEST(MlrSearch, ASharpCeilingGivesBothRatesWithinTheirWidth) {
  for (int i = 0; i < 12; ++i) {
    const double capacity = 3e4 * std::pow(1.71, i);
    SimulatedDevice device{.capacity_pps = capacity};
    const MlrResult result = search(device, limits_up_to(kMax), both());
    for (const GoalResult& goal : result.goals) {
      EXPECT_EQ(goal.outcome, Outcome::found) << describe(goal);
      EXPECT_LE(goal.upper_pps - goal.lower_pps, 0.005 * goal.upper_pps * (1 + 1e-9));
      EXPECT_FALSE(goal.irregular) << describe(goal);
    }
    const GoalResult& ndr = result.goals[0];
    EXPECT_LE(ndr.lower_pps, capacity * (1 + 1e-6));
    EXPECT_GT(ndr.upper_pps, capacity * (1 - 1e-6));
    EXPECT_NEAR(ndr.throughput_pps, ndr.lower_pps, 1);
    const GoalResult& pdr = result.goals[1];
    EXPECT_LE(pdr.lower_pps, capacity / 0.995 * (1 + 1e-6));
    EXPECT_GT(pdr.upper_pps, capacity / 0.995 * (1 - 1e-6));
    EXPECT_NEAR(pdr.throughput_pps, std::min(pdr.lower_pps, capacity), 2);
  }
}

TEST(MlrSearch, CostsLessTimeThanTwoBinarySearchesOfTheSameCertainty) {
  SimulatedDevice device{.capacity_pps = 5.3e6};
  search(device, limits_up_to(kMax), both());
  // Eleven seconds decide about a load, and halving 14.88 Mpps to 0.5 % of 5.3 takes 10 loads for each rate.
  EXPECT_LT(device.spent, std::chrono::seconds(2 * 10 * 11 / 2));
  EXPECT_LT(device.trials, 200u);
}

TEST(MlrSearch, NoiseOfTheCapacityIsRiddenOut) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SimulatedDevice device{.capacity_pps = 5e6, .noise = 0.01, .seed = seed};
    const MlrResult result = search(device, limits_up_to(kMax), both());
    for (const GoalResult& goal : result.goals) {
      EXPECT_NEAR(goal.throughput_pps, 5e6, 5e6 * 0.03) << describe(goal);
      EXPECT_NE(goal.outcome, Outcome::unfinished);
    }
    EXPECT_LT(device.trials, 500u);
  }
}

TEST(MlrSearch, SporadicLossFarBelowTheCeilingDoesNotMoveTheMajorityGoalButIsTold) {
  int told = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SimulatedDevice device{.capacity_pps = 5e6, .sporadic_chance = 0.15, .seed = seed};
    const MlrResult result = search(device, limits_up_to(kMax), both());
    const GoalResult& ndr = result.goals[0];
    EXPECT_NEAR(ndr.lower_pps, 5e6, 5e6 * 0.02) << describe(ndr);
    EXPECT_EQ(ndr.irregular, ndr.contradicting_trials > 0);
    told += ndr.irregular ? 1 : 0;
    EXPECT_NEAR(result.goals[1].lower_pps, 5e6, 5e6 * 0.02);  // 0.01 % is far below what it tolerates
    EXPECT_EQ(result.goals[1].contradicting_trials, 0u);
  }
  EXPECT_GE(told, 15);  // of the 11 trials or more at the lower bound not one is hit in 0.85^11 = 17 % of the searches
}

TEST(MlrSearch, WithoutToleranceSporadicLossPullsTheRateDown) {
  SearchGoal strict = non_drop_rate();
  strict.exceed_ratio = 0;
  SimulatedDevice device{.capacity_pps = 5e6, .sporadic_chance = 0.3, .seed = 3};
  Limits limits = limits_up_to(kMax);
  limits.max_trials = 2000;
  const MlrResult result = search(device, limits, {strict});
  EXPECT_FALSE(result.goals[0].lower_pps > 4.9e6) << describe(result.goals[0]);
}

TEST(MlrSearch, TheGeneratorsLimitIsNotTakenForTheDevices) {
  SimulatedDevice device{.capacity_pps = 9e6, .generator_pps = 4e6};
  const MlrResult result = search(device, limits_up_to(kMax), both());
  for (const GoalResult& goal : result.goals) {
    EXPECT_EQ(goal.outcome, Outcome::generator_limit) << describe(goal);
    EXPECT_NEAR(goal.lower_pps, 4e6, 4e6 * 0.006);
    EXPECT_TRUE(std::isnan(goal.upper_pps));
    EXPECT_NE(describe(goal).find("the generator reached its limit first"), std::string::npos);
  }
  SimulatedDevice slower{.capacity_pps = 3e6, .generator_pps = 4e6};
  for (const GoalResult& goal : search(slower, limits_up_to(kMax), both()).goals) {
    EXPECT_EQ(goal.outcome, Outcome::found);
    EXPECT_NEAR(goal.lower_pps, 3e6, 3e6 * 0.02);
  }
}

TEST(MlrSearch, AHiccupOfTheGeneratorIsTriedAgain) {
  SimulatedDevice device{.capacity_pps = 5e6, .hiccup_chance = 0.1, .seed = 7};
  Limits limits = limits_up_to(kMax);
  limits.attempts = 8;
  const MlrResult result = search(device, limits, both());
  EXPECT_EQ(result.goals[0].outcome, Outcome::found);
  EXPECT_NEAR(result.goals[0].lower_pps, 5e6, 5e6 * 0.01);
}

TEST(MlrSearch, AGeneratorThatReachesNothingHasNoResult) {
  SimulatedDevice device{.generator_pps = 100};
  for (const GoalResult& goal : search(device, limits_up_to(kMax), both()).goals) {
    EXPECT_EQ(goal.outcome, Outcome::generator_limit);
    EXPECT_TRUE(std::isnan(goal.lower_pps));
    EXPECT_TRUE(std::isnan(goal.throughput_pps));
  }
}

TEST(MlrSearch, TheEndsOfTheRangeAreTold) {
  SimulatedDevice fast{.capacity_pps = 1e9};
  for (const GoalResult& goal : search(fast, limits_up_to(kMax), both()).goals) {
    EXPECT_EQ(goal.outcome, Outcome::no_loss_at_max);
    EXPECT_EQ(goal.lower_pps, kMax);
  }
  SimulatedDevice dead{.capacity_pps = 0};
  for (const GoalResult& goal : search(dead, limits_up_to(kMax), both()).goals) {
    EXPECT_EQ(goal.outcome, Outcome::loss_at_min);
    EXPECT_EQ(goal.upper_pps, 1e4);
    EXPECT_TRUE(std::isnan(goal.throughput_pps));
  }
}

TEST(MlrSearch, WhenTimeIsUpTheBoundsKnownByThenAreTold) {
  Limits limits = limits_up_to(kMax);
  limits.max_time = std::chrono::seconds(15);
  SimulatedDevice device;
  const MlrResult result = search(device, limits, both());
  EXPECT_EQ(result.goals[0].outcome, Outcome::unfinished);
  EXPECT_LE(result.goals[0].lower_pps, 5e6);
  EXPECT_GT(result.goals[0].upper_pps, 5e6);
  EXPECT_LE(device.spent, std::chrono::seconds(16));
  limits = limits_up_to(kMax);
  limits.max_trials = 1;
  SimulatedDevice other;
  EXPECT_EQ(search(other, limits, both()).goals[1].outcome, Outcome::unfinished);
  EXPECT_EQ(other.trials, 1u);
}

TEST(MlrSearch, WhateverTheDeviceItEndsWithinItsLimitsAndItsBoundsAreInOrder) {
  std::mt19937_64 random(9);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SimulatedDevice device{.capacity_pps = std::pow(10, 3 + 5 * uniform(random)),
                           .generator_pps = std::pow(10, 5 + 3 * uniform(random)),
                           .noise = 0.2 * uniform(random) * uniform(random),
                           .sporadic_chance = uniform(random) * uniform(random),
                           .sporadic_loss = std::pow(10, -4 * uniform(random)),
                           .hiccup_chance = 0.2 * uniform(random),
                           .seed = seed};
    const MlrResult result = search(device, limits_up_to(kMax), both());
    EXPECT_LE(device.trials, 500u);
    for (const GoalResult& goal : result.goals) {
      EXPECT_FALSE(goal.lower_pps >= goal.upper_pps) << describe(goal);
      if (goal.outcome == Outcome::found) {
        EXPECT_LE(goal.upper_pps - goal.lower_pps, 0.0051 * goal.upper_pps) << describe(goal);
        EXPECT_LE(goal.throughput_pps, goal.lower_pps);
      }
    }
  }
}

TEST(MlrSearch, WhatMakesNoSenseAndWhatFailsIsSaid) {
  SimulatedDevice device;
  EXPECT_NE(mlrsearch(device.measure(), limits_up_to(kMax), {}).error().find("no goal"), std::string::npos);
  EXPECT_NE(mlrsearch(device.measure(), limits_up_to(5), both()).error().find("the rates to search"),
            std::string::npos);
  SearchGoal bad = non_drop_rate();
  bad.width = 2;
  EXPECT_NE(mlrsearch(device.measure(), limits_up_to(kMax), {bad}).error().find("width 2"), std::string::npos);
  EXPECT_EQ(device.trials, 0u);
  const Measure broken = [](double, Nanoseconds) -> contract::Result<Trial> { return contract::Error{"no link"}; };
  EXPECT_NE(mlrsearch(broken, limits_up_to(kMax), both()).error().find("failed: no link"), std::string::npos);
}

}  // namespace
}  // namespace warmswap::perf
