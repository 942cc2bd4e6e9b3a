// The search for the highest rate: perf/search decides the rates, each trial is a run. Main thread.
#pragma once

#include <atomic>

#include "dataplane/contract/result.h"
#include "perf/gen/options.h"
#include "perf/gen/progress.h"
#include "perf/gen/search_result.h"

namespace warmswap::gen {

/// The rate searched for is that of the streams without a fixed one; losses count in all of them. An interrupt ends the
/// search with an error, because no bound is known then.
contract::Result<SearchResult> search(const Options& options, const std::atomic<bool>& interrupted,
                                      ProgressLine& progress);

}  // namespace warmswap::gen
