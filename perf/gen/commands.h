// What warmswap-gen does once its command line is understood. Each returns the exit code of the process.
#pragma once

#include <atomic>

#include "perf/gen/options.h"

namespace warmswap::gen {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // the verdict is against what was measured
inline constexpr int kExitUsage = 2;
inline constexpr int kExitImpossible = 3;  // nothing could be measured, or no figure came out of it

int run_command(const Options& options, const std::atomic<bool>& interrupted);

}  // namespace warmswap::gen
