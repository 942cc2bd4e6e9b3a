// Takes over into a result what the checker found.
#pragma once

#include <cstdint>
#include <span>

#include "perf/gen/checker.h"
#include "perf/gen/result.h"

namespace warmswap::gen {

/// Streams, backends and totals of what was received. `transmitted`: packets sent, by stream. `start` and `hz`: of the
/// checker's clock.
void collect_received(const Checker& checker, const TrafficConfig& traffic, std::span<const uint64_t> transmitted,
                      uint64_t start, double hz, RunResult& result);

/// Cuts the timelines after the last interval in which anything left or came: what was only waited for is no result.
void trim_timelines(RunResult& result);

}  // namespace warmswap::gen
