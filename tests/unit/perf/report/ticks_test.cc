#include "perf/report/ticks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <sstream>

namespace warmswap::report {
namespace {

Axis axis(Scale scale, std::string unit = "") {
  Axis result;
  result.scale = scale;
  result.unit = std::move(unit);
  return result;
}

std::vector<std::string> labels(const Ticks& ticks) {
  std::vector<std::string> result;
  for (const Tick& tick : ticks.ticks) {
    if (!tick.label.empty()) result.push_back(tick.label);
  }
  return result;
}

using Labels = std::vector<std::string>;

TEST(Ticks, LinearOnesAreRoundNumbers) {
  EXPECT_EQ(labels(choose_ticks(axis(Scale::linear), {3, 97}, 5, true)), (Labels{"0", "20", "40", "60", "80", "100"}));
  EXPECT_EQ(labels(choose_ticks(axis(Scale::linear), {0, 0.9}, 4, true)), (Labels{"0.0", "0.5", "1.0"}));
  const Ticks near = choose_ticks(axis(Scale::linear), {99.2, 99.9}, 5, true);
  EXPECT_EQ(labels(near).front(), "99.2");
  EXPECT_EQ(labels(near).back(), "100.0");
}

TEST(Ticks, OnALinearAxisTheUnitStandsOnceAndAPrefixWithoutUnitAtEachNumber) {
  const Ticks rate = choose_ticks(axis(Scale::linear, "pps"), {0, 8e6}, 4, true);
  EXPECT_EQ(rate.unit, "Mpps");
  EXPECT_EQ(labels(rate), (Labels{"0", "2", "4", "6", "8"}));
  const Ticks plain = choose_ticks(axis(Scale::linear), {0, 40000}, 4, true);
  EXPECT_EQ(plain.unit, "");
  EXPECT_EQ(labels(plain), (Labels{"0", "10k", "20k", "30k", "40k"}));
}

TEST(Ticks, LogarithmicOnesAreDecadesWithTheirUnit) {
  const Ticks ticks = choose_ticks(axis(Scale::log10, "ns"), {1500, 800'000}, 6, true);
  EXPECT_EQ(labels(ticks), (Labels{"1\u00a0µs", "10\u00a0µs", "100\u00a0µs", "1\u00a0ms"}));
  EXPECT_NEAR(ticks.range.from, 1000, 1e-6);
  EXPECT_NEAR(ticks.range.to, 1e6, 1e-3);
  const auto few = labels(choose_ticks(axis(Scale::log10), {1, 1e12}, 4, true));
  EXPECT_LE(few.size(), 5u);
  EXPECT_GE(few.size(), 3u);
}

TEST(Ticks, WithinOneDecadeALogarithmicAxisHasLabelsToo) {
  EXPECT_GE(labels(choose_ticks(axis(Scale::log10), {210, 480}, 5, true)).size(), 2u);
  EXPECT_GE(labels(choose_ticks(axis(Scale::log10), {5, 5}, 5, true)).size(), 1u);
}

TEST(Ticks, PercentilesAreNines) {
  EXPECT_EQ(labels(choose_ticks(axis(Scale::percentile), {0, 99.995}, 7, false)),
            (Labels{"0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %"}));
  const Ticks one = choose_ticks(axis(Scale::percentile), {100, 100}, 7, false);
  EXPECT_LT(one.range.from, one.range.to);
}

TEST(Ticks, WhateverTheDataTheAxisHoldsItIsNotEmptyAndItsLabelsDiffer) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> exponent(-280, 280);
  std::uniform_real_distribution<double> mantissa(-10, 10);
  for (int round = 0; round < 20'000; ++round) {
    const Scale scale = round % 2 == 0 ? Scale::linear : Scale::log10;
    double from = mantissa(random) * std::pow(10, round % 3 == 0 ? exponent(random) : exponent(random) / 60);
    double to =
        round % 5 == 0 ? from * (1 + 1e-3 * mantissa(random)) : mantissa(random) * std::pow(10, exponent(random));
    if (scale == Scale::log10) from = std::abs(from), to = std::abs(to);
    if (from > to) std::swap(from, to);
    const Ticks ticks = choose_ticks(axis(scale, round % 7 == 0 ? "ns" : ""), {from, to}, 5, true);
    std::ostringstream text;
    text << from << " to " << to;
    const std::string where = text.str();
    ASSERT_TRUE(std::isfinite(ticks.range.from) && std::isfinite(ticks.range.to)) << where;
    ASSERT_LT(ticks.range.from, ticks.range.to) << where;
    const double hair = 1e-6 * (std::abs(from) + std::abs(to));
    ASSERT_LE(ticks.range.from, from + hair) << where;
    ASSERT_GE(ticks.range.to, to - hair) << where;
    const Labels all = labels(ticks);
    ASSERT_LE(all.size(), 25u) << where;
    ASSERT_GE(all.size(), 1u) << where;
    ASSERT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size()) << where << ": " << all[0];
  }
}

TEST(Ticks, NoLengthNoZeroAndTheEndsOfDoubles) {
  for (const Range data : {Range{0, 0}, Range{-1e308, 1e308}, Range{5, 5}, Range{-5, -5}, Range{1e308, 1e308}}) {
    const Ticks ticks = choose_ticks(axis(Scale::linear), data, 5, true);
    EXPECT_LT(ticks.range.from, ticks.range.to) << data.from;
    EXPECT_GE(labels(ticks).size(), 2u) << data.from;
  }
  EXPECT_FALSE(drawable(Scale::log10, 0));
  EXPECT_FALSE(drawable(Scale::log10, -1));
  EXPECT_FALSE(drawable(Scale::linear, kMissing));
  EXPECT_TRUE(drawable(Scale::linear, -1));
}

}  // namespace
}  // namespace warmswap::report
