#include "controlplane/segment_link.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace warmswap::controlplane {
namespace {

void add(Traffic& sum, const contract::TrafficCounter& counter) {
  sum.packets += counter.packets.get();
  sum.bytes += counter.bytes.get();
}

}  // namespace

SegmentLink::Change SegmentLink::poll() {
  if (attached() && !segment_->current()) {
    publisher_.reset();
    segment_.reset();
    obstacle_ = "the segment's file was removed or replaced";
    return Change::lost;
  }
  if (!attached()) {
    attach();
    if (!attached()) return Change::none;
    segment_->renew_lease(lease_);
    return Change::attached;
  }
  segment_->renew_lease(lease_);
  const uint64_t epoch = segment_->header().dataplane.epoch.load(std::memory_order_acquire);
  if (epoch == epoch_) return Change::none;
  epoch_ = epoch;
  return Change::restarted;
}

void SegmentLink::attach() {
  auto segment = contract::Segment::attach({instance_, contract::segment_paths(instance_, true)});
  if (!segment) {
    obstacle_ = segment.error();
    return;
  }
  auto held = std::make_unique<contract::Segment>(std::move(*segment));
  auto publisher = contract::Publisher::start(*held);
  if (!publisher) {
    obstacle_ = publisher.error();
    return;
  }
  segment_ = std::move(held);
  publisher_ = std::move(*publisher);
  epoch_ = segment_->header().dataplane.epoch.load(std::memory_order_acquire);
  obstacle_.clear();
}

std::string SegmentLink::interface_of(uint8_t index) const {
  const contract::PortRecord& record = port(index);
  return std::string(record.interface, strnlen(record.interface, sizeof(record.interface)));
}

std::optional<uint8_t> SegmentLink::port_of_interface(const std::string& interface) const {
  for (uint8_t i = 0; i < contract::kPortCapacity; ++i) {
    if (port(i).present == 0) continue;
    if (interface == interface_of(i)) return i;
  }
  return std::nullopt;
}

uint32_t SegmentLink::workers() const noexcept {
  return std::min(segment_->header().dataplane.worker_count.load(std::memory_order_relaxed),
                  segment_->geometry().worker_capacity);
}

template <typename Visit>
void SegmentLink::each_worker(const Visit& visit) const {
  // Workers of a former run with more cores have counted too.
  for (uint32_t w = 0; w < segment_->geometry().worker_capacity; ++w) visit(std::as_const(segment_->worker(w)));
}

Traffic SegmentLink::vip_traffic(uint32_t id) const {
  Traffic sum;
  if (id >= segment_->geometry().vip_capacity) return sum;
  each_worker([&](const contract::WorkerRegion& worker) { add(sum, worker.vips()[id]); });
  return sum;
}

Traffic SegmentLink::backend_traffic(uint32_t id) const {
  const contract::Geometry& geometry = segment_->geometry();
  Traffic sum;
  if (id >= geometry.backend_capacity) return sum;
  each_worker([&](const contract::WorkerRegion& worker) { add(sum, worker.backends(geometry)[id]); });
  return sum;
}

health::HandshakeCounts SegmentLink::handshakes(uint32_t id) const {
  const contract::Geometry& geometry = segment_->geometry();
  health::HandshakeCounts sum;
  if (id >= geometry.backend_capacity) return sum;
  each_worker([&](const contract::WorkerRegion& worker) {
    const contract::HandshakeCounter& counter = worker.handshakes(geometry)[id];
    sum += {counter.completed.get(), counter.retransmitted.get(), counter.lapsed.get(), counter.completed_ns.get()};
  });
  return sum;
}

uint64_t SegmentLink::drops(size_t reason) const {
  uint64_t sum = 0;
  each_worker([&](const contract::WorkerRegion& worker) { sum += worker.drops[reason].get(); });
  return sum;
}

std::vector<uint64_t> SegmentLink::drops_per_worker(size_t reason) const {
  std::vector<uint64_t> drops;
  for (uint32_t w = 0; w < workers(); ++w) drops.push_back(segment_->worker(w).drops[reason].get());
  return drops;
}

}  // namespace warmswap::controlplane
