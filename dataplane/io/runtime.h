// The running dataplane: ports, workers on their lcores, and the housekeeping of the main thread.
#pragma once

#include <csignal>
#include <functional>
#include <memory>
#include <vector>

#include "dataplane/contract/result.h"
#include "dataplane/contract/segment.h"
#include "dataplane/contract/snapshot_reader.h"
#include "dataplane/io/options.h"
#include "dataplane/io/port.h"
#include "dataplane/io/worker.h"

namespace warmswap::io {

/// Called by the main thread; none may block for long.
struct Hooks {
  /// After a publish, with the snapshot that is current now (nullptr before the first). The snapshot stays valid
  /// during the call. False: not done, call again soon.
  std::function<bool(const contract::SnapshotRoot*)> on_snapshot;
  /// About once a second.
  std::function<void()> on_second;
};

class Runtime {
 public:
  /// Opens the ports, writes their records into the segment and starts the workers. EAL must be up.
  static contract::Result<std::unique_ptr<Runtime>> start(const Options& options, contract::Segment& segment);
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  /// Stops and joins the workers, then closes the ports.
  ~Runtime();

  /// Keeps house until one of `signals` (blocked in every thread) arrives: lease, ticks, hooks, link changes, silent
  /// workers. Returns the signal.
  int run(const sigset_t& signals, const Hooks& hooks);

  size_t worker_count() const noexcept { return workers_.size(); }

 private:
  explicit Runtime(contract::Segment& segment)
      : segment_(segment), reader_(segment.base(), segment.header(), segment.header().housekeeper) {}
  contract::Result<void> open_ports(const Options& options);
  contract::Result<void> launch_workers(const Options& options);
  WorkerSetup worker_setup(const Options& options, uint16_t index) const;
  void publish_ports();
  void follow_snapshot(const Hooks& hooks);
  void watch_lease();
  void watch_workers();
  void watch_links();

  contract::Segment& segment_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::vector<std::unique_ptr<Port>> taps_;  // same index as the port they belong to; nullptr = none
  std::vector<std::unique_ptr<Worker>> workers_;
  contract::SnapshotReader reader_;
  uint64_t expired_lease_ = 0;
  bool hook_owed_ = false;  // on_snapshot asked to be called again
  std::vector<bool> silent_;
  std::vector<bool> link_up_;
};

}  // namespace warmswap::io
