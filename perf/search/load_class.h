// What the trials at one load say about a goal, by the rules of draft-ietf-bmwg-mlrsearch ("Multiple Loss Ratio
// Search"), appendices "Load Classification" and "Conditional Throughput". Pure; any thread.
#pragma once

#include <span>
#include <string>

#include "perf/search/trial.h"

namespace warmswap::perf {

/// The draft's search goal. The defaults are the draft's own example for software on general-purpose machines, many
/// short trials and their majority; {exceed_ratio = 0, final 60 s, sum 60 s} is RFC 2544.
struct SearchGoal {
  std::string name;
  double loss_ratio = 0;      // a trial that loses more is a bad one
  double exceed_ratio = 0.5;  // the part of the time that may be bad all the same; below 1
  std::chrono::milliseconds final_trial_duration{1000};
  std::chrono::milliseconds duration_sum{21'000};  // of trials at one load, to decide about it
  std::chrono::milliseconds initial_trial_duration{250};
  double width = 0.005;  // of the interval that is found, as a part of its upper end

  /// Why it cannot be searched for, or empty.
  std::string fault() const;
};

SearchGoal non_drop_rate();      // "NDR": loss ratio 0
SearchGoal partial_drop_rate();  // "PDR": loss ratio 0.005

enum class LoadClass { undecided, lower_bound, upper_bound };

/// `trials` at one load; invalid ones are not looked at. Trials shorter than the goal's final duration cannot make a
/// lower bound, but bad ones, less as many good ones as the exceed ratio wants, count against it.
LoadClass classify(std::span<const Trial> trials, const SearchGoal& goal);

/// The rate that gets through at this load in all but the worst `exceed_ratio` of the time. kNoRate without trials of
/// full length.
double conditional_throughput(std::span<const Trial> trials, const SearchGoal& goal);

}  // namespace warmswap::perf
