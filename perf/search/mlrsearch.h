// A search for several loss ratios at once that tolerates bad moments of the machine, after
// draft-ietf-bmwg-mlrsearch ("Multiple Loss Ratio Search").
//
// Of the draft it has: search goals with loss ratio, exceed ratio, final and initial trial durations, duration sum and
// width; the classification of loads, relevant bounds, and conditional throughput, to the letter (load_class.h); all
// goals judging all trials; loss inversion resolved downwards; results without an upper or lower bound told apart
// (the draft's irregular goal results).
// It does not have: the draft's recommended selection of loads. Here each goal is searched on three levels, with trials
// that grow from the initial to the final duration and intervals that shrink to the width; each level begins with the
// bounds of the one before, doubles its steps outwards and halves geometrically inwards. The draft leaves that open. No
// warm-up trials, no asymmetric traffic, no multiple-port loads. And beyond it: a trial whose rate the generator does
// not reach takes no part; the lowest such load bounds the search, and the result says so.
#pragma once

#include <string>
#include <vector>

#include "perf/search/load_class.h"
#include "perf/search/prober.h"

namespace warmswap::perf {

struct GoalResult {
  std::string name;
  Outcome outcome = Outcome::unfinished;
  /// The relevant bounds: the smallest load that is an upper bound, the largest below it that is a lower bound; kNoRate
  /// where there is none. When unfinished they may rest on shorter trials than the goal wants.
  double lower_pps = kNoRate;
  double upper_pps = kNoRate;
  /// What got through at the lower bound. The figure to compare by.
  double throughput_pps = kNoRate;
  /// Some trial contradicts the result: at or below the lower bound one (perhaps a short one) lost more than the goal
  /// allows, or a load above the upper bound looks like a lower bound (loss inversion).
  bool irregular = false;
  unsigned contradicting_trials = 0;  // of the first kind
};

struct MlrResult {
  std::vector<GoalResult> goals;  // in the order of the goals asked for
  std::vector<Trial> trials;      // all, in their order; invalid ones too
  Nanoseconds time_spent{};
};

/// All goals at once; list the strictest first. An error for goals or limits that make no sense, and when a trial could
/// not be done.
contract::Result<MlrResult> mlrsearch(const Measure& measure, const Limits& limits,
                                      const std::vector<SearchGoal>& goals);

/// One sentence: the figure, its bounds, and what it does not say.
std::string describe(const GoalResult& result);

}  // namespace warmswap::perf
