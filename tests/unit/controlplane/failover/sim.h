// A pool in simulated time: a short way to write scenarios and to read what became of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/failover/engine.h"

namespace warmswap::failover {

using namespace std::chrono_literals;

inline config::BackendConfig hot(std::string name, std::string standby = "", std::string domain = "") {
  config::BackendConfig backend;
  backend.name = std::move(name);
  backend.standby = std::move(standby);
  backend.domain = std::move(domain);
  return backend;
}
inline config::BackendConfig warm(std::string name, std::string domain = "") {
  config::BackendConfig backend = hot(std::move(name), "", std::move(domain));
  backend.role = Role::warm;
  return backend;
}

/// hot-warm, manual failback of whole seats, fall 3, rise 2, hold-down 10 s; fails closed, does not doubt itself.
inline config::PoolConfig pool(std::vector<config::BackendConfig> backends) {
  std::sort(backends.begin(), backends.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  config::PoolConfig spec;
  spec.name = "web";
  spec.probe.fall = 3;
  spec.probe.rise = 2;
  spec.hold_down = 10s;
  spec.failback_step = 100;
  spec.guard.fail = config::Fail::closed;
  spec.guard.self_suspicion = 0;
  spec.backends = std::move(backends);
  return spec;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// How many random lives a test looks at. Under a sanitizer each takes thirty times as long.
constexpr uint64_t lives(uint64_t wanted) {
  return kSanitized ? wanted / 20 : wanted;
}

class Sim {
 public:
  explicit Sim(config::PoolConfig spec_value) : spec(std::move(spec_value)) { take(start(spec, now)); }
  /// As above, and every probe has been good for long: hot backends serve, warm ones are ready.
  static Sim running(config::PoolConfig spec_value) {
    Sim sim(std::move(spec_value));
    std::vector<std::string> names;
    for (const BackendState& backend : sim.state.backends) names.push_back(backend.name);
    for (uint32_t i = 0; i < sim.spec.probe.rise; ++i) sim.good_all(names);
    sim.pass(1h);
    return sim;
  }

  Outcome send(const std::vector<Event>& events) { return take(step(spec, state, events, now)); }
  Outcome send(const Event& event) { return send(std::vector<Event>{event}); }

  Outcome good(const std::string& backend) { return send(ProbeResult{backend, Probe::good, "ok", now}); }
  Outcome bad(const std::string& backend) { return send(ProbeResult{backend, Probe::bad, "refused", now}); }
  Outcome good_all(const std::vector<std::string>& backends) { return all(backends, Probe::good, "ok"); }
  Outcome bad_all(const std::vector<std::string>& backends) { return all(backends, Probe::bad, "refused"); }
  /// `fall` bad probes, a second apart; the last outcome.
  Outcome fail_all(const std::vector<std::string>& backends) {
    for (uint32_t i = 1; i < spec.probe.fall; ++i) {
      bad_all(backends);
      now += 1s;
    }
    return bad_all(backends);
  }
  Outcome fail(const std::string& backend) { return fail_all({backend}); }
  /// `rise` good probes, a second apart; the last outcome.
  Outcome recover(const std::string& backend) {
    for (uint32_t i = 1; i < spec.probe.rise; ++i) {
      good(backend);
      now += 1s;
    }
    return good(backend);
  }
  Outcome pass(Nanoseconds time) {
    now += time;
    return send(Tick{});
  }
  Outcome change(config::PoolConfig next) {
    Outcome outcome = reconfigure(next, state, now);
    spec = std::move(next);
    return take(std::move(outcome));
  }
  /// The sentence of a refused command; empty when it was obeyed.
  std::string refused(const Event& command) {
    const Outcome outcome = send(command);
    return outcome.refusals.empty() ? "" : outcome.refusals.front().sentence;
  }

  State state_of(const std::string& name) const { return find(name).state; }
  const BackendState& find(const std::string& name) const {
    return *std::find_if(state.backends.begin(), state.backends.end(), [&](const auto& b) { return b.name == name; });
  }
  /// "hot1=warm1 hot2=hot2 hot3=-"
  std::string seats() const {
    std::string text;
    for (const SeatAssignment& seat : assignment(spec, state)) {
      if (!text.empty()) text += ' ';
      text += spec.backends[seat.owner].name + "=" + (seat.holder ? spec.backends[*seat.holder].name : "-");
    }
    return text;
  }

  config::PoolConfig spec;
  PoolState state;
  Nanoseconds now = 100s;

 private:
  Outcome all(const std::vector<std::string>& backends, Probe outcome, const char* detail) {
    std::vector<Event> events;
    events.reserve(backends.size());
    for (const std::string& backend : backends) events.push_back(ProbeResult{backend, outcome, detail, now});
    return send(events);
  }
  Outcome take(Outcome outcome) {
    state = outcome.state;
    return outcome;
  }
};

}  // namespace warmswap::failover
