#include "perf/search/load_class.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace warmswap::perf {
namespace {

using Seconds = std::chrono::duration<double>;

/// A trial's duration is a reading of clocks, cut to whole nanoseconds: one that was planned for the final duration may
/// come out a little below it, and must count all the same, or the search repeats it for ever.
constexpr double kReadingError = 1e-3;

bool is_long(const Trial& trial, const SearchGoal& goal) {
  return Seconds(trial.duration) >= (1 - kReadingError) * Seconds(goal.final_trial_duration);
}

/// Seconds of good and of bad trials.
struct Sums {
  double good = 0;
  double bad = 0;
  void add(const Trial& trial, const SearchGoal& goal) {
    (trial.loss_ratio() <= goal.loss_ratio ? good : bad) += Seconds(trial.duration).count();
  }
};

}  // namespace

std::string SearchGoal::fault() const {
  if (!(loss_ratio >= 0 && loss_ratio < 1) || !(exceed_ratio >= 0 && exceed_ratio < 1)) {
    return fmt::format("{} has loss ratio {} and exceed ratio {}; expected both from 0 to below 1", name, loss_ratio,
                       exceed_ratio);
  }
  if (!(width >= 1e-5 && width < 1)) {
    return fmt::format("{} has width {}; expected 1e-5 to 1, a part of the rate", name, width);
  }
  if (initial_trial_duration <= initial_trial_duration.zero() || final_trial_duration < initial_trial_duration ||
      duration_sum < final_trial_duration) {
    return fmt::format("{} has trials of {} to {} ms and a sum of {} ms; expected 0 < initial ≤ final ≤ sum", name,
                       initial_trial_duration.count(), final_trial_duration.count(), duration_sum.count());
  }
  return "";
}

SearchGoal non_drop_rate() {
  SearchGoal goal;
  goal.name = "NDR";
  return goal;
}

SearchGoal partial_drop_rate() {
  SearchGoal goal;
  goal.name = "PDR";
  goal.loss_ratio = 0.005;
  return goal;
}

LoadClass classify(std::span<const Trial> trials, const SearchGoal& goal) {
  Sums full;
  Sums brief;
  for (const Trial& trial : trials) {
    if (trial.valid()) (is_long(trial, goal) ? full : brief).add(trial, goal);
  }
  const double balanced = brief.good * goal.exceed_ratio / (1 - goal.exceed_ratio);
  const double bad = full.bad + std::max(0.0, brief.bad - balanced);
  const double whole = std::max(full.good + bad, Seconds(goal.duration_sum).count());
  // Sums of decimal fractions: a hair of room, far below the shortest trial.
  const double allowed = whole * goal.exceed_ratio + 1e-9;
  // If all the time that is still missing turned out well, and if all of it turned out badly.
  const bool optimistic = bad <= allowed;
  const bool pessimistic = whole - full.good <= allowed;
  if (optimistic && pessimistic) return LoadClass::lower_bound;
  return optimistic ? LoadClass::undecided : LoadClass::upper_bound;
}

double conditional_throughput(std::span<const Trial> trials, const SearchGoal& goal) {
  std::vector<Trial> full;
  double sum = 0;
  for (const Trial& trial : trials) {
    if (!trial.valid() || !is_long(trial, goal)) continue;
    full.push_back(trial);
    sum += Seconds(trial.duration).count();
  }
  if (full.empty()) return kNoRate;
  std::sort(full.begin(), full.end(), [](const Trial& a, const Trial& b) { return a.loss_ratio() < b.loss_ratio(); });
  double remaining = std::max(sum, Seconds(goal.duration_sum).count()) * (1 - goal.exceed_ratio) - 1e-9;
  for (size_t i = 0; i < full.size(); ++i) {
    remaining -= Seconds(full[i].duration).count();
    if (remaining <= 0) return full[i].rate_pps * (1 - full[i].loss_ratio());
  }
  return 0;  // what was not measured counts as lost
}

}  // namespace warmswap::perf
