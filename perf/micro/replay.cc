#include "perf/micro/replay.h"

#include <sched.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <system_error>

#include "dataplane/balance/pipeline.h"
#include "perf/micro/tsc.h"

namespace warmswap::perf {

Replay::Replay(Balancer& balancer, uint32_t flows, unsigned cpu)
    : balancer_(balancer), buffers_(flows, balancer.shape().vips) {
  const size_t frames = std::max<size_t>(flows / kWindowPackets, 1) * kWindowPackets;
  while (frames_.size() < frames) {
    buffers_.refill();
    for (size_t i = 0; i < kWindowPackets; ++i) {
      const Buffer& buffer = buffers_.buffers()[i];
      std::memcpy(frames_.emplace_back().data(), buffer.frame, std::min<size_t>(buffer.length, kFrameBytes));
      lengths_.push_back(buffer.length);
    }
  }
  thread_ = std::thread([this] { run(); });
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  int error = pthread_setaffinity_np(thread_.native_handle(), sizeof(set), &set);
  if (error == 0) error = pthread_getcpuclockid(thread_.native_handle(), &clock_);
  if (error != 0) {
    stop_ = true;
    thread_.join();
    throw std::system_error(error, std::generic_category(), "cannot run on processor " + std::to_string(cpu));
  }
  while (!running_.load(std::memory_order_acquire)) std::this_thread::yield();
}

Replay::~Replay() {
  stop_ = true;
  thread_.join();
}

Progress Replay::progress() const noexcept {
  timespec cpu{};
  clock_gettime(clock_, &cpu);
  return {balancer_.worker().totals.received_packets.get(),
          static_cast<uint64_t>(cpu.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(cpu.tv_nsec)};
}

uint64_t Replay::not_forwarded() const noexcept {
  uint64_t drops = balancer_.worker().totals.passed_packets.get();
  for (const contract::Counter& counter : balancer_.worker().drops) drops += counter.get();
  return drops;
}

void Replay::run() noexcept {
  const contract::Segment& segment = balancer_.dataplane();
  contract::WorkerRegion& region = balancer_.worker();
  contract::SnapshotReader reader(segment.base(), segment.header(), region.quiescence);
  balance::SnapshotView view;
  const balance::ProcessBurst process_burst = balance::process_burst_at(balance::best_vector_level());
  balance::Handshakes handshakes(static_cast<uint64_t>(tsc_hz()));
  const balance::Ledger ledger{region, segment.geometry(), handshakes};
  reader.online();
  std::array<packet::Packet, kReceiveBurst> packets;
  for (size_t at = 0; !stop_.load(std::memory_order_relaxed); at = (at + kReceiveBurst) % frames_.size()) {
    bool changed = false;
    const contract::SnapshotRoot* root = reader.acquire(changed);
    if (changed) view = balance::SnapshotView(segment.base(), root);
    for (size_t i = 0; i < kReceiveBurst; ++i) {
      const Buffer& buffer = buffers_.buffers()[(at + i) % kWindowPackets];
      std::memcpy(buffer.frame, frames_[at + i].data(), kFrameBytes);
      packets[i].frame = buffer.frame;
      packets[i].length = packets[i].contiguous = lengths_[at + i];
      packets[i].headroom = buffer.headroom;
    }
    process_burst(view, packets, ledger);
    running_.store(true, std::memory_order_release);
  }
  reader.offline();
}

}  // namespace warmswap::perf
