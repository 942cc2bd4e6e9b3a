// Which parts of the arena are in use. Bookkeeping in ordinary memory of the control plane, first fit with coalescing;
// one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "dataplane/contract/layout.h"

namespace warmswap::contract {

class Arena {
 public:
  /// Manages the offsets [begin, begin + bytes), both multiples of a cache line.
  Arena(Offset begin, uint64_t bytes);

  /// Room for a block header and `payload_bytes`; the offset of the payload, or nothing when no hole is large enough.
  std::optional<Offset> allocate(uint64_t payload_bytes);
  /// Marks a block that was found in the arena as used. False when it overlaps another or lies outside.
  bool reserve(Offset payload, uint64_t payload_bytes);
  /// Gives a block back. `payload` must come from allocate() or reserve().
  void release(Offset payload);

  uint64_t free_bytes() const noexcept { return free_bytes_; }
  uint64_t bytes() const noexcept { return bytes_; }
  struct Extent {
    Offset begin;
    uint64_t bytes;
  };
  std::vector<Extent> holes() const;

 private:
  Offset begin_;
  uint64_t bytes_;
  uint64_t free_bytes_;
  std::map<Offset, uint64_t> free_;  // begin → bytes, never adjacent
  std::map<Offset, uint64_t> used_;  // begin of the block header → bytes
};

}  // namespace warmswap::contract
