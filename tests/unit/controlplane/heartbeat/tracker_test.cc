#include "controlplane/heartbeat/tracker.h"

#include <gtest/gtest.h>

#include <random>

namespace warmswap::heartbeat {
namespace {

using namespace std::chrono_literals;

Tracker::Beat beat(Nanoseconds interval = 50ms, bool ready = true) {
  return {.interval = interval, .ready = ready, .leaving = false};
}

// From the field: beats 2, 4 and 6 s old, threshold 3 s: the second and the third have failed.
TEST(Tracker, BeatsOfTwoFourAndSixSecondsAgainstThreeSeconds) {
  EXPECT_FALSE(is_lost(2s, 3s));
  EXPECT_TRUE(is_lost(4s, 3s));
  EXPECT_TRUE(is_lost(6s, 3s));
  EXPECT_TRUE(is_lost(3s, 3s)) << "the threshold itself is lost";

  Tracker tracker;
  tracker.on_beat(3, beat(1s), 94s);
  tracker.on_beat(2, beat(1s), 96s);
  tracker.on_beat(1, beat(1s), 98s);
  tracker.check(100s);
  EXPECT_EQ(tracker.pulse(1), Pulse::late) << "2 s of 3";
  EXPECT_EQ(tracker.pulse(2), Pulse::lost);
  EXPECT_EQ(tracker.pulse(3), Pulse::lost);
}

TEST(Tracker, LateAfterOneAndAHalfLostAfterThree) {
  Tracker tracker;
  const auto first = tracker.on_beat(7, beat(), 1s);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->pulse, Pulse::beating);
  EXPECT_EQ(tracker.next_check(), 1075ms);
  EXPECT_TRUE(tracker.check(1074ms).empty());
  const auto late = tracker.check(1075ms);
  ASSERT_EQ(late.size(), 1u);
  EXPECT_EQ(late[0].pulse, Pulse::late);
  EXPECT_EQ(late[0].silence, 75ms);
  EXPECT_EQ(tracker.next_check(), 1150ms);
  EXPECT_TRUE(tracker.check(1149ms).empty());
  EXPECT_EQ(tracker.check(1150ms)[0].pulse, Pulse::lost);
  EXPECT_FALSE(tracker.next_check().has_value()) << "it is not told again";
  EXPECT_EQ(tracker.on_beat(7, beat(), 2s)->pulse, Pulse::beating);
}

TEST(Tracker, TheSendersIntervalCountsAlsoWhenItChanges) {
  Tracker tracker;
  tracker.set_missed(7, 5);
  tracker.on_beat(7, beat(1s), 1s);
  tracker.on_beat(7, beat(10ms), 1500ms);
  EXPECT_EQ(tracker.check(1515ms)[0].pulse, Pulse::late);
  EXPECT_EQ(tracker.check(1550ms)[0].pulse, Pulse::lost) << "five of ten";
  tracker.on_beat(7, beat(1s), 2s);
  EXPECT_TRUE(tracker.check(3s).empty());
}

TEST(Tracker, WhoWasNeverHeardIsNotMissed) {
  Tracker tracker;
  tracker.set_missed(7, 3);
  EXPECT_TRUE(tracker.check(1h).empty());
  EXPECT_EQ(tracker.pulse(7), Pulse::silent);
}

TEST(Tracker, AGoodbyeIsNotReadyAndNotMissed) {
  Tracker tracker;
  tracker.on_beat(7, beat(), 1s);
  const auto change = tracker.on_beat(7, {.interval = 50ms, .ready = true, .leaving = true}, 1010ms);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->pulse, Pulse::silent);
  EXPECT_FALSE(change->ready);
  EXPECT_TRUE(tracker.check(1h).empty());
}

TEST(Tracker, ReadinessIsAChangeOfItsOwn) {
  Tracker tracker;
  tracker.on_beat(7, beat(), 1s);
  EXPECT_FALSE(tracker.on_beat(7, beat(), 1050ms).has_value());
  EXPECT_FALSE(tracker.on_beat(7, beat(50ms, false), 1100ms)->ready);
  EXPECT_TRUE(tracker.on_beat(7, beat(), 1150ms)->ready);
}

TEST(Tracker, AForgottenOneIsNoLongerTold) {
  Tracker tracker;
  tracker.on_beat(7, beat(), 1s);
  tracker.forget(7);
  EXPECT_TRUE(tracker.check(1h).empty());
}

// Random beats of many backends against the plain definition of late and lost.
TEST(Tracker, AgreesWithTheDefinition) {
  std::mt19937_64 random(5);
  Tracker tracker;
  struct Truth {
    Nanoseconds last{-1};
    Nanoseconds interval{0};
  };
  std::vector<Truth> truth(50);
  Nanoseconds now = 1s;
  for (int i = 0; i < 20'000; ++i) {
    now += Nanoseconds(random() % 3'000'000);
    const uint64_t id = random() % truth.size();
    if (random() % 3 != 0) {
      truth[id] = {now, std::chrono::milliseconds(10 + random() % 90)};
      tracker.on_beat(id, beat(truth[id].interval), now);
    }
    tracker.check(now);
    const uint64_t any = random() % truth.size();
    const Truth& t = truth[any];
    Pulse expected = Pulse::silent;
    if (t.last.count() >= 0) {
      const Nanoseconds age = now - t.last;
      expected = age >= 3 * t.interval ? Pulse::lost : 2 * age >= 3 * t.interval ? Pulse::late : Pulse::beating;
    }
    ASSERT_EQ(tracker.pulse(any), expected) << "after event " << i;
    if (const auto next = tracker.next_check()) {
      ASSERT_GT(*next, now);
    }
  }
}

}  // namespace
}  // namespace warmswap::heartbeat
