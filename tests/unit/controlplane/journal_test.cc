#include "controlplane/journal.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "controlplane/event_log.h"
#include "controlplane/failover_statistics.h"

namespace warmswap::controlplane {
namespace {

using namespace std::chrono_literals;

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() {
    std::string pattern = "/tmp/warmswap-journal-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~JournalTest() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& suffix = "") const { return (directory_ / "events.jsonl").string() + suffix; }
  std::vector<std::string> lines(const std::string& suffix = "") const {
    std::vector<std::string> all;
    std::ifstream file(path(suffix));
    for (std::string line; std::getline(file, line);) all.push_back(line);
    return all;
  }
  using Lines = std::vector<std::string>;

  std::filesystem::path directory_;
};

TEST_F(JournalTest, KeepsWhatWasThereAndGoesOnWithItsNumbers) {
  {
    Journal journal({.path = path()});
    EXPECT_EQ(journal.last_seq(), 0u);
    journal.write(R"({"seq":7})");
    journal.write(R"({"seq":9})");
    journal.write(R"({"seq":8})");
  }
  Journal again({.path = path()});
  EXPECT_EQ(again.last_seq(), 9u) << "lines stand in the order of completion";
  again.write(R"({"seq":10})");
  EXPECT_EQ(lines(), (Lines{R"({"seq":7})", R"({"seq":9})", R"({"seq":8})", R"({"seq":10})"}));
  struct stat about {};
  ASSERT_EQ(stat(path().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07, 0u) << "not for everybody";
}

TEST_F(JournalTest, RotatesBySizeAndKeepsSoMany) {
  Journal journal({.path = path(), .max_bytes = 20, .files = 2});
  for (const char* line : {"11111111", "22222222", "33333333", "44444444", "55555555", "66666666", "77777777"}) {
    journal.write(line);
  }
  EXPECT_EQ(lines(), (Lines{"77777777"}));
  EXPECT_EQ(lines(".1"), (Lines{"55555555", "66666666"}));
  EXPECT_EQ(lines(".2"), (Lines{"33333333", "44444444"}));
  EXPECT_TRUE(lines(".3").empty());
}

TEST_F(JournalTest, AFileThatWasMovedAwayIsMadeAnewAfterReopen) {
  Journal journal({.path = path()});
  journal.write("a");
  std::filesystem::rename(path(), path(".moved"));
  journal.reopen();
  journal.write("b");
  EXPECT_EQ(lines(".moved"), (Lines{"a"}));
  EXPECT_EQ(lines(), (Lines{"b"}));
}

TEST_F(JournalTest, WhatCannotBeWrittenIsCountedAndTriedAgain) {
  Journal journal({.path = path("/none")});
  std::ofstream(path()) << "a file where a directory should be";
  journal.write("a");
  EXPECT_NE(journal.trouble().find("cannot open " + path("/none")), std::string::npos) << journal.trouble();
  EXPECT_EQ(journal.lost(), 1u);
  std::filesystem::remove(path());
  std::filesystem::create_directory(path());
  journal.write("b");
  EXPECT_EQ(journal.trouble(), "");
  EXPECT_EQ(lines("/none"), (Lines{"b"}));
}

TEST_F(JournalTest, AFullDiskLeavesNoHalfLine) {
  Journal journal({.path = "/dev/full"});
  journal.write("a");
  EXPECT_NE(journal.trouble().find("No space left"), std::string::npos) << journal.trouble();
}

Event timed(Nanoseconds decided) {
  Event event;
  event.kind = "failover";
  event.timed = true;
  event.moments.decided = decided;
  return event;
}

TEST(EventLogCompletion, EachEventIsToldOnceWhenItWillNotChangeAnyMore) {
  std::vector<api::EventView> told;
  EventLog log([&](const api::EventView& event) { told.push_back(event); });
  log.continue_after(100);
  Event plain;
  plain.kind = "change";
  log.add(plain);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].seq, 101u);
  const uint64_t first = log.add(timed(1s));
  const uint64_t second = log.add(timed(2s));
  EXPECT_EQ(told.size(), 1u) << "workers have to follow first";
  EXPECT_EQ(log.decided(first), 1s);
  log.set_acknowledged(second, 2s + 1ms);
  log.set_acknowledged(second, 2s + 2ms);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1].timeline->last_worker_ack, 1ms);
  EXPECT_FALSE(log.decided(second).has_value());
  log.give_up_all();
  log.give_up(first);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_FALSE(told[2].timeline->last_worker_ack.has_value());
}

TEST(EventLogCompletion, WhatFallsOutOfMemoryIsToldBefore) {
  size_t told = 0;
  EventLog log([&](const api::EventView&) { ++told; });
  for (size_t i = 0; i < EventLog::kCapacity + 10; ++i) log.add(timed(1s));
  EXPECT_EQ(told, 10u);
}

TEST(FailoverStatistics, CountsTimesAndStates) {
  FailoverStatistics statistics;
  failover::Outcome outcome;
  outcome.seats.push_back({.kind = failover::SeatChangeKind::failover,
                           .owner = "a",
                           .before = "a",
                           .after = "w",
                           .cause = failover::Cause::heartbeat,
                           .detail = "",
                           .first_bad = 10s,
                           .decided = 10s + 30ms});
  outcome.states.push_back({.backend = "a",
                            .from = failover::State::serving,
                            .to = failover::State::failed,
                            .decided = 10s,
                            .before_since = 4s});
  statistics.take("web", outcome);
  statistics.take("web", outcome);
  statistics.switched(10s, 10s + 90us);
  const api::FailoverFigures figures = statistics.figures();
  ASSERT_EQ(figures.changes.size(), 1u);
  EXPECT_EQ(figures.changes[0].cause, "heartbeat");
  EXPECT_EQ(figures.changes[0].count, 2u);
  EXPECT_EQ(figures.detection.buckets[8], 2u) << "25 ms to 50 ms";
  EXPECT_NEAR(figures.detection.sum_seconds, 0.06, 1e-9);
  EXPECT_EQ(figures.switching.buckets[0], 1u) << "up to 100 us";
  failover::BackendState backend;
  backend.name = "a";
  backend.state = failover::State::failed;
  backend.since = 10s;
  const auto seconds = statistics.time_in_state("web", backend, 13s);
  EXPECT_NEAR(seconds.at("serving"), 12, 1e-9);
  EXPECT_NEAR(seconds.at("failed"), 3, 1e-9);
  statistics.keep_only({});
  EXPECT_FALSE(statistics.time_in_state("web", backend, 13s).contains("serving"));
}

}  // namespace
}  // namespace warmswap::controlplane
