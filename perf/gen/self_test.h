// What the generator itself can do on this machine. Without that figure its own limit is easily taken for the
// balancer's.
#pragma once

#include <atomic>

#include "dataplane/contract/result.h"
#include "perf/gen/options.h"
#include "perf/gen/progress.h"
#include "perf/gen/self_test_result.h"

namespace warmswap::gen {

contract::Result<SelfTestResult> self_test(const Options& options, const std::atomic<bool>& interrupted,
                                           ProgressLine& progress);

}  // namespace warmswap::gen
