#include "perf/stats/steal.h"

#include <gtest/gtest.h>

#include <vector>

namespace warmswap::perf {
namespace {

constexpr std::string_view kBefore =
    "cpu  1100 10 400 8000 50 1 2 300 70 0\n"
    "cpu0 600 5 200 4000 20 1 1 100 70 0\n"
    "cpu1 500 5 200 4000 30 0 1 200 0 0\n"
    "cpu10 9 9 9 9 9 9 9 9 9 9\n"
    "intr 1 2 3\n"
    "ctxt 5\n";

TEST(Steal, SumsTheCpusAskedFor) {
  const auto both = parse_cpu_ticks(kBefore, std::vector<unsigned>{0, 1});
  ASSERT_TRUE(both.ok()) << both.error();
  EXPECT_EQ(both->steal, 300u);
  EXPECT_EQ(both->idle, 8050u);
  EXPECT_EQ(both->all, 9863u);  // without guest, which user contains
  const auto one = parse_cpu_ticks(kBefore, std::vector<unsigned>{1});
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->steal, 200u);
  const auto machine = parse_cpu_ticks(kBefore, {});
  ASSERT_TRUE(machine.ok());
  EXPECT_EQ(machine->steal, 300u);
}

TEST(Steal, ACpuThatIsNotThereIsNamed) {
  const auto ticks = parse_cpu_ticks(kBefore, std::vector<unsigned>{0, 2});
  ASSERT_FALSE(ticks.ok());
  EXPECT_EQ(ticks.error(), "/proc/stat has no line for cpu2; expected a CPU that is online");
  EXPECT_FALSE(parse_cpu_ticks("", {}).ok());
}

TEST(Steal, ALineThatIsNotUnderstoodIsQuoted) {
  for (const std::string_view text : {"cpu0 1 2 3\n", "cpu0 1 2 3 4 5 6 7 x\n", "cpu0 1 2 3 4 5 6 7 -8", "cpu0 "}) {
    const auto ticks = parse_cpu_ticks(text, std::vector<unsigned>{0});
    ASSERT_FALSE(ticks.ok()) << text;
    EXPECT_NE(ticks.error().find("/proc/stat says \"cpu0"), std::string::npos) << ticks.error();
  }
}

TEST(Steal, SharesAddUpToTheTimeThatPassed) {
  const CpuUse use = use_between({100, 1000, 2000}, {150, 1100, 2200});
  EXPECT_DOUBLE_EQ(use.steal, 0.25);
  EXPECT_DOUBLE_EQ(use.idle, 0.5);
  EXPECT_DOUBLE_EQ(use.busy, 0.25);
  EXPECT_EQ(use.ticks, 200u);
}

TEST(Steal, NoTickAndCountersThatWentBackAreNotNegative) {
  const CpuUse none = use_between({1, 2, 3}, {1, 2, 3});
  EXPECT_EQ(none.ticks, 0u);
  EXPECT_EQ(none.steal + none.idle + none.busy, 0.0);
  const CpuUse back = use_between({100, 1000, 2000}, {110, 900, 1950});
  EXPECT_EQ(back.idle, 0.0);
  EXPECT_EQ(back.steal, 1.0);
  EXPECT_EQ(back.busy, 0.0);
}

TEST(Steal, ThisMachineTells) {
  const auto before = read_cpu_ticks({});
  ASSERT_TRUE(before.ok()) << before.error();
  EXPECT_GT(before->all, 0u);
  EXPECT_GE(before->all, before->idle + before->steal);
}

}  // namespace
}  // namespace warmswap::perf
