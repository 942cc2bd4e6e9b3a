#include "dataplane/contract/publisher.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "dataplane/contract/verify.h"

namespace warmswap::contract {
namespace {

BlockHeader& block_header(std::byte* base, Offset payload) {
  return *reinterpret_cast<BlockHeader*>(base + payload - sizeof(BlockHeader));
}

const PoolRecord* pools_of(const std::byte* base, const SnapshotRoot& root) {
  return reinterpret_cast<const PoolRecord*>(base + root.pools);
}

/// Every block that a sound snapshot leads to, without repetition: pools may share a ring.
std::vector<Offset> reachable(const std::byte* base, Offset root_offset) {
  const auto& root = *reinterpret_cast<const SnapshotRoot*>(base + root_offset);
  std::vector<Offset> offsets{root_offset, root.vip_index, root.pools};
  for (const Offset cold : {root.vip_directory, root.overlay}) {
    if (cold != 0) offsets.push_back(cold);
  }
  const PoolRecord* pool = pools_of(base, root);
  for (uint32_t i = 0; i < root.pool_count; ++i) {
    for (const Offset offset : {pool[i].ring, pool[i].seats, pool[i].directory}) {
      if (offset != 0) offsets.push_back(offset);
    }
  }
  std::sort(offsets.begin(), offsets.end());
  offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
  return offsets;
}

bool by_offset(const BlockRef& a, const BlockRef& b) {
  return a->offset() < b->offset();
}

}  // namespace

Block::Block(std::shared_ptr<Arena> arena, Offset offset, uint64_t bytes)
    : arena_(std::move(arena)), offset_(offset), bytes_(bytes) {}

Block::~Block() {
  arena_->release(offset_);
}

Publisher::Publisher(Segment& segment, std::function<bool()> dataplane_alive)
    : segment_(segment),
      dataplane_alive_(std::move(dataplane_alive)),
      arena_(std::make_shared<Arena>(segment.header().arena, segment.header().segment_bytes - segment.header().arena)) {
  if (!dataplane_alive_) dataplane_alive_ = [&segment] { return segment.alive(Side::dataplane); };
}

Result<std::unique_ptr<Publisher>> Publisher::start(Segment& segment, std::function<bool()> dataplane_alive) {
  std::unique_ptr<Publisher> publisher(new Publisher(segment, std::move(dataplane_alive)));
  if (auto adopted = publisher->adopt(); !adopted) return Error{adopted.error()};
  return publisher;
}

Result<void> Publisher::adopt() {
  const Offset root = segment_.header().control.root.load(std::memory_order_acquire);
  if (root == 0) return {};
  if (auto sound = verify_snapshot(segment_.base(), root); !sound) {
    return Error{"the current snapshot in " + segment_.path().string() + " is damaged: " + sound.error()};
  }
  for (const Offset payload : reachable(segment_.base(), root)) {
    auto block = adopt_block(payload);
    if (!block) return Error{block.error()};
    held_.push_back(*block);
  }
  remember_sound(*current());
  // The rest may still be read by a worker that has not seen the last publish of our predecessor.
  Retired rest{generation(), {}};
  for (const auto& hole : arena_->holes()) {
    const uint64_t payload_bytes = hole.bytes - sizeof(BlockHeader);
    const Offset payload = hole.begin + sizeof(BlockHeader);
    if (!arena_->reserve(payload, payload_bytes)) continue;
    rest.blocks.push_back(std::make_shared<Block>(arena_, payload, payload_bytes));
  }
  retired_.push_back(std::move(rest));
  reclaim();
  return {};
}

Result<BlockRef> Publisher::adopt_block(Offset payload) {
  const uint64_t bytes = block_header(segment_.base(), payload).bytes;
  if (!arena_->reserve(payload, bytes)) {
    return Error{"the current snapshot is damaged: blocks overlap at offset " + std::to_string(payload)};
  }
  return std::make_shared<Block>(arena_, payload, bytes);
}

std::optional<Offset> Publisher::allocate_or_reclaim(uint64_t bytes) {
  if (auto offset = arena_->allocate(bytes)) return offset;
  reclaim();
  return arena_->allocate(bytes);
}

Result<NewBlock> Publisher::allocate(BlockKind kind, uint64_t bytes) {
  const auto payload = allocate_or_reclaim(bytes);
  if (!payload) {
    std::string why = "arena full: " + std::to_string(bytes) + " bytes asked, " + std::to_string(free_bytes()) +
                      " of " + std::to_string(arena_bytes()) + " free";
    if (const auto worker = held_by()) {
      why += ", more is held by worker " + std::to_string(*worker) + " which has not seen the last snapshot yet";
    } else {
      why += "; raise dataplane.limits.arena_mb";
    }
    return Error{why};
  }
  auto ref = std::make_shared<Block>(arena_, *payload, bytes);
  std::byte* data = segment_.base() + *payload;
  BlockHeader& header = block_header(segment_.base(), *payload);
  header = BlockHeader{};
  header.kind = static_cast<uint32_t>(kind);
  header.bytes = bytes;
  header.born = generation() + 1;
  std::memset(data, 0, bytes);
  return NewBlock{std::move(ref), {data, bytes}};
}

bool Publisher::holds(const Block& block, const void* data, size_t bytes) const noexcept {
  return block.bytes() == bytes && (bytes == 0 || std::memcmp(segment_.base() + block.offset(), data, bytes) == 0);
}

Result<Published> Publisher::publish(const SnapshotRoot& proposed, std::vector<BlockRef> blocks) {
  auto block = allocate(BlockKind::root, sizeof(SnapshotRoot));
  if (!block) return Error{block.error()};
  SnapshotRoot& root = block->as<SnapshotRoot>()[0];
  root = proposed;
  root.generation = generation() + 1;
  root.published_ns = realtime_ns();
  blocks.push_back(block->ref);

  const Offset offset = block->ref->offset();
  std::sort(blocks.begin(), blocks.end(), by_offset);
  std::swap(held_, blocks);
  const auto known = [this](const BlockUse& use) {
    const Block* held = held_block(use.payload);
    return held != nullptr && held->sound_as_ == use.kind && held->sound_against_ == use.against &&
           use.bytes <= held->sound_bytes_;
  };
  if (auto sound = verify_snapshot(segment_.base(), offset, known); !sound) {
    std::swap(held_, blocks);
    return Error{"refused to publish an unsound snapshot: " + sound.error()};
  }
  remember_sound(root);

  ControlLine& control = segment_.header().control;
  // Release makes the blocks visible before the root; seq_cst orders the store before the reading of the workers'
  // states in oldest_acknowledged(). Pairs with SnapshotReader::acquire().
  control.root.store(offset, std::memory_order_seq_cst);
  const Published published{root.generation, monotonic_ns()};
  control.publishes.fetch_add(1, std::memory_order_relaxed);
  retired_.push_back({root.generation, std::move(blocks)});
  reclaim();
  return published;
}

size_t Publisher::reclaim() {
  if (!retired_.empty()) {
    const uint64_t seen = oldest_acknowledged();
    while (!retired_.empty() && retired_.front().superseded_by <= seen) {
      for (const BlockRef& block : retired_.front().blocks) {
        // Nobody else refers to it: mark it, so that a stray reference is found out by verify_snapshot(). (A block that
        // the builder still has in hand goes unmarked.)
        if (block.use_count() == 1)
          block_header(segment_.base(), block->offset()).kind = static_cast<uint32_t>(BlockKind::none);
      }
      retired_.pop_front();
    }
  }
  size_t blocks = 0;
  for (const Retired& retired : retired_) blocks += retired.blocks.size();
  return blocks;
}

uint64_t Publisher::oldest_acknowledged() const noexcept {
  uint64_t oldest = std::numeric_limits<uint64_t>::max();
  if (!dataplane_alive_()) return oldest;
  const auto consider = [&oldest](const Quiescence& reader) {
    if (reader.state.load(std::memory_order_seq_cst) != static_cast<uint32_t>(ReaderState::online)) return;
    oldest = std::min(oldest, reader.generation.load(std::memory_order_acquire));
  };
  consider(segment_.header().housekeeper);
  for (uint32_t i = 0; i < segment_.geometry().worker_capacity; ++i) consider(segment_.worker(i).quiescence);
  return oldest;
}

Acknowledgement Publisher::acknowledged(uint64_t generation) const noexcept {
  Acknowledgement result{.complete = true};
  if (!dataplane_alive_()) return result;
  for (uint32_t i = 0; i < segment_.geometry().worker_capacity; ++i) {
    const Quiescence& worker = segment_.worker(i).quiescence;
    if (worker.state.load(std::memory_order_acquire) != static_cast<uint32_t>(ReaderState::online)) continue;
    ++result.workers;
    if (worker.generation.load(std::memory_order_acquire) < generation) {
      result.complete = false;
    } else {
      result.last_seen_ns = std::max(result.last_seen_ns, worker.seen_ns.load(std::memory_order_relaxed));
    }
  }
  return result;
}

std::optional<uint32_t> Publisher::held_by() const noexcept {
  if (retired_.empty() || !dataplane_alive_()) return std::nullopt;
  for (uint32_t i = 0; i < segment_.geometry().worker_capacity; ++i) {
    const Quiescence& worker = segment_.worker(i).quiescence;
    const bool online = worker.state.load(std::memory_order_acquire) == static_cast<uint32_t>(ReaderState::online);
    if (online && worker.generation.load(std::memory_order_acquire) < retired_.front().superseded_by) return i;
  }
  return std::nullopt;
}

const SnapshotRoot* Publisher::current() const noexcept {
  const Offset root = segment_.header().control.root.load(std::memory_order_relaxed);
  return root == 0 ? nullptr : reinterpret_cast<const SnapshotRoot*>(segment_.base() + root);
}

uint64_t Publisher::generation() const noexcept {
  const SnapshotRoot* root = current();
  return root == nullptr ? 0 : root->generation;
}

Block* Publisher::held_block(Offset payload) const noexcept {
  const auto at = std::lower_bound(held_.begin(), held_.end(), payload,
                                   [](const BlockRef& block, Offset offset) { return block->offset() < offset; });
  return at != held_.end() && (*at)->offset() == payload ? at->get() : nullptr;
}

void Publisher::remember_sound(const SnapshotRoot& root) {
  const auto remember = [this](const BlockUse& use) {
    if (Block* block = held_block(use.payload)) {
      block->sound_as_ = use.kind;
      block->sound_bytes_ = use.bytes;
      block->sound_against_ = use.against;
    }
  };
  remember(vip_index_of(root));
  remember(vip_directory_of(root));
  const PoolRecord* pool = pools_of(segment_.base(), root);
  for (uint32_t i = 0; i < root.pool_count; ++i) {
    remember(ring_of(pool[i]));
    remember(seats_of(root, pool[i]));
    remember(directory_of(pool[i]));
  }
}

}  // namespace warmswap::contract
