// A worker's side of the publish protocol: one acquire load per burst, one store when the generation changed.
#pragma once

#include <cstddef>

#include "dataplane/contract/layout.h"
#include "dataplane/contract/segment.h"

namespace warmswap::contract {

/// Used by the one thread that owns `quiescence`. A quiescent-state reader: between two calls of acquire() the snapshot
/// returned by the first stays untouched; by calling acquire() again the worker says that it is done with it.
class SnapshotReader {
 public:
  SnapshotReader(const std::byte* base, const SegmentHeader& header, Quiescence& quiescence) noexcept
      : base_(base), root_(header.control.root), quiescence_(quiescence) {}

  /// Announces the worker before its first acquire(). From here on the publisher reuses nothing that was current or
  /// becomes current, until the worker has acknowledged a later generation.
  void online() noexcept {
    quiescence_.generation.store(0, std::memory_order_relaxed);
    // seq_cst pairs with the publisher, which stores the root and then reads this state: either it sees the worker
    // online, or the worker's first load of the root sees the new one.
    quiescence_.state.store(static_cast<uint32_t>(ReaderState::online), std::memory_order_seq_cst);
  }

  /// The worker holds nothing any more; call from the worker itself, or after it has ended.
  void offline() noexcept {
    current_ = nullptr;
    quiescence_.state.store(static_cast<uint32_t>(ReaderState::offline), std::memory_order_release);
  }

  /// The current snapshot, nullptr before the first publish. `changed` tells whether it differs from the last call's.
  const SnapshotRoot* acquire(bool& changed) noexcept {
    // Pairs with the publisher's store. seq_cst costs nothing over acquire in an x86 load and orders it after online().
    const Offset offset = root_.load(std::memory_order_seq_cst);
    const auto* root = offset == 0 ? nullptr : reinterpret_cast<const SnapshotRoot*>(base_ + offset);
    // The address tells: a root block is not reused before this worker has acknowledged a later generation.
    changed = root != current_;
    if (changed) {
      current_ = root;
      quiescence_.seen_ns.store(monotonic_ns(), std::memory_order_relaxed);
      // Release: whatever this worker read of older snapshots happens before the publisher reuses their blocks.
      quiescence_.generation.store(root == nullptr ? 0 : root->generation, std::memory_order_release);
    }
    return root;
  }

 private:
  const std::byte* base_;
  const std::atomic<Offset>& root_;
  Quiescence& quiescence_;
  const SnapshotRoot* current_ = nullptr;
};

}  // namespace warmswap::contract
