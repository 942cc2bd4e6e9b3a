#include "perf/gen/checker.h"

#include <fmt/format.h>

#include <algorithm>

#include "perf/gen/stream.h"

namespace warmswap::gen {

using contract::Error;
using contract::Result;

Result<std::unique_ptr<Checker>> Checker::make(const TrafficConfig& traffic, const CheckerOptions& options) {
  std::unique_ptr<Checker> checker(new Checker(traffic, options));
  for (uint32_t i = 0; i < traffic.streams.size(); ++i) {
    const StreamConfig& stream = traffic.streams[i];
    auto space = make_flow_space(stream, i, traffic.seed);
    if (!space) return Error{space.error()};
    const bool remembered = options.flow_table && stream.choice != Choice::fresh;
    checker->flows_.emplace_back(remembered ? space->flows() : 0, true);
    if (const auto& flows = checker->flows_.back(); remembered && !flows) {
      return Error{fmt::format("stream {}: no memory for a table of {} flows ({} MiB): use --no-flow-table",
                               stream.name, space->flows(), flows.bytes() >> 20)};
    }
    checker->spaces_.push_back(std::move(*space));
  }
  const size_t counts = (size_t{BackendTable::kCapacity} + 1) * options.intervals;
  checker->timeline_ = ZeroedArray<uint32_t>(counts, false);
  if (!checker->timeline_) {
    return Error{fmt::format("no memory for a timeline of {} intervals: choose longer ones", options.intervals)};
  }
  return checker;
}

Checker::Checker(const TrafficConfig& traffic, const CheckerOptions& options)
    : options_(options),
      key_(signature_key(traffic.seed)),
      ns_per_tick_(1e9 / options.hz),
      intervals_per_tick_(ns_per_tick_ / std::max(static_cast<double>(options.interval.count()), 1.0)),
      windows_(traffic.streams.size()),
      tallies_(std::max<size_t>(traffic.streams.size(), 1)),
      backend_tallies_(BackendTable::kCapacity + 1) {}

void Checker::check(std::span<const ArrivedFrame> frames, uint64_t now) noexcept {
  std::array<Arrival, kBurst> arrivals;
  size_t kept = 0;
  for (const ArrivedFrame& frame : frames) __builtin_prefetch(frame.data);
  for (const ArrivedFrame& frame : frames) {
    Arrival& arrival = arrivals[kept];
    arrival = {};
    arrival.frame_bytes = frame.length;
    arrival.decoded = decode(frame.data, frame.length, options_.gue_port);
    if (!identify(arrival, now)) continue;
    if (arrival.entry != nullptr) __builtin_prefetch(arrival.entry, 1);
    ++kept;
  }
  for (size_t i = 0; i < kept; ++i) judge(arrivals[i], now);
  frames_ += frames.size();
}

bool Checker::read_signature_of(const Decoded& decoded, Signature& signature, bool& compact) const noexcept {
  compact = decoded.payload_bytes < kSignatureBytes;
  if (!compact) return read_signature(decoded.payload, key_, signature);
  return !decoded.udp && read_compact_signature(decoded.transport, key_, signature);
}

bool Checker::identify(Arrival& arrival, uint64_t now) noexcept {
  const Decoded& decoded = arrival.decoded;
  const auto count = [](uint64_t& what) noexcept {
    ++what;
    return false;
  };
  if (decoded.status == DecodeStatus::corrupt) return count(corrupt_);
  if (decoded.status == DecodeStatus::foreign) return count(foreign_);
  if (options_.replay) return decoded.transport_checksum_right ? true : count(corrupt_);
  bool compact = false;
  Signature& signature = arrival.signature;
  const bool signed_by_us = read_signature_of(decoded, signature, compact) && signature.stream < spaces_.size();
  if (!decoded.transport_checksum_right) return count(corrupt_);
  if (!signed_by_us) return count(foreign_);
  const auto flow = spaces_[signature.stream].find(decoded.source, decoded.source_port(), decoded.destination,
                                                   decoded.destination_port());
  if (!flow || (!compact && (flow->index & kSignatureFlowMask) != signature.flow)) return count(corrupt_);
  if (compact) signature.departure = expand_departure(signature.departure, now);
  if (signature.departure < start_) return count(stale_);
  if (!options_.sent.empty() && signature.sequence >= options_.sent[signature.stream]) return count(beyond_);
  arrival.flow = *flow;
  ZeroedArray<FlowEntry>& flows = flows_[signature.stream];
  if (flows) arrival.entry = &flows[flow->index];
  return true;
}

void Checker::judge(Arrival& arrival, uint64_t now) noexcept {
  const Signature& signature = arrival.signature;
  StreamTally& tally = tallies_[signature.stream];
  if (!options_.replay) {
    switch (windows_[signature.stream].arrive(signature.sequence)) {
      case SequenceWindow::Outcome::duplicate:
        ++tally.duplicated;
        return;
      case SequenceWindow::Outcome::too_old:
        ++tally.too_old;
        return;
      case SequenceWindow::Outcome::fresh:
        break;
    }
    const uint64_t ticks = now > signature.departure ? now - signature.departure : 0;
    tally.latency.record(static_cast<uint64_t>(static_cast<double>(ticks) * ns_per_tick_));
  }
  ++tally.received;
  tally.bytes += arrival.decoded.ip_bytes;
  tally.frame_bytes += arrival.frame_bytes;
  received_.add(1);
  const uint32_t backend = backends_.number(arrival.decoded.backend);
  count_at_backend(arrival, backend, now);
  if (arrival.entry != nullptr) judge_flow(arrival, backend, tally);
}

void Checker::judge_flow(const Arrival& arrival, uint32_t backend, StreamTally& tally) noexcept {
  FlowEntry& entry = *arrival.entry;
  const auto generation = static_cast<uint16_t>(arrival.flow.generation);
  const uint32_t sequence = arrival.signature.sequence;
  const auto seen_at = static_cast<uint16_t>(backend + 1);
  if (entry.backend == 0) {
    entry = {sequence, seen_at, generation};
    return;
  }
  if (static_cast<int32_t>(sequence - entry.last_sequence) < 0) {
    ++tally.reordered;
  } else {
    entry.last_sequence = sequence;
  }
  if ((entry.generation & ~kMisrouted) != generation) {
    entry.generation = generation;  // another connection, free to go to another backend
  } else if (entry.backend != seen_at) {
    ++tally.backend_changes;
    if ((entry.generation & kMisrouted) == 0) ++tally.misrouted_flows;
    entry.generation |= kMisrouted;
  }
  entry.backend = seen_at;
}

void Checker::count_at_backend(const Arrival& arrival, uint32_t backend, uint64_t now) noexcept {
  BackendTally& tally = backend_tallies_[backend];
  if (tally.packets == 0) tally.first = now;
  tally.last = now;
  ++tally.packets;
  tally.bytes += arrival.decoded.ip_bytes;
  const double since = static_cast<double>(now > start_ ? now - start_ : 0);
  const uint64_t interval = static_cast<uint64_t>(since * intervals_per_tick_);
  ++timeline_[size_t{backend} * options_.intervals + std::min<uint64_t>(interval, options_.intervals - 1)];
}

}  // namespace warmswap::gen
