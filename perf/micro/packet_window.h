// The frames of one measuring window, in buffers laid out as DPDK lays out its own. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "dataplane/packet/packet.h"
#include "perf/gen/random.h"

namespace warmswap::perf {

/// Frames in a window. Long enough that reading the clock twice does not count (30 cycles in some 100 000), short
/// enough that the host rarely takes the processor away within one.
inline constexpr uint32_t kWindowPackets = 2048;

/// As dataplane/io/worker.h: what a worker takes from a queue at once.
inline constexpr size_t kReceiveBurst = 32;
static_assert(kWindowPackets % kReceiveBurst == 0);

/// What a poll-mode driver hands over: as much of an mbuf as the path reads.
struct Buffer {
  uint8_t* frame;
  uint32_t length;
  uint32_t headroom;
};

/// 64-byte TCP frames (60 in memory: the frame check sequence is the NIC's) of flows drawn uniformly at random. A
/// flow's five-tuple is a pseudo-random function of its number, so that no range of addresses flatters a hash; its vip
/// too, among vip_address(0 … vips - 1), port 80.
class PacketWindow {
 public:
  PacketWindow(uint64_t flows, uint32_t vips);

  /// New frames in all buffers: what was encapsulated is undone and other flows are drawn.
  void refill() noexcept;
  const Buffer* buffers() const noexcept { return buffers_.get(); }

 private:
  uint64_t flows_;
  uint32_t vips_;
  gen::SplitMix64 random_{1};
  struct Unmap {
    void operator()(uint8_t* memory) const noexcept;
  };
  std::unique_ptr<uint8_t[], Unmap> memory_;
  std::unique_ptr<Buffer[]> buffers_;
};

}  // namespace warmswap::perf
