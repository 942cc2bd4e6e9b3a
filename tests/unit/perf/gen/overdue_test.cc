#include "perf/gen/overdue.h"

#include <gtest/gtest.h>

namespace warmswap::gen {
namespace {

/// A departure every 10 ticks, from 0 on.
class EveryTen final : public PacketSource {
 public:
  void start(uint64_t, double, double) override {}
  uint64_t due() const noexcept override { return due_; }
  WrittenFrame write(uint8_t*, uint64_t) noexcept override {
    due_ += 10;
    return {};
  }
  uint64_t skip_to(uint64_t time) noexcept override {
    uint64_t skipped = 0;
    for (; due_ < time; due_ += 10) ++skipped;
    return skipped;
  }
  uint32_t largest_frame() const noexcept override { return 0; }
  double mean_frame() const noexcept override { return 0; }
  double total_rate(double rate) const noexcept override { return rate; }

 private:
  uint64_t due_ = 0;
};

TEST(Overdue, WhatFellDueWhileTheDeviceRefusedIsRefused) {
  EveryTen source;
  Overdue overdue;
  overdue.refusal(100);
  overdue.refusal(400);
  overdue.give_up(source, 350);
  EXPECT_EQ(overdue.skipped(), 10u) << "due before the first refusal: the thread had been late";
  EXPECT_EQ(overdue.refused(), 25u) << "due from 100 on";
  overdue.give_up(source, 600);
  EXPECT_EQ(overdue.refused(), 30u) << "due until the last refusal";
  EXPECT_EQ(overdue.skipped(), 30u);
}

TEST(Overdue, WithoutARefusalTheThreadWasLate) {
  EveryTen source;
  Overdue overdue;
  overdue.give_up(source, 100);
  EXPECT_EQ(overdue.skipped(), 10u);
  EXPECT_EQ(overdue.refused(), 0u);
}

TEST(Overdue, ARefusalThatWasCaughtUpExplainsNothingLater) {
  EveryTen source;
  Overdue overdue;
  overdue.refusal(50);
  overdue.caught_up();
  overdue.give_up(source, 100);
  EXPECT_EQ(overdue.refused(), 0u);
  EXPECT_EQ(overdue.skipped(), 10u);
  overdue.refusal(120);
  overdue.refusal(200);
  overdue.give_up(source, 200);
  EXPECT_EQ(overdue.skipped(), 12u) << "100 and 110";
  EXPECT_EQ(overdue.refused(), 8u);
}

TEST(Overdue, WhatIsLeftAtTheEndWasRefused) {
  Overdue overdue;
  overdue.left_over(7);
  EXPECT_EQ(overdue.refused(), 7u);
}

}  // namespace
}  // namespace warmswap::gen
