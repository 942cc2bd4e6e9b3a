#include "perf/gen/receiver.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <array>

#include "perf/gen/traffic.h"

namespace warmswap::gen {
namespace {

constexpr uint16_t kBurst = Checker::kBurst;
constexpr uint32_t kJoinedBytes = kLargestFrame + 256;  // with whatever was put around the frame

}  // namespace

Receiver::Receiver(uint16_t port, uint16_t descriptors, Checker& checker)
    : port_(port), descriptors_(descriptors), checker_(checker), joined_(size_t{kBurst} * kJoinedBytes) {}

uint16_t Receiver::poll() noexcept {
  std::array<rte_mbuf*, kBurst> buffers;
  const uint16_t count = rte_eth_rx_burst(port_, 0, buffers.data(), kBurst);
  watch_backlog(count);
  if (count == 0) return 0;
  const uint64_t now = rte_rdtsc();
  std::array<ArrivedFrame, kBurst> frames;
  for (uint16_t i = 0; i < count; ++i) {
    const rte_mbuf* buffer = buffers[i];
    const uint32_t length = rte_pktmbuf_pkt_len(buffer);
    if (buffer->nb_segs == 1) [[likely]] {
      frames[i] = {rte_pktmbuf_mtod(buffer, const uint8_t*), length};
      continue;
    }
    uint8_t* place = joined_.data() + size_t{i} * kJoinedBytes;
    const uint32_t kept = length < kJoinedBytes ? length : kJoinedBytes;
    frames[i] = {static_cast<const uint8_t*>(rte_pktmbuf_read(buffer, 0, kept, place)), kept};
  }
  checker_.check({frames.data(), count}, now);
  rte_pktmbuf_free_bulk(buffers.data(), count);
  return count;
}

void Receiver::watch_backlog(uint16_t count) noexcept {
  waiting_ = count == kBurst ? waiting_ + count : 0;
  if (waiting_ < descriptors_) return;
  ++overruns_;
  waiting_ = 0;
}

uint64_t Receiver::drain() noexcept {
  constexpr int kMostBursts = 4096;  // a device that replays a capture never runs dry
  uint64_t drained = 0;
  for (int i = 0; i < kMostBursts; ++i) {
    std::array<rte_mbuf*, kBurst> buffers;
    const uint16_t count = rte_eth_rx_burst(port_, 0, buffers.data(), kBurst);
    if (count == 0) return drained;
    rte_pktmbuf_free_bulk(buffers.data(), count);
    drained += count;
  }
  return drained;
}

}  // namespace warmswap::gen
