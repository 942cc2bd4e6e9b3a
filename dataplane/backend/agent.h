// The agent's life on one interface of a backend host: attach, keep the program attached, follow address changes,
// detach. Single-threaded.
#pragma once

#include <string>
#include <vector>

#include "dataplane/backend/decap_program.h"

namespace warmswap::backend {

struct AgentOptions {
  std::string interface;
  std::vector<Be32> vips;
  std::vector<Be32> addresses;  // empty = those of the interface, also when they change
  std::vector<SourcePrefix> sources;
};

/// Serves until SIGTERM, SIGINT or SIGHUP, then detaches. Returns early with the reason when it cannot go on.
Result<void> run_agent(const AgentOptions& options);

/// Takes off what an agent that was killed left behind. Refuses while an agent runs on the interface.
Result<void> detach_leftover(const std::string& interface);

/// A table of what the program on the interface did, for people, or one JSON object. Works without a running agent.
Result<std::string> describe_statistics(const std::string& interface, bool json);

}  // namespace warmswap::backend
