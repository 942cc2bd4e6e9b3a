// Asks backends whether they work: TCP connects, HTTP(S) and gRPC requests, datagrams, echoes and programs, to many
// targets from one event loop. Reports every single result; counting rises and falls and deciding what they mean is
// failover's business.
//
// Thread: everything, the callback included, happens on the one thread that runs the io_context; no call blocks.
//
// Timing: the first probe of a new target goes out at once (many new ones 100 µs apart), the next ones on a fixed grid
// of the target's interval, whose phase is spread over the interval by the target's id. Each start is moved by the
// jitter, but the grid is not, so nothing drifts. A target has at most one probe in flight; a start that comes while
// the loop was held up happens late, and starts that were missed altogether are not made up for.
//
// Cost: a probe is a new connection that ends with a reset (SO_LINGER 0). An orderly close by the prober, who ends
// first, would leave each connection in TIME_WAIT for a minute: 600 000 entries for 10 000 targets at one probe a
// second, and at short intervals no free local port towards a backend (28 000 by default). Files in use at a time are
// at most one for each target: raise RLIMIT_NOFILE accordingly.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/config/config.h"

namespace boost::asio {
class io_context;
}

namespace warmswap::health {

using Clock = std::chrono::steady_clock;

/// The clients' way to a backend: an IPIP packet to its address, with one for the vip in it.
struct TunnelPath {
  contract::Be32 vip;
  uint16_t port = 0;
  config::Prefix outer_source;
  friend bool operator==(const TunnelPath&, const TunnelPath&) = default;
};

/// What to ask. A target of kind `none`, or without a port where the kind needs one, is never probed and never
/// reported.
struct Target {
  uint64_t id = 0;  // the caller's; results carry it
  config::ProbeConfig probe;
  contract::Be32 address;
  uint16_t port = 0;
  std::optional<TunnelPath> tunnel;  // for probe.via = tunnel
  friend bool operator==(const Target&, const Target&) = default;
};

enum class Outcome : uint8_t {
  good,
  bad,
  not_run,  // this host lacked something (files, ports, memory, permission): says nothing about the backend
};

struct ProbeResult {
  uint64_t id = 0;
  Outcome outcome = Outcome::not_run;
  std::string detail;  // "connection refused", "HTTP status 500, expected 200", "timed out after 20 ms: no connection"
  Clock::time_point started;
  Clock::time_point finished;
};

class Prober {
 public:
  using Report = std::function<void(const ProbeResult&)>;

  /// `io` must outlive the prober. `report` may call set_targets and probe_now, but must not destroy the prober.
  Prober(boost::asio::io_context& io, Report report);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  /// Replaces the targets, matched by id (of equal ids the first counts). An unchanged target keeps its schedule and
  /// the probe in flight; a changed one starts anew; a removed one is not reported again, not even a probe that just
  /// ended.
  void set_targets(const std::vector<Target>& targets);

  /// Probes the target at once, besides its schedule, unless a probe is in flight. Unknown ids are ignored.
  void probe_now(uint64_t id);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace warmswap::health
