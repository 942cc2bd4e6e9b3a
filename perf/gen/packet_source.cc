#include "perf/gen/packet_source.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace warmswap::gen {

using contract::Error;
using contract::Result;

namespace {

/// Departures without pacing still need an order between streams; any rate far above a core's will do.
constexpr double kUnpacedRate = 1e9;

}  // namespace

Result<std::unique_ptr<StreamSource>> StreamSource::make(const TrafficConfig& traffic) {
  auto source = std::make_unique<StreamSource>();
  source->configs_ = traffic.streams;
  for (uint32_t i = 0; i < traffic.streams.size(); ++i) {
    auto stream = Stream::make(traffic.streams[i],
                               {.index = i,
                                .seed = traffic.seed,
                                .source_mac = traffic.source_mac.value_or(contract::MacAddress{0x02, 0, 0, 0, 0, 0x02}),
                                .destination_mac = traffic.destination_mac});
    if (!stream) return Error{stream.error()};
    source->streams_.push_back(std::move(*stream));
  }
  if (source->streams_.empty()) return Error{"no stream to send: describe one by options or in a profile"};
  return source;
}

std::vector<double> StreamSource::stream_rates(double rate) const {
  double weights = 0;
  for (const StreamConfig& config : configs_) weights += config.fixed_rate ? 0 : config.weight;
  std::vector<double> rates;
  for (const StreamConfig& config : configs_) {
    rates.push_back(config.fixed_rate ? *config.fixed_rate : rate * config.weight / weights);
  }
  return rates;
}

void StreamSource::start(uint64_t at, double rate, double hz) {
  departures_.emplace(at, stream_rates(std::isinf(rate) ? kUnpacedRate : rate), hz);
}

uint32_t StreamSource::largest_frame() const noexcept {
  uint32_t largest = 0;
  for (const Stream& stream : streams_) largest = std::max(largest, stream.largest_frame());
  return largest;
}

double StreamSource::mean_frame() const noexcept {
  const std::vector<double> rates = stream_rates(kUnpacedRate);
  double bytes = 0;
  double packets = 0;
  for (size_t i = 0; i < streams_.size(); ++i) {
    bytes += streams_[i].mean_frame() * rates[i];
    packets += rates[i];
  }
  return bytes / packets;
}

double StreamSource::total_rate(double rate) const noexcept {
  double total = 0;
  for (const double one : stream_rates(rate)) total += one;
  return total;
}

Result<std::unique_ptr<CaptureSource>> CaptureSource::make(Capture capture, bool own_times) {
  if (capture.frames.empty()) return Error{"the capture to replay has no frame"};
  return std::unique_ptr<CaptureSource>(new CaptureSource(std::move(capture), own_times));
}

void CaptureSource::start(uint64_t at, double rate, double hz) {
  next_ = 0;
  hz_ = hz;
  round_start_ = at;
  own_due_ = at;
  clock_.emplace(at, std::isinf(rate) ? kUnpacedRate : rate, hz);
}

/// From the first frame of a round to the first of the next: as far behind the last one as the mean distance.
double CaptureSource::period_seconds() const noexcept {
  const auto frames = static_cast<double>(capture_.frames.size());
  const std::chrono::duration<double> span = capture_.frames.back().time - capture_.frames.front().time;
  constexpr double kLeast = 1e-6;
  return std::max(frames > 1 ? span.count() * frames / (frames - 1) : 1.0, kLeast);
}

void CaptureSource::advance() noexcept {
  if (++next_ == capture_.frames.size()) {
    next_ = 0;
    round_start_ += static_cast<uint64_t>(period_seconds() * hz_);
  }
  const std::chrono::duration<double> since = capture_.frames[next_].time - capture_.frames.front().time;
  // A capture may have frames out of order: those leave at once.
  const double ticks = std::max(since.count(), 0.0) * hz_;
  own_due_ = std::max(own_due_, round_start_ + static_cast<uint64_t>(ticks));
  clock_->advance();
}

WrittenFrame CaptureSource::write(uint8_t* to, uint64_t) noexcept {
  const Capture::Frame& frame = capture_.frames[next_];
  std::memcpy(to, capture_.bytes.data() + frame.offset, frame.length);
  advance();
  return {frame.length, 0};
}

uint64_t CaptureSource::skip_to(uint64_t time) noexcept {
  uint64_t skipped = 0;
  for (; due() < time; ++skipped) advance();
  return skipped;
}

uint32_t CaptureSource::largest_frame() const noexcept {
  uint32_t largest = 0;
  for (const Capture::Frame& frame : capture_.frames) largest = std::max(largest, frame.length);
  return largest;
}

double CaptureSource::mean_frame() const noexcept {
  double bytes = 0;
  for (const Capture::Frame& frame : capture_.frames) bytes += frame.length;
  return bytes / static_cast<double>(capture_.frames.size());
}

double CaptureSource::total_rate(double rate) const noexcept {
  return own_times_ ? static_cast<double>(capture_.frames.size()) / period_seconds() : rate;
}

}  // namespace warmswap::gen
