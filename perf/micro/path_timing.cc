#include "perf/micro/path_timing.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "dataplane/balance/levels.h"
#include "dataplane/balance/packet_access.h"
#include "perf/micro/tsc.h"

namespace warmswap::perf {
namespace {

using packet::Packet;
using PacketBurst = std::array<Packet, kReceiveBurst>;

void receive(const Buffer* buffers, PacketBurst& packets) noexcept {
  for (size_t i = 0; i < kReceiveBurst; ++i) {
    packets[i].frame = buffers[i].frame;
    packets[i].length = packets[i].contiguous = buffers[i].length;
    packets[i].headroom = buffers[i].headroom;
  }
}

/// What remains of a forwarding loop when nothing is decided: as dpdk-testpmd's mac mode, one destination for all.
[[gnu::noinline]] void forward_only(PacketBurst& packets) noexcept {
  static constexpr uint8_t kAddresses[12] = {2, 0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 1};
  for (Packet& packet : packets) __builtin_prefetch(packet.frame, 1, 3);
  for (Packet& packet : packets) {
    std::memcpy(packet.frame, kAddresses, sizeof(kAddresses));
    packet.port = 0;
    packet.verdict = packet::Verdict::forward;
  }
}

/// The compiler may not know what becomes of the packets.
void use(PacketBurst& packets) noexcept {
  asm volatile("" : : "r"(packets.data()) : "memory");
}

/// One window through `decide`, in cycles.
template <typename Decide>
double time_window(const PacketWindow& window, const Decide& decide) {
  PacketBurst packets;
  const uint64_t begin = tsc_begin();
  for (size_t at = 0; at < kWindowPackets; at += kReceiveBurst) {
    receive(window.buffers() + at, packets);
    decide(packets);
    use(packets);
  }
  return static_cast<double>(tsc_end() - begin);
}

/// Cycles between two readings with nothing between them.
uint64_t clock_overhead() {
  static const uint64_t least = [] {
    uint64_t shortest = ~uint64_t{0};
    for (int i = 0; i < 10'000; ++i) {
      const uint64_t begin = tsc_end();
      shortest = std::min(shortest, tsc_end() - begin);
    }
    return shortest;
  }();
  return least;
}

using StageCycles = std::array<uint64_t, kStages.size()>;

template <typename Burst>
StageCycles time_stages(const PacketWindow& window, const Balancer& balancer, const balance::SnapshotView& view) {
  StageCycles sums{};
  for (size_t at = 0; at < kWindowPackets; at += kReceiveBurst) {
    PacketBurst packets;
    receive(window.buffers() + at, packets);
    Burst burst(view, balancer.ledger());
    size_t stage = 0;
    uint64_t before = tsc_end();
    burst.run(packets.data(), packets.size(), [&] {
      const uint64_t now = tsc_end();
      sums[stage++] += now - before - std::min(clock_overhead(), now - before);
      before = tsc_end();
    });
    use(packets);
  }
  return sums;
}

StageCycles time_stages_at(balance::VectorLevel level, const PacketWindow& window, const Balancer& balancer,
                           const balance::SnapshotView& view) {
  using balance::PacketAccess;
  switch (level) {
    case balance::VectorLevel::avx512:
      return time_stages<balance::avx512::Burst<PacketAccess>>(window, balancer, view);
    case balance::VectorLevel::avx2:
      return time_stages<balance::avx2::Burst<PacketAccess>>(window, balancer, view);
    default:
      return time_stages<balance::baseline::Burst<PacketAccess>>(window, balancer, view);
  }
}

/// Additions that wait for one another: a cycle of the core each, whatever the time-stamp counter's rate.
[[gnu::noinline]] void spin(uint64_t additions) noexcept {
  for (uint64_t i = 0; i < additions; ++i) asm volatile("" : "+r"(i));
}

}  // namespace

PathTiming::PathTiming(const BalancerShape& shape, uint64_t flows, balance::VectorLevel level)
    : balancer_(shape),
      view_(balancer_.view()),
      window_(flows, shape.vips),
      level_(level),
      process_(balance::process_burst_at(level)) {}

double PathTiming::pair() {
  window_.refill();
  const double baseline = time_window(window_, forward_only);
  window_.refill();
  const double path = time_window(window_, [&](PacketBurst& packets) { process_(view_, packets, balancer_.ledger()); });
  ++windows_;
  baseline_.push_back(baseline / kWindowPackets);
  path_.push_back(path / kWindowPackets);
  above_.push_back((path - baseline) / kWindowPackets);
  return path;
}

void PathTiming::stages() {
  window_.refill();
  const StageCycles cycles = time_stages_at(level_, window_, balancer_, view_);
  ++windows_;
  for (size_t stage = 0; stage < kStages.size(); ++stage) {
    stages_[stage].push_back(static_cast<double>(cycles[stage]) / kWindowPackets);
  }
}

void PathTiming::bursts() {
  window_.refill();
  const uint64_t additions = bursts_.value_at_percentile(50);
  for (size_t at = 0; at < kWindowPackets; at += kReceiveBurst) {
    PacketBurst packets;
    const uint64_t begin = tsc_begin();
    receive(window_.buffers() + at, packets);
    process_(view_, packets, balancer_.ledger());
    use(packets);
    bursts_.record(tsc_end() - begin);
    if (additions == 0) continue;
    const uint64_t idle = tsc_begin();
    spin(additions);
    idle_.record(tsc_end() - idle);
  }
  ++windows_;
}

PathTiming::Tail PathTiming::tail() const {
  const uint64_t usual = idle_.value_at_percentile(50);
  uint64_t longer = 0;
  idle_.for_each_bucket([&](const HdrHistogram::Bucket& bucket) {
    if (bucket.low > usual + usual / 2) longer += bucket.count;
  });
  const double interrupted = idle_.count() == 0 ? 0 : static_cast<double>(longer) / static_cast<double>(idle_.count());
  return {.median = static_cast<double>(bursts_.value_at_percentile(50)),
          .p9999 = static_cast<double>(bursts_.value_at_percentile(99.99 * (1 - interrupted))),
          .interrupted = interrupted};
}

bool PathTiming::forwarded_all() const noexcept {
  return balancer_.worker().totals.forwarded_packets.get() == windows_ * kWindowPackets;
}

}  // namespace warmswap::perf
