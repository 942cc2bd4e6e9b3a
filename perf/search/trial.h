// One trial: traffic at a constant rate for a while, and what came of it. What the searches ask for and judge by.
// Rates are frames per second of the whole test, all ports together.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>

#include "dataplane/contract/result.h"

namespace warmswap::perf {

using Nanoseconds = std::chrono::nanoseconds;

/// A rate that is not known, or not there.
inline constexpr double kNoRate = std::numeric_limits<double>::quiet_NaN();

struct Latency {
  Nanoseconds p50{};
  Nanoseconds p99{};
  Nanoseconds p999{};
  Nanoseconds max{};
};

struct Trial {
  double rate_pps = 0;     // as asked for; the search fills it in
  Nanoseconds duration{};  // as it really was; 0 = as asked for
  uint64_t sent = 0;
  uint64_t received = 0;
  /// False when the generator did not send what it was asked to. Such a trial says nothing about the device: it is
  /// invalid, not a loss, whatever was received.
  bool rate_reached = true;
  std::optional<Latency> latency;

  bool valid() const noexcept { return rate_reached && sent > 0; }
  /// Lost frames by sent ones, 0..1; duplicates do not make up for losses beyond it. 1 when nothing was sent.
  double loss_ratio() const noexcept;
  /// What was really sent, by time.
  double offered_pps() const noexcept;
  double received_pps() const noexcept;
};

/// Does one trial. The error says why it could not be done at all; it ends the search.
using Measure = std::function<contract::Result<Trial>(double rate_pps, Nanoseconds duration)>;

/// How a search ended.
enum class Outcome {
  found,            // between a rate that holds and one that does not, as close as asked for
  no_loss_at_max,   // holds at the highest rate allowed: the device may do more
  loss_at_min,      // does not hold even at the lowest
  generator_limit,  // holds at all rates the generator reaches: the figure is the generator's, not the device's
  unfinished,       // it was stopped, or trials or time were used up; the bounds are those known by then
};

/// One clause for a report: "the generator reached its limit first".
std::string describe(Outcome outcome);

/// "4.21 Mpps"; "none" for kNoRate.
std::string format_rate(double pps);

}  // namespace warmswap::perf
