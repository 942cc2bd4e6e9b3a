// The control plane's side of the publish protocol: building blocks beside the current snapshot, verifying the whole,
// one atomic store, and giving memory back when every worker has moved on.
//
// Reclamation is quiescent-state based (Desnoyers et al., "User-Level Implementations of Read-Copy Update", 2012): a
// block that a published snapshot referred to is reused only when each online worker has acknowledged a generation
// that no longer refers to it. A worker that stopped ticking therefore holds memory; held_by() names it.
// One thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/contract/arena.h"
#include "dataplane/contract/layout.h"
#include "dataplane/contract/result.h"
#include "dataplane/contract/segment.h"

namespace warmswap::contract {

class Publisher;

/// A block in the arena, kept from reuse while anybody refers to it. Immutable once a snapshot with it is published.
class Block {
 public:
  Block(std::shared_ptr<Arena> arena, Offset offset, uint64_t bytes);
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block();

  Offset offset() const noexcept { return offset_; }
  uint64_t bytes() const noexcept { return bytes_; }

 private:
  friend class Publisher;
  std::shared_ptr<Arena> arena_;
  Offset offset_;
  uint64_t bytes_;
  // The use it was found sound in (BlockUse in verify.h); `none` = not yet.
  BlockKind sound_as_ = BlockKind::none;
  uint64_t sound_bytes_ = 0;
  uint64_t sound_against_ = 0;
};
using BlockRef = std::shared_ptr<Block>;

/// A block while it is being filled.
struct NewBlock {
  BlockRef ref;
  std::span<std::byte> bytes;  // zeroed

  template <typename T>
  std::span<T> as() const noexcept {
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

struct Published {
  uint64_t generation;
  uint64_t stored_ns;  // CLOCK_MONOTONIC right after the root was stored
};

/// How far the workers have followed a publish.
struct Acknowledgement {
  bool complete = false;      // every online worker has seen the generation
  uint32_t workers = 0;       // online workers
  uint64_t last_seen_ns = 0;  // CLOCK_MONOTONIC of the last of them; 0 when there is none
};

class Publisher {
 public:
  /// `dataplane_alive` answers whether a dataplane process may be reading; the default asks for its lock.
  /// What the arena holds already is adopted: the current snapshot's blocks stay, the rest becomes free once every
  /// online worker has acknowledged the current generation.
  static Result<std::unique_ptr<Publisher>> start(Segment& segment, std::function<bool()> dataplane_alive = {});

  /// Room for a new block, or an error that says how much was asked and free: the change must be refused then.
  Result<NewBlock> allocate(BlockKind kind, uint64_t bytes);

  /// Whether a block holds exactly these bytes, so that it can be shared instead of written again.
  bool holds(const Block& block, const void* data, size_t bytes) const noexcept;

  /// Verifies and publishes. `root` comes with everything but generation and published_ns; `blocks` are all the blocks
  /// it leads to, shared ones included. On an error nothing has changed: the old snapshot stays.
  Result<Published> publish(const SnapshotRoot& root, std::vector<BlockRef> blocks);

  /// Gives back what no worker can reach any more; publish() and allocate() do this too. Returns blocks still held.
  size_t reclaim();

  Acknowledgement acknowledged(uint64_t generation) const noexcept;
  /// The online worker that keeps memory from being reclaimed, if retired snapshots wait for one.
  std::optional<uint32_t> held_by() const noexcept;

  const SnapshotRoot* current() const noexcept;
  uint64_t generation() const noexcept;
  uint64_t free_bytes() const noexcept { return arena_->free_bytes(); }
  uint64_t arena_bytes() const noexcept { return arena_->bytes(); }

 private:
  struct Retired {
    uint64_t superseded_by;  // free once all workers have acknowledged this generation
    std::vector<BlockRef> blocks;
  };

  Publisher(Segment& segment, std::function<bool()> dataplane_alive);
  Result<void> adopt();
  Result<BlockRef> adopt_block(Offset payload);
  std::optional<Offset> allocate_or_reclaim(uint64_t bytes);
  uint64_t oldest_acknowledged() const noexcept;
  Block* held_block(Offset payload) const noexcept;
  void remember_sound(const SnapshotRoot& root);

  Segment& segment_;
  std::function<bool()> dataplane_alive_;
  std::shared_ptr<Arena> arena_;
  std::vector<BlockRef> held_;  // of the current snapshot, its root block included; sorted by offset
  std::deque<Retired> retired_;
};

}  // namespace warmswap::contract
