// TCP probes, timing, and what happens to probes when targets come and go.
#include "controlplane/health/prober.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <map>

#include "tests/unit/controlplane/health/prober_fixture.h"

namespace warmswap::health {
namespace {

void accept_and_wait(const Server::Connection& connection) {
  connection.readable();
}

TEST_F(ProberTest, aConnectionIsGood) {
  const Server server(accept_and_wait);
  const ProbeResult result = probe_once(target(7, server.port()));
  EXPECT_EQ(result.id, 7u);
  EXPECT_EQ(result.outcome, Outcome::good);
  EXPECT_EQ(result.detail, "connected");
  EXPECT_LE(result.started, result.finished);
}

TEST_F(ProberTest, aRefusedConnectionIsBad) {
  const RefusingPort port;
  const ProbeResult result = probe_once(target(1, port.port()));
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_EQ(result.detail, "connection refused");
}

TEST_F(ProberTest, silenceTimesOutAtTheTimeout) {
  const SilentPort port;
  const ProbeResult result = probe_once(target(1, port.port(), ProbeKind::tcp, 1h, 50ms));
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_EQ(result.detail, "timed out after 50 ms: no connection");
  EXPECT_GE(result.finished - result.started, 50ms);
  EXPECT_LT(result.finished - result.started, 1s);
}

/// While it lives, the process may open no further file.
class NoFreeFile {
 public:
  NoFreeFile() {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    const int lowest_free = ::dup(0);
    ::close(lowest_free);
    rlimit none_left = before_;
    none_left.rlim_cur = static_cast<rlim_t>(lowest_free);
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none_left), 0);
  }
  ~NoFreeFile() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(ProberTest, noFreeFileIsNotTheBackendsFault) {
  const Server server(accept_and_wait);
  {
    const NoFreeFile none;
    const ProbeResult result = probe_once(target(1, server.port(), ProbeKind::tcp, 50ms, 50ms));
    EXPECT_EQ(result.outcome, Outcome::not_run);
    EXPECT_EQ(result.detail, "too many open files");
  }
  // The target stays on its schedule, and a later probe finds a file again.
  EXPECT_TRUE(run_until([&] { return results.back().outcome == Outcome::good; }));
}

TEST_F(ProberTest, theFirstProbeDoesNotWaitForTheInterval) {
  const Server server(accept_and_wait);
  std::vector<Target> targets;
  for (uint64_t id = 0; id < 300; ++id) targets.push_back(target(id, server.port(), ProbeKind::tcp, 1h, 10s));
  const auto start = Clock::now();
  prober.set_targets(targets);
  ASSERT_TRUE(run_until([&] { return results.size() == 300; }));
  EXPECT_LT(Clock::now() - start, 10s);
  EXPECT_LT(results.front().started - start, 1s);
}

TEST_F(ProberTest, probesFollowTheInterval) {
  const Server server(accept_and_wait);
  prober.set_targets({target(1, server.port(), ProbeKind::tcp, 20ms, 20ms)});
  const auto start = Clock::now();
  run_for(2s);
  const double intervals = std::chrono::duration<double>(Clock::now() - start) / 20ms;
  EXPECT_LE(static_cast<double>(results.size()), intervals + 2);
  EXPECT_GE(static_cast<double>(results.size()), intervals * 0.6);  // a busy machine may skip some
}

TEST_F(ProberTest, aTargetHasOneProbeInFlight) {
  const SilentPort port;
  Target one = target(1, port.port(), ProbeKind::tcp, 20ms, 20ms);
  one.probe.jitter_percent = 50;
  prober.set_targets({one});
  ASSERT_TRUE(run_until([&] {
    prober.probe_now(1);
    return results.size() >= 30;
  }));
  for (size_t i = 1; i < results.size(); ++i) EXPECT_GE(results[i].started, results[i - 1].finished);
}

TEST_F(ProberTest, unchangedTargetsKeepTheirScheduleAndTheirProbe) {
  const SilentPort port;
  const std::vector<Target> targets{target(1, port.port(), ProbeKind::tcp, 400ms, 200ms)};
  prober.set_targets(targets);
  const auto start = Clock::now();
  while (Clock::now() - start < 2s) {
    run_for(10ms);
    prober.set_targets(targets);
  }
  // Restarting it at each call would never let a probe come to its end.
  EXPECT_GE(results.size(), 3u);
  EXPECT_LE(results.size(), 7u);
}

TEST_F(ProberTest, aChangedTargetStartsAnew) {
  const SilentPort silent;
  const Server server(accept_and_wait);
  prober.set_targets({target(1, silent.port(), ProbeKind::tcp, 1h, 300ms)});
  run_for(50ms);
  prober.set_targets({target(1, server.port(), ProbeKind::tcp, 1h, 300ms)});
  ASSERT_TRUE(run_until([&] { return !results.empty(); }));
  run_for(500ms);
  ASSERT_EQ(results.size(), 1u) << "the probe of the old port must not be reported";
  EXPECT_EQ(results[0].outcome, Outcome::good);
}

TEST_F(ProberTest, aRemovedTargetIsNeverReported) {
  const SilentPort silent;
  prober.set_targets({target(1, silent.port(), ProbeKind::tcp, 100ms, 100ms)});
  run_for(50ms);
  prober.set_targets({});
  run_for(500ms);
  EXPECT_TRUE(results.empty());
}

TEST_F(ProberTest, removalInAReportCoversProbesThatJustEnded) {
  const RefusingPort port;
  std::vector<Target> targets;
  for (uint64_t id = 0; id < 50; ++id) targets.push_back(target(id, port.port(), ProbeKind::tcp, 20ms, 20ms));
  on_result = [&](const ProbeResult& result) {
    if (results.size() == 1) prober.set_targets({targets[result.id]});
  };
  prober.set_targets(targets);
  ASSERT_TRUE(run_until([&] { return results.size() >= 5; }));
  for (const ProbeResult& result : results) EXPECT_EQ(result.id, results[0].id);
}

TEST_F(ProberTest, aReportMayRemoveItsOwnTarget) {
  const RefusingPort port;
  on_result = [&](const ProbeResult&) { prober.set_targets({}); };
  prober.set_targets({target(1, port.port(), ProbeKind::tcp, 20ms, 20ms)});
  ASSERT_TRUE(run_until([&] { return !results.empty(); }));
  run_for(200ms);
  EXPECT_EQ(results.size(), 1u);
}

TEST_F(ProberTest, probeNowDoesNotWaitForTheSchedule) {
  const Server server(accept_and_wait);
  prober.set_targets({target(1, server.port())});
  ASSERT_TRUE(run_until([&] { return results.size() == 1; }));
  for (size_t round = 2; round < 6; ++round) {
    prober.probe_now(1);
    EXPECT_EQ(results.size(), round - 1) << "results come from the loop, not from the call";
    ASSERT_TRUE(run_until([&] { return results.size() == round; }));
  }
  prober.probe_now(99);
  run_for(50ms);
  EXPECT_EQ(results.size(), 5u);
}

TEST_F(ProberTest, probeNowFromAReportWorks) {
  // What failover does with a suspect.
  const RefusingPort port;
  on_result = [&](const ProbeResult& result) {
    if (results.size() < 3) prober.probe_now(result.id);
  };
  prober.set_targets({target(1, port.port())});
  ASSERT_TRUE(run_until([&] { return results.size() == 3; }));
  EXPECT_LT(results[2].finished - results[0].started, 5s);
}

TEST_F(ProberTest, targetsWithoutAProbeAreLeftAlone) {
  const Server server(accept_and_wait);
  prober.set_targets({target(1, server.port(), ProbeKind::none), target(2, 0), target(3, server.port())});
  ASSERT_TRUE(run_until([&] { return !results.empty(); }));
  run_for(100ms);
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].id, 3u);
}

TEST_F(ProberTest, destructionEndsEverything) {
  const SilentPort silent;
  size_t reported = 0;
  {
    Prober short_lived(io, [&](const ProbeResult&) { ++reported; });
    short_lived.set_targets(
        {target(1, silent.port(), ProbeKind::tcp, 50ms, 50ms), target(2, silent.port(), ProbeKind::http, 50ms, 50ms)});
    run_for(20ms);
  }
  run_for(300ms);
  EXPECT_EQ(reported, 0u);
  io.restart();
  EXPECT_EQ(io.poll(), 0u) << "nothing is left in the loop";
}

TEST_F(ProberTest, finishedProbesLeaveNoFiles) {
  const Server server(accept_and_wait);
  const auto open_files = [] {
    const int lowest = ::dup(0);
    ::close(lowest);
    return lowest;
  };
  probe_once(target(1, server.port()));
  prober.set_targets({});
  run_for(50ms);
  const int before = open_files();
  std::vector<Target> targets;
  for (uint64_t id = 0; id < 100; ++id) targets.push_back(target(id, server.port()));
  results.clear();
  prober.set_targets(targets);
  ASSERT_TRUE(run_until([&] { return results.size() == 100; }));
  prober.set_targets({});
  run_for(200ms);  // the server's side closes too
  EXPECT_EQ(open_files(), before);
}

}  // namespace
}  // namespace warmswap::health
