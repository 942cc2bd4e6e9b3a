// Judges what comes back from the balancer: loss, duplication, reordering, corruption, misrouting, shares and latency.
// One thread; check() is allocation-free. Memory: 8 bytes for each flow of each stream, unless the flow table is off.
//
// What each count means:
//   received      different packets of this run, each counted once
//   duplicated    a packet that had come before (looked for among the last 2^20 of its stream)
//   too old       more than 2^20 packets behind: a late packet or a late copy, which is not known any more
//   reordered     came after a later packet of the same flow
//   corrupt       ours by its signature or not to be told, with a wrong checksum, or with addresses or ports that do
//   not
//                 belong to the flow it names
//   beyond        ours, with a sequence number that was not sent, where that is known
//   foreign       whole, but not ours: ARP, neighbour discovery, other hosts' traffic
//   stale         ours, scheduled before this run began: late from the run before
//   misrouted     flows (connections, for life cycles) whose packets came to more than one backend; backend changes
//                 counts how often two successive packets of a flow came to different ones
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/contract/layout.h"
#include "dataplane/contract/result.h"
#include "perf/gen/backend_table.h"
#include "perf/gen/decode.h"
#include "perf/gen/flow_space.h"
#include "perf/gen/sequence_window.h"
#include "perf/gen/signature.h"
#include "perf/gen/traffic.h"
#include "perf/gen/zeroed_array.h"
#include "perf/stats/hdr_histogram.h"

namespace warmswap::gen {

/// Latencies are recorded in nanoseconds up to a minute, with three digits.
inline constexpr uint64_t kHighestLatencyNs = 60'000'000'000;
inline constexpr int kLatencyDigits = 3;

struct CheckerOptions {
  bool flow_table = true;      // without: no reordering, no misrouting
  bool replay = false;         // packets carry no signature: all that decode count as received
  std::vector<uint64_t> sent;  // packets of each stream, where they are known; empty = not
  uint16_t gue_port = kGuePort;
  double hz = 1e9;                      // of the clock of departures and arrivals
  std::chrono::nanoseconds interval{};  // of the timeline
  uint32_t intervals = 1;               // of the timeline; what comes later counts in the last
};

struct StreamTally {
  uint64_t received = 0;
  uint64_t bytes = 0;        // of the innermost IP packets
  uint64_t frame_bytes = 0;  // of the frames as they arrived, tunnel included, without FCS
  uint64_t duplicated = 0;
  uint64_t too_old = 0;
  uint64_t reordered = 0;
  uint64_t backend_changes = 0;
  uint64_t misrouted_flows = 0;
  perf::HdrHistogram latency{kHighestLatencyNs, kLatencyDigits};
};

struct BackendTally {
  uint64_t packets = 0;
  uint64_t bytes = 0;  // of the innermost IP packets
  uint64_t first = 0;  // clock, of the first and the last packet
  uint64_t last = 0;
};

struct ArrivedFrame {
  const uint8_t* data = nullptr;
  uint32_t length = 0;
};

class Checker {
 public:
  static constexpr size_t kBurst = 64;

  static contract::Result<std::unique_ptr<Checker>> make(const TrafficConfig& traffic, const CheckerOptions& options);

  /// The clock when the run begins; before the first check().
  void begin(uint64_t start) noexcept { start_ = start; }
  /// At most kBurst frames that arrived at `now`.
  void check(std::span<const ArrivedFrame> frames, uint64_t now) noexcept;

  /// Any thread may read this one while check() runs.
  uint64_t received() const noexcept { return received_.get(); }

  // The rest is for after the last check().
  const std::vector<StreamTally>& streams() const noexcept { return tallies_; }
  const BackendTable& backends() const noexcept { return backends_; }
  const BackendTally& backend(uint32_t number) const noexcept { return backend_tallies_[number]; }
  /// Packets of a backend by interval of the timeline.
  std::span<const uint32_t> timeline(uint32_t backend) const noexcept {
    return timeline_.part(size_t{backend} * options_.intervals, options_.intervals);
  }
  uint64_t frames() const noexcept { return frames_; }
  uint64_t corrupt() const noexcept { return corrupt_; }
  uint64_t foreign() const noexcept { return foreign_; }
  uint64_t stale() const noexcept { return stale_; }
  uint64_t beyond() const noexcept { return beyond_; }

 private:
  /// All zero: no packet seen.
  struct FlowEntry {
    uint32_t last_sequence;
    uint16_t backend;     // number + 1
    uint16_t generation;  // with kMisrouted
  };
  static constexpr uint16_t kMisrouted = 0x8000;
  struct Arrival {
    Decoded decoded;
    Signature signature;
    FlowSpace::Flow flow;
    uint32_t frame_bytes = 0;
    FlowEntry* entry = nullptr;
  };

  Checker(const TrafficConfig& traffic, const CheckerOptions& options);
  /// False when the frame was counted as something else than a packet of this run.
  bool identify(Arrival& arrival, uint64_t now) noexcept;
  bool read_signature_of(const Decoded& decoded, Signature& signature, bool& compact) const noexcept;
  void judge(Arrival& arrival, uint64_t now) noexcept;
  void judge_flow(const Arrival& arrival, uint32_t backend, StreamTally& tally) noexcept;
  void count_at_backend(const Arrival& arrival, uint32_t backend, uint64_t now) noexcept;

  CheckerOptions options_;
  uint64_t key_;
  double ns_per_tick_;
  double intervals_per_tick_;
  uint64_t start_ = 0;
  std::vector<FlowSpace> spaces_;
  std::vector<ZeroedArray<FlowEntry>> flows_;  // by stream; empty where flows are not followed
  std::vector<SequenceWindow> windows_;
  std::vector<StreamTally> tallies_;
  BackendTable backends_;
  std::vector<BackendTally> backend_tallies_;
  ZeroedArray<uint32_t> timeline_;  // [backend][interval]
  contract::Counter received_;
  uint64_t frames_ = 0;
  uint64_t corrupt_ = 0;
  uint64_t foreign_ = 0;
  uint64_t stale_ = 0;
  uint64_t beyond_ = 0;
};

}  // namespace warmswap::gen
