// Which reports of one backend are new. Pure; any thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/contract/agent_report.h"

namespace warmswap::heartbeat {

enum class Freshness : uint8_t { fresh, replayed, clock_off };

/// The newest report taken of a backend. Rules: agent_report.h.
class Window {
 public:
  /// Takes the report if it is fresh. `wall_ns`: this host's CLOCK_REALTIME; `bound_ns`: how far the agent's may be
  /// off.
  Freshness take(const contract::AgentReport& report, uint64_t wall_ns, uint64_t bound_ns) noexcept {
    const uint64_t apart = report.sent_ns > wall_ns ? report.sent_ns - wall_ns : wall_ns - report.sent_ns;
    if (apart > bound_ns) return Freshness::clock_off;
    const bool same = any_ && report.session == session_;
    if (same && report.sequence <= sequence_) return Freshness::replayed;
    if (!same && any_ && report.sent_ns <= newest_sent_ns_) return Freshness::replayed;
    any_ = true;
    session_ = report.session;
    sequence_ = report.sequence;
    newest_sent_ns_ = std::max(newest_sent_ns_, report.sent_ns);
    return Freshness::fresh;
  }

 private:
  bool any_ = false;
  uint64_t session_ = 0;
  uint64_t sequence_ = 0;
  uint64_t newest_sent_ns_ = 0;
};

}  // namespace warmswap::heartbeat
