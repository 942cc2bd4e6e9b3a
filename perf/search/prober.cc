#include "perf/search/prober.h"

#include <fmt/format.h>

#include <algorithm>

namespace warmswap::perf {

std::string Limits::fault() const {
  if (!(min_pps > 0) || !(max_pps >= min_pps) || !(max_pps < 1e15)) {
    return fmt::format("the rates to search are {} to {} pps; expected 0 < lowest ≤ highest < 1e15", min_pps, max_pps);
  }
  if (max_trials == 0 || attempts == 0 || max_time <= max_time.zero()) {
    return fmt::format("a search of {} trials, {} s and {} attempts was asked for; expected at least 1 of each",
                       max_trials, max_time.count(), attempts);
  }
  return "";
}

bool Prober::may_go_on() const {
  const bool stopped = limits_.stop && limits_.stop();
  return !stopped && trials_.size() < limits_.max_trials && time_spent_ < limits_.max_time && error_.empty();
}

std::optional<Trial> Prober::run(double rate_pps, Nanoseconds duration) {
  std::optional<Trial> last;
  for (unsigned attempt = 0; attempt < limits_.attempts; ++attempt) {
    if (!may_go_on()) return std::nullopt;
    auto measured = measure_(rate_pps, duration);
    if (!measured) {
      error_ = fmt::format("the trial at {} failed: {}", format_rate(rate_pps), measured.error());
      return std::nullopt;
    }
    if (limits_.stop && limits_.stop()) return std::nullopt;
    last = *measured;
    last->rate_pps = rate_pps;
    if (last->duration <= Nanoseconds{}) last->duration = duration;
    time_spent_ += last->duration;
    trials_.push_back(*last);
    if (last->valid()) break;
  }
  return last;
}

}  // namespace warmswap::perf
