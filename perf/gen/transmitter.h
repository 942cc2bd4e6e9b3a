// Sends what a PacketSource has due, open loop, through one transmit queue. Everything runs on the lcore that calls
// poll(); transmitted() may be read by any thread. The hot path does not allocate.
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "dataplane/contract/layout.h"
#include "perf/gen/checker.h"
#include "perf/gen/overdue.h"
#include "perf/gen/packet_source.h"
#include "perf/stats/hdr_histogram.h"

namespace warmswap::gen {

struct TransmitterOptions {
  uint16_t port = 0;
  rte_mempool* pool = nullptr;
  uint32_t streams = 1;
  uint16_t burst = 32;  // packets handed over at once, at most Transmitter::kMaxBurst
  double rate = 0;      // infinite = as fast as the device takes them
  double hz = 0;        // of the TSC
  std::chrono::nanoseconds duration{};
  std::chrono::nanoseconds catch_up{};  // departures overdue for longer are given up: refused or skipped
  std::chrono::nanoseconds late{};      // departures behind schedule by more are counted as late
  std::chrono::nanoseconds interval{};  // of the timeline
  uint32_t intervals = 1;
};

class Transmitter {
 public:
  static constexpr uint16_t kMaxBurst = 64;

  Transmitter(PacketSource& source, const TransmitterOptions& options);
  Transmitter(const Transmitter&) = delete;
  Transmitter& operator=(const Transmitter&) = delete;
  /// Frees the buffers it holds.
  ~Transmitter();

  /// Departures begin at TSC `start`.
  void begin(uint64_t start);
  /// Sends at most one burst. False when the time is over and everything has left (or the device takes nothing more).
  bool poll() noexcept;
  /// No departure after `now`; any thread.
  void finish(uint64_t now) noexcept { end_.store(now, std::memory_order_relaxed); }

  uint64_t transmitted() const noexcept { return transmitted_.get(); }

  // After the last poll():
  uint64_t transmitted_bytes() const noexcept { return bytes_; }
  const std::vector<uint64_t>& transmitted_by_stream() const noexcept { return by_stream_; }
  /// Departures given up because the device took nothing when they were due, or until the end.
  uint64_t refused() const noexcept { return overdue_.refused(); }
  /// Departures given up because this thread was late.
  uint64_t skipped() const noexcept { return overdue_.skipped(); }
  uint64_t late() const noexcept { return late_; }
  uint64_t blocked() const noexcept { return blocked_; }
  uint64_t end() const noexcept { return end_.load(std::memory_order_relaxed); }
  const perf::HdrHistogram& inter_departure() const noexcept { return inter_departure_; }
  const perf::HdrHistogram& lateness() const noexcept { return lateness_; }
  const std::vector<uint32_t>& timeline() const noexcept { return timeline_; }

 private:
  bool refill() noexcept;
  void build(uint64_t now) noexcept;
  void hand_over() noexcept;
  void note_refusal() noexcept;
  void account(uint16_t count) noexcept;
  bool give_up() noexcept;
  uint64_t ns(uint64_t ticks) const noexcept {
    return static_cast<uint64_t>(static_cast<double>(ticks) * ns_per_tick_);
  }

  PacketSource& source_;
  const TransmitterOptions options_;
  const bool paced_;
  const double ns_per_tick_;
  const uint64_t catch_up_ticks_;
  const uint64_t late_ticks_;
  const uint64_t grace_ticks_;  // for what is built when the time is over
  const double intervals_per_tick_;
  uint64_t start_ = 0;
  std::atomic<uint64_t> end_{0};

  /// Empty buffers in [filled_, stocked_), built packets in [sent_, filled_).
  std::array<rte_mbuf*, kMaxBurst> buffers_{};
  std::array<uint8_t, kMaxBurst> stream_of_{};
  std::array<uint64_t, kMaxBurst> due_{};
  uint16_t sent_ = 0;
  uint16_t filled_ = 0;
  uint16_t stocked_ = 0;
  uint64_t last_departure_ = 0;

  contract::Counter transmitted_;
  uint64_t bytes_ = 0;
  Overdue overdue_;
  uint64_t late_ = 0;
  uint64_t blocked_ = 0;
  bool was_blocked_ = false;
  std::vector<uint64_t> by_stream_;
  std::vector<uint32_t> timeline_;
  perf::HdrHistogram inter_departure_{kHighestLatencyNs, kLatencyDigits};
  perf::HdrHistogram lateness_{kHighestLatencyNs, kLatencyDigits};
};

}  // namespace warmswap::gen
