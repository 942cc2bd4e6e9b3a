#include "perf/gen/transmitter.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <cmath>

#include "perf/gen/ticks.h"

namespace warmswap::gen {
namespace {

constexpr std::chrono::milliseconds kGrace{100};

}  // namespace

Transmitter::Transmitter(PacketSource& source, const TransmitterOptions& options)
    : source_(source),
      options_(options),
      paced_(!std::isinf(options.rate)),
      ns_per_tick_(1e9 / options.hz),
      catch_up_ticks_(to_ticks(options.catch_up, options.hz)),
      late_ticks_(to_ticks(options.late, options.hz)),
      grace_ticks_(to_ticks(kGrace, options.hz)),
      intervals_per_tick_(ns_per_tick_ / std::max(static_cast<double>(options.interval.count()), 1.0)),
      by_stream_(options.streams, 0),
      timeline_(options.intervals, 0) {}

Transmitter::~Transmitter() {
  for (uint16_t i = sent_; i < stocked_; ++i) rte_pktmbuf_free(buffers_[i]);
}

void Transmitter::begin(uint64_t start) {
  start_ = start;
  end_.store(start + to_ticks(options_.duration, options_.hz), std::memory_order_relaxed);
  source_.start(start, options_.rate, options_.hz);
}

bool Transmitter::poll() noexcept {
  const uint64_t now = rte_rdtsc();
  if (now < start_) return true;
  if (sent_ == filled_) {
    if (now >= end() && (!paced_ || source_.due() >= end())) return false;
    build(now);
    if (sent_ == filled_) return true;
  } else if (now > end() + grace_ticks_) {
    return give_up();
  }
  hand_over();
  return true;
}

/// Buffers for a whole burst. False when the pool has none: the device holds them all.
bool Transmitter::refill() noexcept {
  sent_ = 0;
  filled_ = 0;
  if (rte_pktmbuf_alloc_bulk(options_.pool, buffers_.data(), options_.burst) != 0) {
    stocked_ = 0;
    note_refusal();
    return false;
  }
  stocked_ = options_.burst;
  return true;
}

void Transmitter::build(uint64_t now) noexcept {
  if (paced_) {
    if (source_.due() > now) {
      overdue_.caught_up();
      return;
    }
    if (now - source_.due() > catch_up_ticks_) overdue_.give_up(source_, std::min(now - catch_up_ticks_, end()));
  }
  if (filled_ == stocked_ && !refill()) return;
  const uint64_t until = std::min(now + 1, end());
  while (filled_ < stocked_ && (!paced_ || source_.due() < until)) {
    rte_mbuf* buffer = buffers_[filled_];
    const uint64_t due = paced_ ? source_.due() : now;
    const WrittenFrame written = source_.write(rte_pktmbuf_mtod(buffer, uint8_t*), due);
    buffer->data_len = static_cast<uint16_t>(written.length);
    buffer->pkt_len = written.length;
    stream_of_[filled_] = static_cast<uint8_t>(written.stream);
    due_[filled_] = due;
    ++filled_;
  }
}

void Transmitter::note_refusal() noexcept {
  // Counted once for each time it stops taking packets, not for each of the many tries that follow.
  if (!was_blocked_) ++blocked_;
  was_blocked_ = true;
  overdue_.refusal(rte_rdtsc());
}

void Transmitter::hand_over() noexcept {
  const auto offered = static_cast<uint16_t>(filled_ - sent_);
  // The lengths are gone once the device has the packets.
  std::array<uint16_t, kMaxBurst> lengths;
  for (uint16_t i = 0; i < offered; ++i) lengths[i] = buffers_[sent_ + i]->data_len;
  const uint16_t taken = rte_eth_tx_burst(options_.port, 0, buffers_.data() + sent_, offered);
  for (uint16_t i = 0; i < taken; ++i) bytes_ += lengths[i];
  if (taken < offered) {
    note_refusal();
  } else {
    was_blocked_ = false;
  }
  if (taken > 0) account(taken);
}

/// `count` packets have just left.
void Transmitter::account(uint16_t count) noexcept {
  const uint64_t now = rte_rdtsc();
  if (last_departure_ != 0) inter_departure_.record(ns(now - last_departure_));
  inter_departure_.record(0, count - 1u);
  last_departure_ = now;
  for (uint16_t i = sent_; i < sent_ + count; ++i) {
    ++by_stream_[stream_of_[i]];
    if (!paced_) continue;
    const uint64_t behind = now - due_[i];
    lateness_.record(ns(behind));
    late_ += behind > late_ticks_ ? 1 : 0;
  }
  const auto interval = static_cast<uint64_t>(static_cast<double>(now - start_) * intervals_per_tick_);
  timeline_[std::min<uint64_t>(interval, timeline_.size() - 1)] += count;
  sent_ = static_cast<uint16_t>(sent_ + count);
  transmitted_.add(count);
}

/// The device takes nothing any more, and the time is over.
bool Transmitter::give_up() noexcept {
  if (paced_) {
    overdue_.left_over(static_cast<uint64_t>(filled_ - sent_));
    overdue_.give_up(source_, end());
  }
  return false;
}

}  // namespace warmswap::gen
