// One run over ports that are open: launches the lcores, watches them, and collects what they found. Main thread.
#pragma once

#include <rte_mempool.h>

#include <atomic>
#include <vector>

#include "perf/gen/engine.h"

namespace warmswap::gen {

struct RunPlan {
  RunOptions options;
  std::vector<uint32_t> cores;
  uint16_t transmit_port = 0;
  uint16_t receive_port = 0;
  uint16_t descriptors = 0;  // of a queue
  rte_mempool* pool = nullptr;
  Conditions conditions;  // but for the times
};

contract::Result<RunResult> run_once(PacketSource& source, const TrafficConfig& traffic, const RunPlan& plan,
                                     const std::atomic<bool>& interrupted, const OnProgress& on_progress);

}  // namespace warmswap::gen
