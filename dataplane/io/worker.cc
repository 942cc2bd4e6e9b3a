#include "dataplane/io/worker.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_pause.h>
#include <time.h>

#include <algorithm>
#include <bit>

namespace warmswap::io {
namespace {

using contract::DropReason;

static_assert(kReceiveBurst <= balance::kBurstPackets);

/// Of what would leave by a port that this dataplane does not have.
constexpr DropReason kPortAbsent = DropReason::next_hop_unresolved;

/// Ticks a second: a worker silent for 100 ms is an alarm, so it speaks twice as often.
constexpr uint64_t kTicksPerSecond = 20;
static_assert(kTicksPerSecond >= balance::Handshakes::kSweeps);
/// How often a busy worker asks the taps: each question is a system call that costs as much as some ten packets. At
/// every burst it took 40 % of the worker's time. While the kernel sends, a full burst this often is 1.6 million
/// packets a second; while it does not, the time doubles up to kMostRelay times.
constexpr uint64_t kRelayMicroseconds = 20;
constexpr uint64_t kMostRelay = 32;
/// A busy worker reads the clock this seldom: it costs as much as half a packet a burst. Full bursts come every
/// microsecond or two, so what waits for the clock waits some ten microseconds longer.
constexpr uint32_t kBusyLoopsPerClock = 8;
/// How long a worker that may back off spins before its first sleep, and how long it sleeps as the silence goes on.
constexpr uint64_t kSpinMicroseconds = 50;
constexpr long kShortSleepNs = 20'000;
constexpr long kLongSleepNs = 200'000;

void sleep_ns(long ns) noexcept {
  const timespec duration{0, ns};
  nanosleep(&duration, nullptr);
}

}  // namespace

Worker::Worker(WorkerSetup setup, const contract::Segment& segment)
    : setup_(std::move(setup)),
      reader_(segment.base(), segment.header(), segment.worker(setup_.index).quiescence),
      region_(segment.worker(setup_.index)),
      base_(segment.base()),
      geometry_(segment.geometry()),
      handshakes_(rte_get_tsc_hz()),
      tick_cycles_(rte_get_tsc_hz() / kTicksPerSecond),
      least_relay_cycles_(rte_get_tsc_hz() / 1'000'000 * kRelayMicroseconds) {
  for (uint32_t port = 0; port < contract::kPortCapacity; ++port) {
    if (setup_.egress[port].present) egress_ports_ |= uint32_t{1} << port;
  }
  region_.totals.cpu.store(setup_.cpu, std::memory_order_relaxed);
  region_.totals.tick_ns.store(contract::monotonic_ns(), std::memory_order_relaxed);
}

void Worker::run() noexcept {
  reader_.online();
  while (!stop_.load(std::memory_order_relaxed)) {
    bool changed = false;
    const contract::SnapshotRoot* root = reader_.acquire(changed);
    if (changed) snapshot_ = balance::SnapshotView(base_, root);
    uint32_t received = 0;
    for (const ReceiveQueue& queue : setup_.from_wire) received += poll_wire(queue);
    region_.totals.loops.add(1);
    if (received > 0 && ++loops_since_clock_ < kBusyLoopsPerClock) [[likely]] {
      idle_since_ = 0;
      continue;
    }
    loops_since_clock_ = 0;
    const uint64_t now = rte_rdtsc();
    if (received == 0 || now >= next_relay_) received += relay(now);
    housekeep(received == 0, now);
  }
  reader_.offline();
}

uint16_t Worker::poll_wire(const ReceiveQueue& queue) noexcept {
  std::array<rte_mbuf*, kReceiveBurst> buffers;
  const uint16_t count = rte_eth_rx_burst(queue.port, queue.queue, buffers.data(), kReceiveBurst);
  if (count == 0) return 0;
  const std::span<rte_mbuf*> burst(buffers.data(), count);
  const balance::Outcome outcome = process_(snapshot_, burst, ledger_);
  if (outcome.forwarded < count || !std::has_single_bit(outcome.ports)) {
    dispatch(burst, queue.index);
  } else if ((outcome.ports & egress_ports_) != 0) [[likely]] {
    const auto port = static_cast<size_t>(std::countr_zero(outcome.ports));
    transmit(setup_.egress[port].wire, burst, DropReason::transmit_queue_full);
  } else {
    for (rte_mbuf* buffer : burst) drop(buffer, kPortAbsent);
  }
  return count;
}

void Worker::dispatch(std::span<rte_mbuf*> buffers, uint8_t received_on) noexcept {
  uint32_t touched = 0;  // ports with a batch to send
  for (rte_mbuf* buffer : buffers) {
    const Decision decision = decision_of(*buffer);
    const uint32_t port = uint32_t{1} << decision.port;
    if (decision.verdict != packet::Verdict::forward || (port & egress_ports_) == 0) {
      keep(buffer, decision, received_on);
      continue;
    }
    Batch& batch = to_wire_[decision.port];
    batch.packets[batch.count++] = buffer;
    touched |= port;
  }
  for (; touched != 0; touched &= touched - 1) {
    const auto port = static_cast<size_t>(std::countr_zero(touched));
    flush(setup_.egress[port].wire, to_wire_[port], DropReason::transmit_queue_full);
  }
  flush(setup_.egress[received_on].kernel, to_kernel_, DropReason::exception_queue_full);
}

/// What is not sent on the wire.
void Worker::keep(rte_mbuf* buffer, Decision decision, uint8_t received_on) noexcept {
  if (decision.verdict == packet::Verdict::forward) {
    drop(buffer, kPortAbsent);
  } else if (decision.verdict == packet::Verdict::drop) {
    rte_pktmbuf_free(buffer);  // counted by the path
  } else if (!setup_.egress[received_on].has_kernel) {
    drop(buffer, decision.reason);
  } else {
    to_kernel_.packets[to_kernel_.count++] = buffer;
  }
}

/// Asks the taps, and decides when a busy worker will ask them again.
uint32_t Worker::relay(uint64_t now) noexcept {
  uint32_t received = 0;
  for (const ReceiveQueue& queue : setup_.from_kernel) received += relay_from_kernel(queue);
  relay_cycles_ = received > 0 ? least_relay_cycles_
                               : std::clamp(2 * relay_cycles_, least_relay_cycles_, kMostRelay * least_relay_cycles_);
  next_relay_ = now + relay_cycles_;
  return received;
}

uint16_t Worker::relay_from_kernel(const ReceiveQueue& queue) noexcept {
  Batch batch;
  batch.count = rte_eth_rx_burst(queue.port, queue.queue, batch.packets.data(), kReceiveBurst);
  const uint16_t count = batch.count;
  flush(setup_.egress[queue.index].wire, batch, DropReason::transmit_queue_full);
  return count;
}

void Worker::transmit(const TransmitQueue& queue, std::span<rte_mbuf*> buffers, DropReason when_full) noexcept {
  if (queue.shared != nullptr) rte_spinlock_lock(queue.shared);
  const uint16_t sent =
      rte_eth_tx_burst(queue.port, queue.queue, buffers.data(), static_cast<uint16_t>(buffers.size()));
  if (queue.shared != nullptr) rte_spinlock_unlock(queue.shared);
  for (rte_mbuf* buffer : buffers.subspan(sent)) drop(buffer, when_full);
}

void Worker::flush(const TransmitQueue& queue, Batch& batch, DropReason when_full) noexcept {
  if (batch.count > 0) transmit(queue, {batch.packets.data(), batch.count}, when_full);
  batch.count = 0;
}

void Worker::drop(rte_mbuf* buffer, DropReason reason) noexcept {
  region_.drops[static_cast<size_t>(reason)].add(1);
  rte_pktmbuf_free(buffer);
}

void Worker::housekeep(bool idle, uint64_t now) noexcept {
  if (now >= next_tick_) {
    next_tick_ = now + tick_cycles_;
    region_.totals.tick_ns.store(contract::monotonic_ns(), std::memory_order_relaxed);
    handshakes_.sweep(now, region_.handshakes(geometry_));
  }
  if (!idle) {
    idle_since_ = 0;
    return;
  }
  region_.totals.idle_loops.add(1);
  if (idle_since_ == 0) idle_since_ = now;
  if (setup_.idle == Idle::poll) {
    rte_pause();
    return;
  }
  const uint64_t spin = rte_get_tsc_hz() / 1'000'000 * kSpinMicroseconds;
  const uint64_t idle_for = now - idle_since_;
  if (idle_for > 20 * spin) {
    sleep_ns(kLongSleepNs);
  } else if (idle_for > spin) {
    sleep_ns(kShortSleepNs);
  }
}

}  // namespace warmswap::io
