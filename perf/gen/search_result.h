// What a search found out. Plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "perf/gen/options.h"
#include "perf/gen/result.h"
#include "perf/search/mlrsearch.h"
#include "perf/search/rfc2544.h"

namespace warmswap::gen {

struct SearchResult {
  SearchOptions options;
  Conditions conditions;  // of the first trial
  std::vector<StreamConfig> traffic;
  // By method, one of the two:
  std::optional<perf::ThroughputResult> rfc2544;
  std::optional<perf::MlrResult> mlr;
  unsigned noisy_trials = 0;
  /// Misrouted, duplicated or corrupt packets that any trial met; a loss is none.
  std::vector<std::string> faults;

  const std::vector<perf::Trial>& trials() const { return rfc2544 ? rfc2544->trials : mlr->trials; }
  std::chrono::nanoseconds time_spent() const { return rfc2544 ? rfc2544->time_spent : mlr->time_spent; }
};

}  // namespace warmswap::gen
