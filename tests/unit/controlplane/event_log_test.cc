#include "controlplane/event_log.h"

#include <gtest/gtest.h>

namespace warmswap::controlplane {
namespace {

using namespace std::chrono_literals;

Event plain(const std::string& kind) {
  Event event;
  event.kind = kind;
  return event;
}

TEST(EventLog, PagesAreBoundedAndSayWhatWasMissed) {
  EventLog log;
  EXPECT_TRUE(log.page(std::nullopt, 10).events.empty());
  for (size_t i = 0; i < EventLog::kCapacity + 100; ++i) log.add(plain("k"));
  const auto newest = log.page(std::nullopt, 3);
  EXPECT_EQ(newest.first, 101u);
  EXPECT_EQ(newest.last, EventLog::kCapacity + 100);
  ASSERT_EQ(newest.events.size(), 3u);
  EXPECT_EQ(newest.events.back().seq, newest.last);
  const auto from_start = log.page(0, 2);
  EXPECT_EQ(from_start.events.front().seq, 101u) << "older ones are gone";
  EXPECT_TRUE(log.page(newest.last, 10).events.empty());
  EXPECT_TRUE(log.page(newest.last + 1000, 10).events.empty());
}

TEST(EventLog, TimelinesAreRelativeToTheFirstMomentAndCompletedLater) {
  EventLog log;
  Event event = plain("failover");
  event.timed = true;
  event.moments.first_bad = 1000ms;
  event.moments.decided = 1060ms;
  const uint64_t seq = log.add(event);
  log.set_published(seq, 1060ms + 40us);
  auto timeline = *log.page(std::nullopt, 1).events[0].timeline;
  EXPECT_EQ(timeline.first_bad_signal, 0us);
  EXPECT_EQ(timeline.decision, 60'000us);
  EXPECT_EQ(timeline.publish, 60'040us);
  EXPECT_FALSE(timeline.last_worker_ack.has_value());
  log.set_acknowledged(seq, 1061ms);
  EXPECT_EQ(log.page(std::nullopt, 1).events[0].timeline->last_worker_ack, 61'000us);
  log.set_acknowledged(seq + 1, 1s);  // of no event: ignored
  log.set_published(0, 1s);
}

}  // namespace
}  // namespace warmswap::controlplane
