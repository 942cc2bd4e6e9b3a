#include "perf/search/rfc2544.h"

#include <fmt/format.h>

#include <cmath>

namespace warmswap::perf {
namespace {

class ThroughputSearch {
 public:
  ThroughputSearch(const Measure& measure, const ThroughputGoal& goal) : goal_(goal), prober_(measure, goal.limits) {}

  contract::Result<ThroughputResult> run() {
    ThroughputResult result;
    result.outcome = search();
    if (!prober_.error().empty()) return contract::Error{prober_.error()};
    if (!passed_.empty()) result.throughput_pps = passed_.back();
    result.failed_pps = failed_;
    result.confirmed = confirmed_;
    result.trials = prober_.trials();
    result.time_spent = prober_.time_spent();
    return result;
  }

 private:
  enum class Verdict { passed, failed, stopped };

  Outcome search() {
    while (true) {
      const double rate = next_rate();
      if (std::isnan(rate)) {
        if (passed_.empty()) return unreached_ ? Outcome::generator_limit : Outcome::loss_at_min;
        const Verdict verdict = confirm();
        if (verdict == Verdict::stopped) return Outcome::unfinished;
        if (verdict == Verdict::failed) continue;
        if (std::isnan(failed_)) return Outcome::no_loss_at_max;
        return unreached_ ? Outcome::generator_limit : Outcome::found;
      }
      if (try_rate(rate, goal_.trial_duration) == Verdict::stopped) return Outcome::unfinished;
    }
  }

  /// The highest rate first, then always the middle; NaN when the interval is small enough.
  double next_rate() const {
    const double low = passed_.empty() ? goal_.limits.min_pps : passed_.back();
    if (std::isnan(failed_)) return passed_.empty() ? goal_.limits.max_pps : kNoRate;
    if (failed_ - low > goal_.resolution * failed_) return (failed_ + low) / 2;
    // Nothing has passed down to here: the lowest rate itself is left, unless it was the one that failed.
    return passed_.empty() && failed_ > goal_.limits.min_pps ? goal_.limits.min_pps : kNoRate;
  }

  Verdict try_rate(double rate, Nanoseconds duration) {
    const auto trial = prober_.run(rate, duration);
    if (!trial) return Verdict::stopped;
    if (trial->valid() && trial->loss_ratio() == 0) {
      if (passed_.empty() || passed_.back() < rate) passed_.push_back(rate);
      return Verdict::passed;
    }
    failed_ = rate;
    unreached_ = !trial->valid();
    return Verdict::failed;
  }

  Verdict confirm() {
    const Verdict verdict = try_rate(passed_.back(), goal_.confirm_duration);
    confirmed_ = verdict == Verdict::passed;
    if (verdict == Verdict::failed) passed_.pop_back();
    return verdict;
  }

  const ThroughputGoal& goal_;
  Prober prober_;
  std::vector<double> passed_;  // ascending
  double failed_ = kNoRate;
  bool unreached_ = false;  // why failed_ failed
  bool confirmed_ = false;
};

std::string duration_fault(std::chrono::milliseconds duration) {
  return duration > duration.zero()
             ? ""
             : fmt::format("a trial of {} ms was asked for; expected a positive duration", duration.count());
}

}  // namespace

contract::Result<ThroughputResult> search_throughput(const Measure& measure, const ThroughputGoal& goal) {
  if (const std::string fault = goal.limits.fault(); !fault.empty()) return contract::Error{fault};
  for (const auto duration : {goal.trial_duration, goal.confirm_duration}) {
    if (const std::string fault = duration_fault(duration); !fault.empty()) return contract::Error{fault};
  }
  if (!(goal.resolution >= 1e-6 && goal.resolution < 1)) {
    return contract::Error{
        fmt::format("the resolution is {}; expected 1e-6 to 1, a part of the rate", goal.resolution)};
  }
  return ThroughputSearch(measure, goal).run();
}

std::string describe(const ThroughputResult& result) {
  if (std::isnan(result.throughput_pps)) {
    return fmt::format("no throughput: {} ({} trials)", describe(result.outcome), result.trials.size());
  }
  std::string text = fmt::format("throughput {}", format_rate(result.throughput_pps));
  if (result.outcome != Outcome::found) text += " or more: " + describe(result.outcome);
  if (!result.confirmed) text += ", not confirmed";
  return text + fmt::format(" ({} trials)", result.trials.size());
}

contract::Result<std::vector<Trial>> sweep_frame_loss(const Measure& measure, const LossGoal& goal) {
  if (const std::string fault = goal.limits.fault(); !fault.empty()) return contract::Error{fault};
  if (const std::string fault = duration_fault(goal.trial_duration); !fault.empty()) return contract::Error{fault};
  if (!(goal.step >= 0.001 && goal.step <= 0.1)) {
    return contract::Error{fmt::format("the step is {}; expected 0.001 to 0.1 of the highest rate", goal.step)};
  }
  Prober prober(measure, goal.limits);
  std::vector<Trial> rows;
  int without_loss = 0;
  for (int i = 0; without_loss < 2; ++i) {
    const double share = 1 - i * goal.step;
    const double rate = goal.limits.max_pps * share;
    if (share < goal.step / 2 || rate < goal.limits.min_pps) break;
    const auto trial = prober.run(rate, goal.trial_duration);
    if (!trial) break;
    rows.push_back(*trial);
    without_loss = trial->valid() && trial->loss_ratio() == 0 ? without_loss + 1 : 0;
  }
  if (!prober.error().empty()) return contract::Error{prober.error()};
  return rows;
}

}  // namespace warmswap::perf
