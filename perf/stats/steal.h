// How much of some CPUs' time the hypervisor gave to others, and how much nobody used, between two moments. A benchmark
// states it beside its figures: a window with steal in it measured the neighbours.
//
// Source: /proc/stat, proc(5). Ticks are USER_HZ (10 ms), so only intervals of a second or more mean something to a
// percent. Steal is what the hypervisor admits to; 0 may also mean that it does not tell.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "dataplane/contract/result.h"

namespace warmswap::perf {

/// Summed over the CPUs asked for, in ticks since boot.
struct CpuTicks {
  uint64_t steal = 0;
  uint64_t idle = 0;  // with iowait
  uint64_t all = 0;
};

/// Shares of the time that passed, 0..1; all zero when no tick passed.
struct CpuUse {
  double steal = 0;
  double idle = 0;
  double busy = 0;     // the rest
  uint64_t ticks = 0;  // of all CPUs together
};

/// `text` as /proc/stat has it; no `cpus` = the whole machine. An error when one of them has no line there (offline or
/// not present) or a line that is not understood.
contract::Result<CpuTicks> parse_cpu_ticks(std::string_view text, std::span<const unsigned> cpus);

/// The same for now.
contract::Result<CpuTicks> read_cpu_ticks(std::span<const unsigned> cpus);

/// A counter that went backwards (idle and iowait do, proc(5)) counts as one that stood still.
CpuUse use_between(const CpuTicks& before, const CpuTicks& after) noexcept;

}  // namespace warmswap::perf
