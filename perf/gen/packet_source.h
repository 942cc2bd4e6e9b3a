// Where a transmitter gets its packets and their departure times from: the streams of a traffic, or a capture. All
// times are of one clock of `hz` (the TSC, when packets really move). One thread; after start() nothing allocates.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "dataplane/contract/result.h"
#include "perf/gen/departures.h"
#include "perf/gen/pcap.h"
#include "perf/gen/stream.h"
#include "perf/gen/traffic.h"

namespace warmswap::gen {

struct WrittenFrame {
  uint32_t length = 0;
  uint32_t stream = 0;
};

class PacketSource {
 public:
  virtual ~PacketSource() = default;
  /// Begins anew. `rate`: packets a second; infinite = no pacing, due() then only orders the streams.
  virtual void start(uint64_t at, double rate, double hz) = 0;
  /// When the next packet is due.
  virtual uint64_t due() const noexcept = 0;
  /// Writes the packet that is due next, stamped with `departure`, and goes on to the one after it.
  virtual WrittenFrame write(uint8_t* to, uint64_t departure) noexcept = 0;
  /// Leaves out the departures before `time`; they use up no sequence numbers. Returns how many.
  virtual uint64_t skip_to(uint64_t time) noexcept = 0;
  /// Room that write() needs.
  virtual uint32_t largest_frame() const noexcept = 0;
  /// Mean length of the frames without FCS.
  virtual double mean_frame() const noexcept = 0;
  /// What is offered in all, with streams whose rate is fixed, when the others are given `rate`.
  virtual double total_rate(double rate) const noexcept = 0;
};

/// The streams of a traffic.
class StreamSource final : public PacketSource {
 public:
  static contract::Result<std::unique_ptr<StreamSource>> make(const TrafficConfig& traffic);

  void start(uint64_t at, double rate, double hz) override;
  uint64_t due() const noexcept override { return departures_->time(); }
  WrittenFrame write(uint8_t* to, uint64_t departure) noexcept override {
    const uint32_t stream = departures_->stream();
    departures_->advance();
    return {streams_[stream].next(to, departure), stream};
  }
  uint64_t skip_to(uint64_t time) noexcept override { return departures_->skip_to(time); }
  uint32_t largest_frame() const noexcept override;
  double mean_frame() const noexcept override;
  double total_rate(double rate) const noexcept override;

 private:
  std::vector<double> stream_rates(double rate) const;

  std::vector<StreamConfig> configs_;
  std::vector<Stream> streams_;
  std::optional<Departures> departures_;
};

/// The frames of a capture as they are, over and over.
class CaptureSource final : public PacketSource {
 public:
  /// `own_times`: at the distances the capture has, and start()'s rate is not used. A capture without frames is
  /// refused.
  static contract::Result<std::unique_ptr<CaptureSource>> make(Capture capture, bool own_times);

  void start(uint64_t at, double rate, double hz) override;
  uint64_t due() const noexcept override { return own_times_ ? own_due_ : clock_->next(); }
  WrittenFrame write(uint8_t* to, uint64_t departure) noexcept override;
  uint64_t skip_to(uint64_t time) noexcept override;
  uint32_t largest_frame() const noexcept override;
  double mean_frame() const noexcept override;
  double total_rate(double rate) const noexcept override;

 private:
  CaptureSource(Capture capture, bool own_times) : capture_(std::move(capture)), own_times_(own_times) {}
  double period_seconds() const noexcept;
  void advance() noexcept;

  Capture capture_;
  bool own_times_;
  size_t next_ = 0;
  uint64_t round_start_ = 0;
  double hz_ = 1;
  uint64_t own_due_ = 0;
  std::optional<DepartureClock> clock_;
};

}  // namespace warmswap::gen
