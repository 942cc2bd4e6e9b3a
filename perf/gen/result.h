// What a run found out. Plain values: the JSON, the table and the page are made from them. Times of arrival count from
// the start of the run, which is also given on the system's clocks so that events elsewhere can be laid beside them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "perf/gen/checker.h"
#include "perf/gen/traffic.h"
#include "perf/stats/hdr_histogram.h"
#include "perf/stats/steal.h"

namespace warmswap::gen {

struct Conditions {
  std::string transmit_device;
  std::string receive_device;
  std::string replay;  // capture file, empty = streams
  std::vector<uint32_t> cores;
  bool hugepages = false;
  double tsc_hz = 0;
  std::string processor;  // its model, empty = not known
  std::string kernel;     // its release
  uint32_t burst = 0;
  uint64_t seed = 0;
  std::chrono::nanoseconds start_realtime{};   // CLOCK_REALTIME
  std::chrono::nanoseconds start_monotonic{};  // CLOCK_MONOTONIC
};

struct StreamResult {
  std::string name;
  uint64_t transmitted = 0;
  StreamTally tally;
  uint64_t lost() const noexcept { return transmitted > tally.received ? transmitted - tally.received : 0; }
};

struct BackendResult {
  std::string name;  // "ipip 192.0.2.11"
  BackendTally tally;
  double share = 0;
  std::chrono::nanoseconds first{};  // since the start of the run
  std::chrono::nanoseconds last{};
  std::vector<uint32_t> timeline;  // packets by interval
};

struct Limits {
  double loss = 0;  // share of the transmitted packets that may be lost
  uint64_t misrouted_flows = 0;
};

struct RunResult {
  Conditions conditions;
  std::vector<StreamConfig> traffic;
  std::chrono::nanoseconds duration{};  // of transmitting, as it was
  bool interrupted = false;

  double offered_rate = 0;   // packets/s as scheduled; infinite without pacing
  uint64_t offered = 0;      // departures that fell due
  uint64_t transmitted = 0;  // handed to the device
  uint64_t transmitted_bytes = 0;
  uint64_t refused = 0;  // given up because the device took no packets when they were due: lost
  uint64_t skipped = 0;  // given up because the generator was late
  uint64_t late = 0;     // left more than the lateness bound behind schedule
  uint64_t blocked = 0;  // times the device took less than it was given
  perf::HdrHistogram inter_departure{kHighestLatencyNs, kLatencyDigits};
  perf::HdrHistogram lateness{kHighestLatencyNs, kLatencyDigits};

  uint64_t frames = 0;  // everything that arrived
  uint64_t corrupt = 0;
  uint64_t foreign = 0;
  uint64_t stale = 0;
  uint64_t beyond = 0;        // ours, with a number that was not sent in what is checked
  uint64_t device_drops = 0;  // what the receiving device says it had no room for
  uint64_t overruns = 0;      // times the receiver found a whole queue waiting
  std::vector<StreamResult> streams;
  std::vector<BackendResult> backends;
  std::chrono::nanoseconds interval{};
  std::vector<uint32_t> transmitted_timeline;
  perf::CpuUse cpu_use;               // of our cores, as the hypervisor tells
  std::chrono::nanoseconds waited{};  // how long other processes kept one of our lcores from running
  bool flow_table = true;
  bool signed_packets = true;  // false for a replayed capture: only loss, corruption and shares are known

  bool follows_flows() const noexcept { return flow_table && signed_packets; }
  double seconds() const noexcept { return std::chrono::duration<double>(duration).count(); }
  double transmitted_rate() const noexcept { return seconds() > 0 ? static_cast<double>(transmitted) / seconds() : 0; }
  double received_rate() const noexcept { return seconds() > 0 ? static_cast<double>(received()) / seconds() : 0; }
  double waited_share() const noexcept {
    return seconds() > 0 ? std::chrono::duration<double>(waited).count() / seconds() : 0;
  }
  uint64_t received() const noexcept;
  /// Transmitted, and not received.
  uint64_t lost() const noexcept;
  /// Of what the generator was ready to send in time: lost or refused.
  double loss_ratio() const noexcept;
  StreamTally total() const;
};

struct Verdict {
  bool ok = true;                     // nothing is known against the balancer
  bool measured = true;               // false: neither is anything for it, and a warning says why
  bool generator_limited = false;     // the generator left out packets that it should have sent
  bool noisy = false;                 // the hypervisor took time away from our cores
  std::vector<std::string> reasons;   // why it is not ok, a sentence each
  std::vector<std::string> warnings;  // what to know before believing the figures
};

/// When the hypervisor or other processes had more than this share of our cores' time, a result is noisy.
inline constexpr double kNoisyShare = 0.01;
/// Below this share of the offered packets the generator was the limit.
inline constexpr double kReachedRate = 0.999;

Verdict judge(const RunResult& result, const Limits& limits);

}  // namespace warmswap::gen
