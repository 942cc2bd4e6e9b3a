// Does trials for a search: repeats those the generator spoiled, keeps all of them, and stops when enough were done.
// One thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "perf/search/trial.h"

namespace warmswap::perf {

struct Limits {
  double min_pps = 1000;
  double max_pps = 0;  // line rate, or what the generator says of itself
  unsigned max_trials = 500;
  std::chrono::seconds max_time{3600};  // of traffic; the search does not look at a clock
  /// How often a trial is done whose rate the generator does not reach. A shared machine spoils single ones.
  unsigned attempts = 3;
  /// When there is one and it says true, no trial is begun any more, and one under way is not kept.
  std::function<bool()> stop;

  /// Why a search cannot begin, or empty.
  std::string fault() const;
};

class Prober {
 public:
  /// `measure` must outlive the prober.
  Prober(const Measure& measure, const Limits& limits) : measure_(measure), limits_(limits) {}

  /// A trial, invalid if it was so at every attempt. nullopt: the limits do not allow it, or it failed (error()). A
  /// trial that was begun in time is finished, so the time may be exceeded by one.
  std::optional<Trial> run(double rate_pps, Nanoseconds duration);

  const std::string& error() const noexcept { return error_; }
  /// All trials in their order, invalid ones too.
  const std::vector<Trial>& trials() const noexcept { return trials_; }
  Nanoseconds time_spent() const noexcept { return time_spent_; }

 private:
  bool may_go_on() const;

  const Measure& measure_;
  const Limits& limits_;
  std::vector<Trial> trials_;
  Nanoseconds time_spent_{};
  std::string error_;
};

}  // namespace warmswap::perf
