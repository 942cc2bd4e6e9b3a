// A forwarding loop without a NIC: copies frames out of memory, as net_pcap does, and runs the packet path over them
// under whatever snapshot is current, as dataplane/io/worker.cc does. One thread runs it; the others ask how far it is.
#pragma once

#include <pthread.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "dataplane/contract/snapshot_reader.h"
#include "dataplane/packet/packet.h"
#include "perf/micro/balancer.h"
#include "perf/micro/packet_window.h"

namespace warmswap::perf {

/// How far the loop is. Differences of two readings make a rate.
struct Progress {
  uint64_t packets = 0;
  uint64_t cpu_ns = 0;  // the thread's own processor time: what it lost to others is not in it
};

class Replay {
 public:
  /// Starts forwarding on processor `cpu`, with frames of `flows` flows over all vips of `balancer`. Throws
  /// std::system_error when the thread cannot be started there.
  Replay(Balancer& balancer, uint32_t flows, unsigned cpu);
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;
  ~Replay();

  Progress progress() const noexcept;
  /// Packets the path did not forward: 0, unless the tables are wrong.
  uint64_t not_forwarded() const noexcept;

 private:
  static constexpr size_t kFrameBytes = 64;
  using Frame = std::array<uint8_t, kFrameBytes>;

  void run() noexcept;

  Balancer& balancer_;
  PacketWindow buffers_;
  std::vector<Frame> frames_;  // what is copied: never written, so nothing has to be undone
  std::vector<uint32_t> lengths_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> running_{false};
  std::thread thread_;
  clockid_t clock_{};
};

}  // namespace warmswap::perf
