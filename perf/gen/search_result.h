// What a search found out. Plain values.
#pragma once

#include <algorithm>
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
  bool interrupted = false;
  unsigned noisy_trials = 0;
  /// Misrouted, duplicated or corrupt packets that any trial met; a loss is none.
  std::vector<std::string> faults;

  const std::vector<perf::Trial>& trials() const { return rfc2544 ? rfc2544->trials : mlr->trials; }
  /// Whether every bound asked for was found. False: the trials or the time were used up, or the generator's limit came
  /// first, and the rates are only what was known by then.
  bool conclusive() const {
    const auto ended = [](perf::Outcome outcome) {
      return outcome != perf::Outcome::unfinished && outcome != perf::Outcome::generator_limit;
    };
    if (rfc2544) return ended(rfc2544->outcome);
    return std::all_of(mlr->goals.begin(), mlr->goals.end(),
                       [&](const perf::GoalResult& goal) { return ended(goal.outcome); });
  }
  std::chrono::nanoseconds time_spent() const { return rfc2544 ? rfc2544->time_spent : mlr->time_spent; }
};

}  // namespace warmswap::gen
