// Sends heartbeats with the host's load to the control planes, from a thread of its own: what the agent does besides
// must not delay them.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/contract/agent_report.h"
#include "dataplane/contract/flow_hash.h"
#include "dataplane/contract/result.h"

namespace warmswap::backend {

using contract::Be32;

struct ReportTarget {
  Be32 address;
  uint16_t port = 0;
};

struct ReporterOptions {
  std::vector<ReportTarget> targets;
  contract::HashKey key;
  std::chrono::microseconds interval{50'000};
  Be32 address;                // who this backend is; 0 = the address that packets to the target leave from
  std::string not_ready_file;  // while it exists the backend is not ready; empty = always ready
  std::string interface;       // for the network part of the load
  uint32_t link_mbps = 0;      // of that interface, where the kernel does not know
};

/// 32 hexadecimal digits in a file that is closed to other users.
contract::Result<contract::HashKey> read_report_key(const std::string& path);

class Reporter {
 public:
  /// Begins to send at once. A target that cannot be reached is tried again at each beat, in silence: that is what the
  /// receiver listens for.
  static contract::Result<std::unique_ptr<Reporter>> start(const ReporterOptions& options);
  /// Says goodbye, so that the balancers send no more and do not count a failure.
  virtual ~Reporter() = default;
};

}  // namespace warmswap::backend
