#include "dataplane/contract/arena.h"

#include <cassert>
#include <iterator>

namespace warmswap::contract {
namespace {

uint64_t block_bytes(uint64_t payload_bytes) {
  return sizeof(BlockHeader) + (payload_bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
}

}  // namespace

Arena::Arena(Offset begin, uint64_t bytes) : begin_(begin), bytes_(bytes), free_bytes_(bytes) {
  free_.emplace(begin, bytes);
}

std::optional<Offset> Arena::allocate(uint64_t payload_bytes) {
  const uint64_t need = block_bytes(payload_bytes);
  if (need < payload_bytes) return std::nullopt;
  for (auto hole = free_.begin(); hole != free_.end(); ++hole) {
    const auto [at, size] = *hole;
    if (size < need) continue;
    free_.erase(hole);
    if (size > need) free_.emplace(at + need, size - need);
    used_.emplace(at, need);
    free_bytes_ -= need;
    return at + sizeof(BlockHeader);
  }
  return std::nullopt;
}

bool Arena::reserve(Offset payload, uint64_t payload_bytes) {
  const Offset from = payload - sizeof(BlockHeader);
  const uint64_t need = block_bytes(payload_bytes);
  auto hole = free_.upper_bound(from);
  if (hole == free_.begin()) return false;
  --hole;
  const auto [at, size] = *hole;
  if (payload_bytes > size || from < at || from + need > at + size) return false;
  free_.erase(hole);
  if (from > at) free_.emplace(at, from - at);
  if (from + need < at + size) free_.emplace(from + need, at + size - from - need);
  used_.emplace(from, need);
  free_bytes_ -= need;
  return true;
}

void Arena::release(Offset payload) {
  const auto block = used_.find(payload - sizeof(BlockHeader));
  assert(block != used_.end());
  auto [at, size] = *block;
  used_.erase(block);
  free_bytes_ += size;
  auto next = free_.lower_bound(at);
  if (next != free_.end() && next->first == at + size) {
    size += next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == at) {
      before->second += size;
      return;
    }
  }
  free_.emplace(at, size);
}

std::vector<Arena::Extent> Arena::holes() const {
  std::vector<Extent> result;
  for (const auto& [at, size] : free_) result.push_back({at, size});
  return result;
}

}  // namespace warmswap::contract
