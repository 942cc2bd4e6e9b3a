#include "perf/search/mlrsearch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace warmswap::perf {
namespace {

constexpr int kLevels = 3;

/// A goal as it is searched for on one level: shorter trials and a wider interval before the last.
SearchGoal on_level(const SearchGoal& goal, int level) {
  SearchGoal easier = goal;
  const double part = static_cast<double>(level) / (kLevels - 1);
  const auto grown = [part](std::chrono::milliseconds from, std::chrono::milliseconds to) {
    const double ratio = static_cast<double>(to.count()) / static_cast<double>(from.count());
    return std::chrono::milliseconds(std::llround(static_cast<double>(from.count()) * std::pow(ratio, part)));
  };
  easier.final_trial_duration = grown(goal.initial_trial_duration, goal.final_trial_duration);
  easier.duration_sum = std::max(grown(goal.initial_trial_duration, goal.duration_sum), easier.final_trial_duration);
  easier.width = std::min(goal.width * std::pow(2.0, kLevels - 1 - level), 0.5);
  return easier;
}

struct Bounds {
  double lower = kNoRate;
  double upper = kNoRate;
};

class MlrSearch {
 public:
  MlrSearch(const Measure& measure, const Limits& limits, const std::vector<SearchGoal>& goals)
      : limits_(limits), goals_(goals), prober_(measure, limits_), known_(goals.size()) {}

  contract::Result<MlrResult> run() {
    const bool finished = search();
    if (!prober_.error().empty()) return contract::Error{prober_.error()};
    MlrResult result;
    for (size_t i = 0; i < goals_.size(); ++i) result.goals.push_back(result_of(i, finished));
    result.trials = prober_.trials();
    result.time_spent = prober_.time_spent();
    return result;
  }

 private:
  /// False when it was stopped.
  bool search() {
    if (!first_trial()) return false;
    for (int level = 0; level < kLevels; ++level) {
      // A trial for one goal may move the bounds of another, so until no goal needs one more.
      for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < goals_.size(); ++i) {
          const size_t trials_before = prober_.trials().size();
          if (!narrow(on_level(goals_[i], level), known_[i])) return false;
          changed = changed || prober_.trials().size() != trials_before;
        }
      }
    }
    return true;
  }

  /// At the highest rate, for what comes through there is a good guess at both goals.
  bool first_trial() {
    const auto trial = prober_.run(limits_.max_pps, goals_.front().initial_trial_duration);
    if (!trial) return false;
    take(*trial);
    const double guess = trial->valid() ? trial->received_pps() : trial->offered_pps();
    const double load = std::clamp(guess, limits_.min_pps, limits_.max_pps);
    for (Bounds& known : known_) known = {load, limits_.max_pps};
    return true;
  }

  void take(const Trial& trial) {
    if (trial.valid()) {
      loads_[trial.rate_pps].push_back(trial);
    } else {
      unreached_ = std::isnan(unreached_) ? trial.rate_pps : std::min(unreached_, trial.rate_pps);
    }
  }

  Bounds bounds_for(const SearchGoal& goal) const {
    Bounds bounds;
    for (const auto& [load, trials] : loads_) {
      const LoadClass found = classify(trials, goal);
      if (found == LoadClass::lower_bound) bounds.lower = load;
      if (found != LoadClass::upper_bound) continue;
      bounds.upper = load;
      break;
    }
    return bounds;
  }

  /// The load nothing at or above of which can be a lower bound.
  double top_of(const Bounds& bounds) const {
    if (std::isnan(bounds.upper)) return unreached_;
    return std::isnan(unreached_) ? bounds.upper : std::min(bounds.upper, unreached_);
  }

  bool settled(const Bounds& bounds, const SearchGoal& goal) const {
    const double top = top_of(bounds);
    if (std::isnan(bounds.lower)) return top <= limits_.min_pps;
    return bounds.lower >= limits_.max_pps || (top - bounds.lower) <= goal.width * top;
  }

  /// Trials until the goal's interval is as narrow as it wants. `known`: where the level before found it, then where
  /// this one did. False when it was stopped.
  bool narrow(const SearchGoal& goal, Bounds& known) {
    std::vector<double> hints;
    for (const double hint : {known.lower, known.upper}) {
      if (!std::isnan(hint)) hints.push_back(hint);
    }
    double step = goal.width;
    while (true) {
      const Bounds bounds = bounds_for(goal);
      if (settled(bounds, goal)) {
        known = bounds;
        return true;
      }
      if (!decide(next_load(bounds, hints, step), goal)) return false;
    }
  }

  /// Inside the interval; `step` doubles with each step outwards.
  double next_load(const Bounds& bounds, std::vector<double>& hints, double& step) const {
    const double top = top_of(bounds);
    while (!hints.empty()) {
      const double hint = hints.front();
      hints.erase(hints.begin());
      const bool above = std::isnan(bounds.lower) || hint > bounds.lower;
      const bool below = std::isnan(top) || hint < top;
      if (above && below) return hint;
    }
    if (!std::isnan(bounds.lower) && !std::isnan(top)) return std::sqrt(bounds.lower * top);
    step = std::min(step * 2, 1.0);
    if (!std::isnan(bounds.lower)) return std::min(bounds.lower * (1 + step), limits_.max_pps);
    if (std::isnan(top)) return limits_.max_pps;
    return std::max(top * (1 - step), limits_.min_pps);
  }

  /// Trials at this load until it is a bound for this goal, or out of the generator's reach.
  bool decide(double load, const SearchGoal& goal) {
    while (std::isnan(unreached_) || load < unreached_) {
      const auto known = loads_.find(load);
      if (known != loads_.end() && classify(known->second, goal) != LoadClass::undecided) return true;
      const auto trial = prober_.run(load, goal.final_trial_duration);
      if (!trial) return false;
      take(*trial);
    }
    return true;
  }

  GoalResult result_of(size_t index, bool finished) const {
    const SearchGoal& goal = goals_[index];
    GoalResult result;
    result.name = goal.name;
    Bounds bounds = bounds_for(goal);
    for (int level = kLevels; !finished && level-- > 0;) {
      const Bounds rough = bounds_for(on_level(goal, level));
      if (std::isnan(bounds.lower) && !(rough.lower >= bounds.upper)) bounds.lower = rough.lower;
      if (std::isnan(bounds.upper) && !(rough.upper <= bounds.lower)) bounds.upper = rough.upper;
    }
    result.lower_pps = bounds.lower;
    result.upper_pps = bounds.upper;
    if (finished) result.outcome = outcome_of(bounds, goal);
    if (!std::isnan(bounds.lower)) result.throughput_pps = conditional_throughput(loads_.at(bounds.lower), goal);
    count_contradictions(result, bounds, goal);
    return result;
  }

  Outcome outcome_of(const Bounds& bounds, const SearchGoal& goal) const {
    const bool loss_is_near = !std::isnan(bounds.upper) &&
                              (std::isnan(bounds.lower) || bounds.upper - bounds.lower <= goal.width * bounds.upper);
    if (loss_is_near) return std::isnan(bounds.lower) ? Outcome::loss_at_min : Outcome::found;
    return bounds.lower >= limits_.max_pps ? Outcome::no_loss_at_max : Outcome::generator_limit;
  }

  void count_contradictions(GoalResult& result, const Bounds& bounds, const SearchGoal& goal) const {
    for (const auto& [load, trials] : loads_) {
      if (load > bounds.upper && classify(trials, goal) == LoadClass::lower_bound) result.irregular = true;
      if (!(load <= bounds.lower)) continue;
      result.contradicting_trials += static_cast<unsigned>(std::count_if(
          trials.begin(), trials.end(), [&](const Trial& trial) { return trial.loss_ratio() > goal.loss_ratio; }));
    }
    result.irregular = result.irregular || result.contradicting_trials > 0;
  }

  const Limits& limits_;
  const std::vector<SearchGoal>& goals_;
  Prober prober_;
  std::map<double, std::vector<Trial>> loads_;  // valid trials
  double unreached_ = kNoRate;                  // the lowest load the generator did not reach
  std::vector<Bounds> known_;                   // for each goal, from the level before
};

}  // namespace

contract::Result<MlrResult> mlrsearch(const Measure& measure, const Limits& limits,
                                      const std::vector<SearchGoal>& goals) {
  if (const std::string fault = limits.fault(); !fault.empty()) return contract::Error{fault};
  if (goals.empty()) return contract::Error{"a search for no goal was asked for; expected one or more"};
  for (const SearchGoal& goal : goals) {
    if (const std::string fault = goal.fault(); !fault.empty()) return contract::Error{fault};
  }
  return MlrSearch(measure, limits, goals).run();
}

std::string describe(const GoalResult& result) {
  std::string text = fmt::format("{} {}, between {} and {}", result.name, format_rate(result.throughput_pps),
                                 format_rate(result.lower_pps), format_rate(result.upper_pps));
  if (result.outcome != Outcome::found) text += ": " + describe(result.outcome);
  if (result.contradicting_trials > 0) {
    text += fmt::format("; {} trials at or below the lower bound lost more", result.contradicting_trials);
  } else if (result.irregular) {
    text += "; a load above the upper bound lost less";
  }
  return text;
}

}  // namespace warmswap::perf
