// A throw-away segment in a directory of its own, and a minimal sound snapshot to publish into it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "dataplane/contract/publisher.h"
#include "dataplane/contract/segment.h"

namespace warmswap::contract {

class SegmentFixture : public ::testing::Test {
 protected:
  SegmentFixture() {
    std::string pattern = "/dev/shm/contract-test-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~SegmentFixture() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path path() const { return directory_ / "warmswap-t"; }
  CreateOptions create_options() const {
    return {.instance = "t", .geometry = geometry_, .paths = {path()}, .create_at = {path()}};
  }
  AttachOptions attach_options() const { return {.instance = "t", .paths = {path()}}; }

  Geometry geometry_{.worker_capacity = 4, .vip_capacity = 16, .backend_capacity = 16, .arena_bytes = 4 << 20};
  std::filesystem::path directory_;
};

/// A sound snapshot with one pool whose ring slots all name seat 0 and whose only seat carries `backend`.
struct SmallSnapshot {
  SnapshotRoot root{};
  std::vector<BlockRef> blocks;

  static Result<SmallSnapshot> build(Publisher& publisher, uint16_t backend, uint32_t ring_size = 31) {
    SmallSnapshot result;
    const auto add = [&](BlockKind kind, uint64_t bytes) {
      auto block = publisher.allocate(kind, bytes);
      if (block) result.blocks.push_back(block->ref);
      return block;
    };
    auto index = add(BlockKind::vip_index, sizeof(VipBucket));
    auto pools = add(BlockKind::pool_table, sizeof(PoolRecord));
    auto ring = add(BlockKind::ring, ring_size * sizeof(uint16_t));
    auto seats = add(BlockKind::seats, sizeof(Seat));
    for (const auto* block : {&index, &pools, &ring, &seats}) {
      if (!*block) return Error{block->error()};
    }
    for (VipEntry& entry : index->as<VipBucket>()[0].entries) entry.pool = kNoPool;
    seats->as<Seat>()[0].backend = backend;
    PoolRecord& pool = pools->as<PoolRecord>()[0];
    pool.ring = ring->ref->offset();
    pool.seats = seats->ref->offset();
    pool.ring_size = ring_size;
    pool.seat_count = 1;
    result.root.vip_index = index->ref->offset();
    result.root.pools = pools->ref->offset();
    result.root.pool_count = 1;
    return result;
  }
};

}  // namespace warmswap::contract
