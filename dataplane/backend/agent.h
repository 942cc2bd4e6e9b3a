// The agent's life on one interface of a backend host: attach, keep the program attached, follow address changes,
// detach. Single-threaded.
#pragma once

#include <string>
#include <vector>

#include "dataplane/backend/decap_program.h"
#include "dataplane/backend/reporter.h"

namespace warmswap::backend {

struct AgentOptions {
  std::string interface;
  std::vector<Be32> vips;
  std::vector<Be32> addresses;  // empty = those of the interface, also when they change
  std::vector<SourcePrefix> sources;
  ReporterOptions report;  // no target = no heartbeats
};

/// Serves until SIGTERM, SIGINT or SIGHUP, then detaches. Returns early with the reason when it cannot start, or when
/// the interface is gone; other faults on the way are told on stderr and tried again.
Result<void> run_agent(const AgentOptions& options);

/// Takes off what an agent that was killed left behind. Refuses while an agent runs on the interface.
Result<void> detach_leftover(const std::string& interface);

}  // namespace warmswap::backend
