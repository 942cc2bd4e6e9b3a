// A poll-mode worker: receives bursts from its queues, runs the packet path under the current snapshot, transmits.
// Everything here runs on the worker's own lcore, except stop(), which any thread may call.
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/balance/pipeline.h"
#include "dataplane/contract/snapshot_reader.h"
#include "dataplane/io/mbuf_burst.h"
#include "dataplane/io/options.h"
#include "dataplane/io/port.h"

namespace warmswap::io {

/// Packets taken from a queue at once: what the drivers' vector paths like, and half of what the packet path takes
/// together.
inline constexpr uint16_t kReceiveBurst = 32;

struct ReceiveQueue {
  uint16_t port = 0;
  uint16_t queue = 0;
  uint8_t index = 0;  // into SegmentHeader::ports
};

/// Where a worker sends: one per port index. `kernel` is the port's exception tap, absent when it has none.
struct Egress {
  bool present = false;
  bool has_kernel = false;
  TransmitQueue wire;
  TransmitQueue kernel;
};

struct WorkerSetup {
  uint32_t index = 0;
  uint32_t cpu = 0;
  Idle idle = Idle::poll;
  std::vector<ReceiveQueue> from_wire;
  std::vector<ReceiveQueue> from_kernel;  // taps this worker relays to the wire
  std::array<Egress, contract::kPortCapacity> egress{};
};

class Worker {
 public:
  Worker(WorkerSetup setup, const contract::Segment& segment);

  /// Until stop(); then the worker is offline and holds no snapshot.
  void run() noexcept;
  void stop() noexcept { stop_.store(true, std::memory_order_relaxed); }

 private:
  /// Packets of one burst waiting for one transmit call.
  struct Batch {
    uint16_t count = 0;
    std::array<rte_mbuf*, kReceiveBurst> packets;
  };

  uint16_t poll_wire(const ReceiveQueue& queue) noexcept;
  uint32_t relay(uint64_t now) noexcept;
  uint16_t relay_from_kernel(const ReceiveQueue& queue) noexcept;
  void dispatch(std::span<rte_mbuf*> buffers, uint8_t received_on) noexcept;
  void keep(rte_mbuf* buffer, Decision decision, uint8_t received_on) noexcept;
  void transmit(const TransmitQueue& queue, std::span<rte_mbuf*> buffers, contract::DropReason when_full) noexcept;
  void flush(const TransmitQueue& queue, Batch& batch, contract::DropReason when_full) noexcept;
  void drop(rte_mbuf* buffer, contract::DropReason reason) noexcept;
  void housekeep(bool idle, uint64_t now) noexcept;

  WorkerSetup setup_;
  contract::SnapshotReader reader_;
  contract::WorkerRegion& region_;
  const std::byte* base_;
  const contract::Geometry geometry_;
  balance::Handshakes handshakes_;
  const balance::Ledger ledger_{region_, geometry_, handshakes_};
  const ProcessMbufs process_ = process_mbufs_at(balance::best_vector_level());
  uint32_t egress_ports_ = 0;  // bit p: setup_.egress[p] is present
  balance::SnapshotView snapshot_;
  std::array<Batch, contract::kPortCapacity> to_wire_;
  Batch to_kernel_;         // of the port the burst came from
  uint64_t next_tick_ = 0;  // TSC
  uint64_t tick_cycles_;
  uint64_t next_relay_ = 0;  // TSC
  uint64_t relay_cycles_ = 0;
  uint64_t least_relay_cycles_;
  uint32_t loops_since_clock_ = 0;
  uint64_t idle_since_ = 0;  // TSC, 0 while busy
  std::atomic<bool> stop_{false};
};

}  // namespace warmswap::io
