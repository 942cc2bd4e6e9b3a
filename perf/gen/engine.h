// The moving part: DPDK ports, a transmitting and a receiving lcore (or one that does both in turn), one run at a time.
// All but interrupt flags belong to the main thread. One Engine in a process.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/contract/result.h"
#include "dataplane/io/port.h"
#include "perf/gen/packet_source.h"
#include "perf/gen/result.h"
#include "perf/gen/run_options.h"
#include "perf/gen/traffic.h"

namespace warmswap::gen {

struct Progress {
  std::chrono::nanoseconds elapsed{};
  uint64_t transmitted = 0;
  uint64_t received = 0;
};
using OnProgress = std::function<void(const Progress&)>;

class Engine {
 public:
  /// Starts DPDK and the ports, and waits until the links are up. Warnings go to standard error.
  static contract::Result<std::unique_ptr<Engine>> start(const EngineOptions& asked,
                                                         const std::atomic<bool>& interrupted);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  /// Closes the ports and DPDK.
  ~Engine();

  /// Sends from `source` and checks against `traffic`, which describes the same. `on_progress` is called ten times a
  /// second; `interrupted` ends the run early, with the result so far.
  contract::Result<RunResult> run(PacketSource& source, const TrafficConfig& traffic, const RunOptions& options,
                                  const std::atomic<bool>& interrupted, const OnProgress& on_progress);

  contract::MacAddress mac(size_t device) const;
  bool hugepages() const noexcept { return hugepages_; }

 private:
  Engine() = default;
  contract::Result<void> open(const EngineOptions& options, const std::atomic<bool>& interrupted);
  contract::Result<void> wait_for_links(std::chrono::milliseconds wait, const std::atomic<bool>& interrupted) const;

  EngineOptions options_;
  bool started_ = false;  // DPDK
  bool hugepages_ = false;
  rte_mempool* transmit_pool_ = nullptr;
  std::vector<std::unique_ptr<io::Port>> ports_;  // one for each device
};

}  // namespace warmswap::gen
