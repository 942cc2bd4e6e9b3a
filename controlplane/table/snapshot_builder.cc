#include "controlplane/table/snapshot_builder.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "dataplane/contract/seat.h"

namespace warmswap::table {
namespace {

using contract::BlockKind;
using contract::BlockRef;
using contract::Error;
using contract::Result;

std::vector<contract::VipPlacement> placements_of(const SnapshotRows& rows) {
  std::vector<contract::VipPlacement> placements;
  for (const VipRow& vip : rows.vips) {
    placements.push_back({{vip.info.address, vip.info.port, vip.info.protocol}, vip.info.id, vip.info.pool});
  }
  return placements;
}

bool same(const contract::VipPlacement& a, const contract::VipPlacement& b) {
  return a.key == b.key && a.vip == b.vip && a.pool == b.pool;
}

contract::Seat seat_of(const SnapshotRows& rows, const PoolRow& row, size_t seat) {
  const uint16_t holder = row.holders[seat];
  if (holder == kNobody) return contract::make_empty_seat();
  const contract::BackendInfo& backend = row.backends[holder];
  contract::SeatParameters parameters;
  parameters.backend = backend.id;
  parameters.outer_source = rows.outer_source;
  parameters.outer_destination = backend.address;
  parameters.entropy_mask = contract::entropy_mask(rows.entropy_bits);
  if (const auto& route = row.routes[holder]) {
    parameters.port = route->port;
    parameters.mtu = route->mtu;
    parameters.source_mac = route->source_mac;
    parameters.next_hop_mac = route->next_hop_mac;
  }
  return contract::make_ipip_seat(parameters);
}

class Digest {
 public:
  explicit Digest(contract::HashKey key) : key_(key) {}
  void add(const std::string& text) {
    add(text.size());
    bytes_ += text;
  }
  void add(uint64_t value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value)); }
  uint64_t value() const { return contract::sip_hash(key_, bytes_.data(), bytes_.size()); }

 private:
  contract::HashKey key_;
  std::string bytes_;
};

/// A pool's part of the fingerprint.
uint64_t fingerprint_of(contract::HashKey key, const PoolRow& pool) {
  Digest digest(key);
  digest.add(pool.name);
  digest.add(pool.ring->ring().size());
  for (size_t s = 0; s < pool.ring->seats().size(); ++s) {
    digest.add(pool.ring->seats()[s].name);
    digest.add(pool.ring->seats()[s].weight);
    const Opening& opening = pool.ring->openings()[s];
    digest.add(uint64_t{opening.planned} << 32 | uint64_t{opening.holder} << 16 | opening.guest);
    digest.add(uint64_t{opening.dealt} << 32 | uint64_t{opening.inherits} << 16 | opening.accept);
    digest.add(opening.inherit);
  }
  // A record with nobody differs from every address; the re-deal follows from the openings.
  for (const uint16_t holder : pool.holders) {
    digest.add(holder == kNobody ? ~uint64_t{0} : pool.backends[holder].address.raw());
  }
  return digest.value();
}

/// `of_pools[i]` is fingerprint_of(rows.pools[i]).
uint64_t fingerprint_of(const SnapshotRows& rows, std::span<const uint64_t> of_pools) {
  Digest digest(rows.hash_key);
  digest.add(uint64_t{rows.outer_source.raw()} << 8 | rows.entropy_bits);
  for (const uint64_t of_pool : of_pools) digest.add(of_pool);
  for (const VipRow& vip : rows.vips) {
    digest.add(contract::vip_word({vip.info.address, vip.info.port, vip.info.protocol}));
    digest.add(rows.pools[vip.info.pool]->name);
  }
  return digest.value();
}

void append(std::vector<std::byte>& bytes, const void* data, size_t size) {
  const auto* first = static_cast<const std::byte*>(data);
  bytes.insert(bytes.end(), first, first + size);
}

/// The pool's cold part, as contract::PoolRecord::directory says.
std::vector<std::byte> directory_of(const PoolRow& row) {
  contract::PoolInfo info{};
  row.name.copy(info.name, sizeof(info.name) - 1);
  info.backend_count = static_cast<uint32_t>(row.backends.size());
  info.seat_count = static_cast<uint32_t>(row.holders.size());
  std::vector<std::byte> directory;
  directory.reserve(sizeof(info) + row.backends.size() * sizeof(contract::BackendInfo) +
                    row.holders.size() * sizeof(contract::SeatInfo));
  append(directory, &info, sizeof(info));
  append(directory, row.backends.data(), row.backends.size() * sizeof(contract::BackendInfo));
  for (size_t r = 0; r < row.holders.size(); ++r) {
    const uint16_t seat = row.ring->records()[r];
    const Opening& opening = row.ring->openings()[seat];
    contract::SeatInfo record{};
    record.owner = row.owners[seat];
    record.holder = row.holders[r];
    record.share = row.ring->is_guest(r) ? opening.guest : opening.holder;
    append(directory, &record, sizeof(record));
  }
  return directory;
}

}  // namespace

bool operator==(const VipRow& a, const VipRow& b) {
  return std::memcmp(&a.info, &b.info, sizeof(a.info)) == 0;
}

uint64_t fingerprint(const SnapshotRows& rows) {
  std::vector<uint64_t> of_pools;
  for (const auto& pool : rows.pools) of_pools.push_back(fingerprint_of(rows.hash_key, *pool));
  return fingerprint_of(rows, of_pools);
}

Result<BlockRef> SnapshotBuilder::share_or_store(const BlockRef& before, BlockKind kind, const void* data,
                                                 size_t bytes) {
  if (before != nullptr && publisher_.holds(*before, data, bytes)) return before;
  auto block = publisher_.allocate(kind, bytes);
  if (!block) return Error{block.error()};
  if (bytes > 0) std::memcpy(block->bytes.data(), data, bytes);
  return block->ref;
}

Result<void> SnapshotBuilder::build_vips(const SnapshotRows& rows, Blocks& blocks) {
  blocks.placements = placements_of(rows);
  const bool unchanged = current_.vip_index != nullptr && current_.hash_key == rows.hash_key &&
                         std::equal(blocks.placements.begin(), blocks.placements.end(), current_.placements.begin(),
                                    current_.placements.end(), same);
  if (unchanged) {
    blocks.vip_index = current_.vip_index;
    blocks.vip_bucket_mask = current_.vip_bucket_mask;
  } else {
    auto buckets = contract::build_vip_index(blocks.placements, rows.hash_key);
    if (!buckets) return Error{buckets.error()};
    auto index =
        share_or_store(nullptr, BlockKind::vip_index, buckets->data(), buckets->size() * sizeof(contract::VipBucket));
    if (!index) return Error{index.error()};
    blocks.vip_index = *index;
    blocks.vip_bucket_mask = static_cast<uint32_t>(buckets->size() - 1);
  }
  static_assert(sizeof(VipRow) == sizeof(contract::VipInfo), "the rows are stored as they stand");
  auto directory = share_or_store(current_.vip_directory, BlockKind::vip_directory, rows.vips.data(),
                                  rows.vips.size() * sizeof(contract::VipInfo));
  if (!directory) return Error{directory.error()};
  blocks.vip_directory = *directory;
  return {};
}

const SnapshotBuilder::PoolBlocks& SnapshotBuilder::before_of(const std::string& pool, size_t place) const {
  static const PoolBlocks kNone;
  // Pools keep their places, but for those added or removed.
  if (place < current_.pools.size() && current_.pools[place].row->name == pool) return current_.pools[place];
  const auto found = std::find_if(current_.pools.begin(), current_.pools.end(),
                                  [&pool](const PoolBlocks& blocks) { return blocks.row->name == pool; });
  return found == current_.pools.end() ? kNone : *found;
}

Result<SnapshotBuilder::PoolBlocks> SnapshotBuilder::build_pool(const SnapshotRows& rows,
                                                                const std::shared_ptr<const PoolRow>& shared,
                                                                const PoolBlocks& before) {
  const PoolRow& row = *shared;
  PoolBlocks blocks;
  blocks.row = shared;
  blocks.fingerprint = fingerprint_of(rows.hash_key, row);
  if (before.row != nullptr && before.row->ring == row.ring) {
    blocks.ring = before.ring;
  } else {
    const Ring& ring = row.ring->ring();
    auto stored = share_or_store(before.ring, BlockKind::ring, ring.data(), ring.size() * sizeof(uint16_t));
    if (!stored) return Error{stored.error()};
    blocks.ring = *stored;
  }
  std::vector<contract::Seat> seats;
  seats.reserve(row.holders.size());
  for (size_t s = 0; s < row.holders.size(); ++s) seats.push_back(seat_of(rows, row, s));
  auto stored_seats =
      share_or_store(before.seats, BlockKind::seats, seats.data(), seats.size() * sizeof(contract::Seat));
  if (!stored_seats) return Error{stored_seats.error()};
  blocks.seats = *stored_seats;
  blocks.way = contract::common_way(seats);

  const std::vector<std::byte> directory = directory_of(row);
  auto stored_directory =
      share_or_store(before.directory, BlockKind::pool_directory, directory.data(), directory.size());
  if (!stored_directory) return Error{stored_directory.error()};
  blocks.directory = *stored_directory;
  return blocks;
}

Result<void> SnapshotBuilder::build_pools(const SnapshotRows& rows, Blocks& blocks) {
  // Seats and fingerprints are made with these.
  const bool same_instance = current_.hash_key == rows.hash_key && current_.outer_source == rows.outer_source &&
                             current_.entropy_bits == rows.entropy_bits;
  blocks.hash_key = rows.hash_key;
  blocks.outer_source = rows.outer_source;
  blocks.entropy_bits = rows.entropy_bits;
  blocks.pools.reserve(rows.pools.size());
  for (const auto& row : rows.pools) {
    const PoolBlocks& before = before_of(row->name, blocks.pools.size());
    if (same_instance && before.row == row) {
      blocks.pools.push_back(before);
      continue;
    }
    auto built = build_pool(rows, row, before);
    if (!built) return Error{built.error()};
    blocks.pools.push_back(std::move(*built));
  }
  return {};
}

Result<contract::Published> SnapshotBuilder::publish(const SnapshotRows& rows) {
  Blocks blocks;
  if (auto vips = build_vips(rows, blocks); !vips) return Error{vips.error()};
  if (auto pools = build_pools(rows, blocks); !pools) return Error{pools.error()};
  std::vector<contract::PoolRecord> records;
  std::vector<uint64_t> fingerprints;
  std::vector<BlockRef> held{blocks.vip_index, blocks.vip_directory};
  records.reserve(blocks.pools.size());
  fingerprints.reserve(blocks.pools.size());
  held.reserve(3 * blocks.pools.size() + 5);  // and what follows, the root included
  for (const PoolBlocks& pool : blocks.pools) {
    contract::PoolRecord record{};
    record.ring = pool.ring->offset();
    record.seats = pool.seats->offset();
    record.ring_size = static_cast<uint32_t>(pool.row->ring->ring().size());
    record.seat_count = static_cast<uint32_t>(pool.row->holders.size());
    record.directory = pool.directory->offset();
    record.least_mtu = pool.way.least_mtu;
    record.port = pool.way.port;
    records.push_back(record);
    fingerprints.push_back(pool.fingerprint);
    held.insert(held.end(), {pool.ring, pool.seats, pool.directory});
  }
  auto table = share_or_store(current_.pool_table, BlockKind::pool_table, records.data(),
                              records.size() * sizeof(contract::PoolRecord));
  if (!table) return Error{table.error()};
  blocks.pool_table = *table;
  held.push_back(blocks.pool_table);

  contract::SnapshotRoot root{};
  if (!rows.overlay.empty()) {
    auto overlay = share_or_store(current_.overlay, BlockKind::overlay, rows.overlay.data(), rows.overlay.size());
    if (!overlay) return Error{overlay.error()};
    blocks.overlay = *overlay;
    held.push_back(blocks.overlay);
    root.overlay = blocks.overlay->offset();
  }
  root.hash_key = rows.hash_key;
  root.entropy_mask = contract::entropy_mask(rows.entropy_bits);
  root.sampled_below = contract::sampled_below(rows.handshake_sampling);
  root.vip_index = blocks.vip_index->offset();
  root.vip_bucket_mask = blocks.vip_bucket_mask;
  root.pool_count = static_cast<uint32_t>(records.size());
  root.pools = blocks.pool_table->offset();
  root.fingerprint = fingerprint_of(rows, fingerprints);
  root.vip_directory = blocks.vip_directory->offset();
  root.vip_count = static_cast<uint32_t>(rows.vips.size());
  auto published = publisher_.publish(root, std::move(held));
  if (published) current_ = std::move(blocks);
  return published;
}

}  // namespace warmswap::table
