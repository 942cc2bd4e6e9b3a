#include "perf/gen/capture_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "perf/gen/checker.h"
#include "perf/gen/collect.h"
#include "perf/gen/packet_source.h"
#include "perf/gen/pcap.h"

namespace warmswap::gen {
namespace {

using contract::Error;
using contract::Result;

constexpr double kHz = 1e9;
constexpr uint64_t kMostIntervals = 100'000;

/// Calls visit(frame, length, stream, departure) for each of the first `options.count` frames.
template <typename Visit>
Result<void> for_each_frame(const Options& options, Visit visit) {
  auto source = StreamSource::make(options.traffic);
  if (!source) return Error{source.error()};
  (*source)->start(0, options.run.rate, kHz);
  std::vector<uint8_t> frame((*source)->largest_frame());
  for (uint64_t i = 0; i < options.count; ++i) {
    const uint64_t departure = (*source)->due();
    const WrittenFrame written = (*source)->write(frame.data(), departure);
    if (auto visited = visit(frame.data(), written, departure); !visited) return visited;
  }
  return {};
}

}  // namespace

Result<void> write_pcap(const Options& options) {
  auto writer = CaptureWriter::create(options.file);
  if (!writer) return Error{writer.error()};
  auto written = for_each_frame(options, [&writer](const uint8_t* frame, const WrittenFrame& what, uint64_t departure) {
    return writer->write(frame, what.length, std::chrono::nanoseconds(static_cast<int64_t>(departure)));
  });
  if (!written) return written;
  return writer->close();
}

Result<RunResult> check_pcap(const Options& options) {
  auto capture = read_capture(options.file);
  if (!capture) return Error{capture.error()};
  RunResult result;
  std::vector<uint64_t> transmitted(options.traffic.streams.size(), 0);
  uint64_t last = 0;
  auto counted = for_each_frame(options, [&](const uint8_t*, const WrittenFrame& what, uint64_t departure) {
    ++transmitted[what.stream];
    result.transmitted_bytes += what.length;
    last = departure;
    return Result<void>();
  });
  if (!counted) return Error{counted.error()};

  // As long as the frames were being sent and a little more; what comes later counts in the last interval.
  const auto intervals = static_cast<uint32_t>(
      std::min<uint64_t>(last / static_cast<uint64_t>(options.run.interval.count()) + 2, kMostIntervals));
  auto checker = Checker::make(options.traffic, {.flow_table = options.run.flow_table,
                                                 .replay = false,
                                                 .sent = transmitted,
                                                 .gue_port = options.run.gue_port,
                                                 .hz = kHz,
                                                 .interval = options.run.interval,
                                                 .intervals = intervals});
  if (!checker) return Error{checker.error()};
  for (const Capture::Frame& frame : capture->frames) {
    const ArrivedFrame arrived{capture->bytes.data() + frame.offset, frame.length};
    (*checker)->check({&arrived, 1}, static_cast<uint64_t>(frame.time.count()));
  }
  result.conditions.receive_device = options.file;
  result.conditions.transmit_device = "write-pcap";
  result.conditions.seed = options.traffic.seed;
  result.conditions.tsc_hz = kHz;
  result.traffic = options.traffic.streams;
  result.duration = std::chrono::nanoseconds(static_cast<int64_t>(last));
  result.offered = options.count;
  result.transmitted = options.count;
  result.offered_rate = options.run.rate;
  result.interval = options.run.interval;
  result.flow_table = options.run.flow_table;
  collect_received(**checker, options.traffic, transmitted, 0, kHz, result);
  trim_timelines(result);
  return result;
}

}  // namespace warmswap::gen
