#include "perf/gen/sequence_window.h"

#include <gtest/gtest.h>

#include <set>

#include "perf/gen/random.h"

namespace warmswap::gen {
namespace {

using Outcome = SequenceWindow::Outcome;

TEST(SequenceWindow, AgreesWithASetOfAllThatArrived) {
  for (const uint32_t start : {0u, 0xffff'0000u}) {
    SequenceWindow window;
    std::set<uint64_t> arrived;
    SplitMix64 random(start + 1);
    uint64_t head = 0;
    if (start != 0) {
      // Bring the window to numbers that wrap soon.
      for (uint64_t at = 0; at < start; at += 1u << 30) window.arrive(static_cast<uint32_t>(at));
    }
    for (int i = 0; i < 300'000; ++i) {
      head += random.below(3);
      const uint64_t back = random.below(20) == 0 ? random.below(5000) : 0;
      const uint64_t sequence = head > back ? head - back : 0;
      const bool fresh = arrived.insert(sequence).second;
      ASSERT_EQ(window.arrive(static_cast<uint32_t>(start + sequence)), fresh ? Outcome::fresh : Outcome::duplicate)
          << sequence;
    }
  }
}

TEST(SequenceWindow, DoesNotJudgeWhatItForgot) {
  SequenceWindow window;
  EXPECT_EQ(window.arrive(0), Outcome::fresh);
  EXPECT_EQ(window.arrive(SequenceWindow::kWindow - 1), Outcome::fresh);
  EXPECT_EQ(window.arrive(0), Outcome::duplicate) << "the oldest one in the window";
  EXPECT_EQ(window.arrive(SequenceWindow::kWindow), Outcome::fresh);
  EXPECT_EQ(window.arrive(0), Outcome::too_old);
  EXPECT_EQ(window.arrive(1), Outcome::fresh) << "missing, and still in the window";
}

TEST(SequenceWindow, JumpsClearEverything) {
  SequenceWindow window;
  for (uint32_t i = 0; i < 100; ++i) window.arrive(i);
  EXPECT_EQ(window.arrive(5 * SequenceWindow::kWindow + 50), Outcome::fresh);
  for (uint32_t i = 1; i < 100; ++i) ASSERT_EQ(window.arrive(5 * SequenceWindow::kWindow + 50 - i), Outcome::fresh);
}

}  // namespace
}  // namespace warmswap::gen
