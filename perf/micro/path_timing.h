// Timings of the packet path over real tables, in TSC cycles. One thread, which stays on its processor.
//
// A measurement is many pairs of windows, the path's and that of a loop which only rewrites the Ethernet addresses of
// the same buffers, so that both meet the same weather on a shared machine; what counts are medians over the pairs.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/balance/pipeline.h"
#include "perf/micro/balancer.h"
#include "perf/micro/packet_window.h"
#include "perf/stats/hdr_histogram.h"

namespace warmswap::perf {

/// The stages of balance/stages.h, in their order.
inline constexpr std::array kStages = {"gather", "derive", "find_vips", "hash_flows", "find_seats", "encapsulate"};

class PathTiming {
 public:
  /// `level` must be one this processor can run.
  PathTiming(const BalancerShape& shape, uint64_t flows, balance::VectorLevel level);

  /// One more pair of windows; returns the cycles of the path's.
  double pair();
  /// One more window with the clock read after each stage. The reading itself, some 25 cycles a burst, is taken off;
  /// what remains is more than the stage costs among the others, because each waits for the one before to end.
  void stages();
  /// One more window with the clock read after each burst, and as many loops of the same length that do nothing.
  void bursts();

  /// Cycles a packet, one for each window.
  const std::vector<double>& path() const noexcept { return path_; }
  const std::vector<double>& baseline() const noexcept { return baseline_; }
  const std::vector<double>& above() const noexcept { return above_; }
  const std::vector<double>& stage(size_t index) const noexcept { return stages_[index]; }

  /// Of the time of a burst, in cycles: the median, and the percentile after which `1 - share` of the bursts remain
  /// once those are left out that the machine interrupted, as it did the loops that do nothing.
  struct Tail {
    double median;
    double p9999;
    double interrupted;  // share of the loops that took half as long again as they should
  };
  Tail tail() const;

  /// Whether every packet was forwarded: a path that drops is fast without doing its work.
  bool forwarded_all() const noexcept;

 private:
  Balancer balancer_;
  balance::SnapshotView view_;
  PacketWindow window_;
  balance::VectorLevel level_;
  balance::ProcessBurst process_;
  uint64_t windows_ = 0;
  std::vector<double> path_, baseline_, above_;
  std::array<std::vector<double>, kStages.size()> stages_;
  HdrHistogram bursts_{1'000'000'000, 4};
  HdrHistogram idle_{1'000'000'000, 4};
};

}  // namespace warmswap::perf
