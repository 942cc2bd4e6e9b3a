// The searches of RFC 2544, "Benchmarking Methodology for Network Interconnect Devices": throughput (section 26.1) and
// frame loss rate (26.3). Back-to-back frames (26.4) are not here: they need a generator that sends bursts of a counted
// length. Pure but for what `measure` does; one thread.
#pragma once

#include <string>
#include <vector>

#include "perf/search/prober.h"

namespace warmswap::perf {

struct ThroughputGoal {
  Limits limits;
  /// The search ends when the interval is this part of the rate that failed.
  double resolution = 0.01;
  std::chrono::milliseconds trial_duration{std::chrono::seconds(60)};  // section 24: at least 60 s for a final figure
  /// The last trial, at the rate that was found; its loss sends the search on below it.
  std::chrono::milliseconds confirm_duration{std::chrono::seconds(60)};
};

struct ThroughputResult {
  Outcome outcome = Outcome::unfinished;
  /// The highest rate at which no frame was lost, confirmed if `confirmed`; kNoRate when there is none.
  double throughput_pps = kNoRate;
  /// The lowest rate above it that lost frames, or that the generator did not reach; kNoRate when there is none.
  double failed_pps = kNoRate;
  bool confirmed = false;
  std::vector<Trial> trials;
  Nanoseconds time_spent{};
};

/// Section 26.1: the fastest rate at which the frames that were sent are the frames that came back. Binary search,
/// first at the highest rate. Zero loss means zero: on a shared machine one stolen time slice decides a trial, and what
/// is found is the highest rate that had luck twice; mlrsearch.h is for such places.
contract::Result<ThroughputResult> search_throughput(const Measure& measure, const ThroughputGoal& goal);

/// One sentence: the figure, and what it does not say.
std::string describe(const ThroughputResult& result);

struct LossGoal {
  Limits limits;      // from max_pps down, not below min_pps
  double step = 0.1;  // of max_pps; the RFC allows at most 10 %
  std::chrono::milliseconds trial_duration{std::chrono::seconds(60)};
};

/// Section 26.3: a trial at 100 % of the highest rate, 90 %, 80 % … until two in a row lose nothing. A rate the
/// generator did not reach is in the list, as an invalid trial. It ends early when the limits end it.
contract::Result<std::vector<Trial>> sweep_frame_loss(const Measure& measure, const LossGoal& goal);

}  // namespace warmswap::perf
