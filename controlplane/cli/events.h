// `warmswapctl events`: the event log, once or as it grows.
#pragma once

#include <cstdint>
#include <optional>

#include "controlplane/cli/session.h"

namespace warmswap::cli {

struct EventsOptions {
  std::optional<uint64_t> since;  // absent: the newest
  uint64_t limit = 0;             // 0: as many as the control plane gives at once
  bool follow = false;            // until the output is closed or the process is interrupted
};

/// With --json one page as it came, or, when following, one event a line. Throws Failure; a follower outlives a restart
/// of the control plane.
void show_events(const Session& session, const EventsOptions& options);

}  // namespace warmswap::cli
