// A prober on a loop of its own that collects results.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <vector>

#include "controlplane/health/prober.h"
#include "tests/unit/controlplane/health/loopback_server.h"

namespace warmswap::health {

using namespace std::chrono_literals;
using config::ProbeKind;

class ProberTest : public testing::Test {
 protected:
  static Target target(uint64_t id, uint16_t port, ProbeKind kind = ProbeKind::tcp, Clock::duration interval = 1h,
                       Clock::duration timeout = 5s) {
    Target out{.id = id, .address = contract::Be32(INADDR_LOOPBACK), .port = port};
    out.probe.kind = kind;
    out.probe.interval = interval;
    out.probe.timeout = timeout;
    return out;
  }

  /// Runs the loop until `enough` or, since the machine may be slow, a generous limit.
  bool run_until(const std::function<bool()>& enough, Clock::duration limit = 20s) {
    const auto end = Clock::now() + limit;
    while (!enough() && Clock::now() < end) {
      io.restart();
      io.run_one_for(10ms);
    }
    return enough();
  }
  void run_for(Clock::duration duration) {
    run_until([] { return false; }, duration);
  }
  /// The result of one probe of one target.
  ProbeResult probe_once(const Target& one) {
    const size_t before = results.size();
    prober.set_targets({one});
    EXPECT_TRUE(run_until([&] { return results.size() > before; })) << "no result";
    return results.size() > before ? results[before] : ProbeResult{};
  }

  boost::asio::io_context io{1};
  std::vector<ProbeResult> results;
  std::function<void(const ProbeResult&)> on_result = [](const ProbeResult&) {};
  Prober prober{io, [this](const ProbeResult& result) {
                  results.push_back(result);
                  on_result(result);
                }};
};

}  // namespace warmswap::health
