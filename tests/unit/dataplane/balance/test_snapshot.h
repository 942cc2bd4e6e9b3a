// A snapshot in ordinary memory, laid out as in the segment, and a worker's counters: what the pipeline needs, without
// the arena and its publisher.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/balance/pipeline.h"
#include "dataplane/balance/snapshot_view.h"
#include "dataplane/contract/layout.h"
#include "dataplane/contract/seat.h"
#include "dataplane/contract/vip_index.h"

namespace warmswap::test {

struct TestPool {
  std::vector<uint16_t> ring;
  std::vector<contract::Seat> seats;
};

class TestSnapshot {
 public:
  TestSnapshot(contract::HashKey key, std::span<const contract::VipPlacement> vips, std::span<const TestPool> pools,
               uint8_t entropy_bits = 16, uint32_t sampled_below = 0) {
    const std::vector<contract::VipBucket> buckets = contract::build_vip_index(vips, key).value();
    contract::SnapshotRoot root{};
    root.generation = 1;
    root.entropy_mask = contract::entropy_mask(entropy_bits);
    root.sampled_below = sampled_below;
    root.hash_key = key;
    root.vip_bucket_mask = static_cast<uint32_t>(buckets.size() - 1);
    root.vip_index = append(std::span<const contract::VipBucket>(buckets));
    std::vector<contract::PoolRecord> records;
    for (const TestPool& pool : pools) {
      contract::PoolRecord record{};
      record.ring_size = static_cast<uint32_t>(pool.ring.size());
      record.seat_count = static_cast<uint32_t>(pool.seats.size());
      record.ring = append(std::span<const uint16_t>(pool.ring));
      record.seats = append(std::span<const contract::Seat>(pool.seats));
      const contract::CommonWay way = contract::common_way(pool.seats);
      record.least_mtu = way.least_mtu;
      record.port = way.port;
      records.push_back(record);
    }
    root.pool_count = static_cast<uint32_t>(records.size());
    root.pools = append(std::span<const contract::PoolRecord>(records));
    root_ = append(std::span<const contract::SnapshotRoot>(&root, 1));
  }

  balance::SnapshotView view() const { return {reinterpret_cast<const std::byte*>(lines_.data()), root_}; }

 private:
  struct alignas(contract::kCacheLine) Line {
    std::byte bytes[contract::kCacheLine];
  };

  template <typename T>
  contract::Offset append(std::span<const T> items) {
    const size_t first = lines_.size();
    lines_.resize(first + (items.size_bytes() + sizeof(Line) - 1) / sizeof(Line));
    if (!items.empty()) std::memcpy(&lines_[first], items.data(), items.size_bytes());
    return first * sizeof(Line);
  }

  std::vector<Line> lines_ = std::vector<Line>(1);  // offset 0 means "none"
  contract::Offset root_ = 0;
};

/// The levels this machine can run: what they do must not differ.
inline std::vector<balance::VectorLevel> runnable_levels() {
  std::vector<balance::VectorLevel> levels;
  for (const balance::VectorLevel level : balance::kVectorLevels) {
    if (level <= balance::best_vector_level()) levels.push_back(level);
  }
  return levels;
}

/// Base of the suites that run at each of them.
class AtEveryLevel : public ::testing::TestWithParam<balance::VectorLevel> {
 protected:
  const balance::ProcessBurst process_burst = balance::process_burst_at(GetParam());
};

inline std::string level_name(const ::testing::TestParamInfo<balance::VectorLevel>& level) {
  return balance::name_of(level.param);
}

/// One worker's counters, all zero, for small capacities.
class TestCounters {
 public:
  TestCounters(const TestCounters&) = delete;
  TestCounters& operator=(const TestCounters&) = delete;
  TestCounters() : memory_(new (std::align_val_t{contract::kCacheLine}) std::byte[kBytes]()) {}

  contract::WorkerRegion& region() { return *reinterpret_cast<contract::WorkerRegion*>(memory_.get()); }
  const contract::Geometry& geometry() const { return geometry_; }
  const balance::Ledger& ledger() const { return ledger_; }
  const contract::TrafficCounter& vip(uint32_t id) { return region().vips()[id]; }
  const contract::TrafficCounter& backend(uint32_t id) { return region().backends(geometry_)[id]; }
  uint64_t drops(contract::DropReason reason) { return region().drops[static_cast<size_t>(reason)].get(); }
  uint64_t all_drops() {
    uint64_t sum = 0;
    for (const contract::Counter& counter : region().drops) sum += counter.get();
    return sum;
  }
  friend bool operator==(const TestCounters& a, const TestCounters& b) {
    return std::memcmp(a.memory_.get(), b.memory_.get(), kBytes) == 0;
  }

 private:
  static constexpr uint32_t kCapacity = 64;
  static constexpr uint64_t kClockHz = 2'000'000'000;  // what it is matters only to those that look at times
  static constexpr size_t kBytes = sizeof(contract::WorkerRegion) + kCapacity * (2 * sizeof(contract::TrafficCounter) +
                                                                                 sizeof(contract::HandshakeCounter));
  struct Free {
    void operator()(std::byte* memory) const { ::operator delete[](memory, std::align_val_t{contract::kCacheLine}); }
  };

  contract::Geometry geometry_{.vip_capacity = kCapacity, .backend_capacity = kCapacity};
  std::unique_ptr<std::byte[], Free> memory_;
  balance::Handshakes handshakes_{kClockHz};
  balance::Ledger ledger_{region(), geometry_, handshakes_};
};

}  // namespace warmswap::test
