// Checking a snapshot before anybody relies on it: the publisher before each publish, the dataplane before it adopts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "dataplane/contract/layout.h"
#include "dataplane/contract/result.h"

namespace warmswap::contract {

/// A block as a snapshot refers to it: `bytes` of that kind, whose content is sound together with what it is checked
/// against: a ring and a directory the pool's seat_count, a vip index the pool_count, a vip directory the vip_count,
/// seats their number, what the pool says of all of them and the entropy mask.
struct BlockUse {
  Offset payload;
  BlockKind kind;
  uint64_t bytes;
  uint64_t against;
};
BlockUse vip_index_of(const SnapshotRoot& root) noexcept;
BlockUse vip_directory_of(const SnapshotRoot& root) noexcept;
BlockUse ring_of(const PoolRecord& pool) noexcept;
BlockUse seats_of(const SnapshotRoot& root, const PoolRecord& pool) noexcept;
BlockUse directory_of(const PoolRecord& pool) noexcept;

/// Answers "has this block already been found sound in this use?", so that a publish does not read again, header
/// included, what it shares with the one before.
using KnownBlock = std::function<bool(const BlockUse& use)>;

/// True when every offset, size and index that a worker could follow from `root` is in range: blocks inside the arena
/// and of the right kind, vips → pools, ring slots → seats, seats → backends and ports, a hash table with a free
/// entry; and when what the pipeline takes for granted of seats holds: their templates and what the pools say of all.
/// `root` 0 is sound: nothing published yet. `base` is the segment's mapping; its header must be valid.
Result<void> verify_snapshot(const std::byte* base, Offset root, const KnownBlock& known = {});

/// The payload of a block of that kind holding at least `bytes`, or an error naming what is wrong with the reference.
Result<const std::byte*> checked_block(const std::byte* base, Offset payload, BlockKind kind, uint64_t bytes);

}  // namespace warmswap::contract
