#include "dataplane/contract/verify.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <string>

#include "dataplane/contract/seat.h"
#include "dataplane/contract/wire.h"

namespace warmswap::contract {
namespace {

const char* kind_name(BlockKind kind) {
  switch (kind) {
    case BlockKind::none:
      return "freed block";
    case BlockKind::root:
      return "root";
    case BlockKind::vip_index:
      return "vip index";
    case BlockKind::pool_table:
      return "pool table";
    case BlockKind::ring:
      return "ring";
    case BlockKind::seats:
      return "seats";
    case BlockKind::pool_directory:
      return "pool directory";
    case BlockKind::vip_directory:
      return "vip directory";
    case BlockKind::overlay:
      return "overlay";
  }
  return "unknown block";
}

const SegmentHeader& header_of(const std::byte* base) {
  return *reinterpret_cast<const SegmentHeader*>(base);
}

bool name_terminated(const char (&name)[kNameBytes]) {
  return strnlen(name, kNameBytes) < kNameBytes;
}

/// Branch-free so that it vectorises: a 65537-slot ring is scanned in microseconds.
bool ring_in_range(const uint16_t* ring, uint32_t size, uint32_t seat_count) {
  uint32_t bad = 0;
  for (uint32_t i = 0; i < size; ++i) bad |= static_cast<uint32_t>(ring[i] >= seat_count) & (ring[i] != kNoSeat);
  return bad == 0;
}

/// The block's payload, or nullptr when it has been found sound in this use already: nothing of it needs to be read.
Result<const std::byte*> unread_block(const std::byte* base, const BlockUse& use, const KnownBlock& known) {
  if (known && known(use)) return nullptr;
  return checked_block(base, use.payload, use.kind, use.bytes);
}

Result<void> verify_vips(const std::byte* base, const SnapshotRoot& root, const KnownBlock& known) {
  const uint64_t buckets = uint64_t{root.vip_bucket_mask} + 1;
  if (!std::has_single_bit(buckets)) {
    return Error{"vip index of " + std::to_string(buckets) + " buckets: expected a power of two"};
  }
  auto block = unread_block(base, vip_index_of(root), known);
  if (!block) return Error{block.error()};
  if (*block == nullptr) return {};
  const auto* bucket = reinterpret_cast<const VipBucket*>(*block);
  const uint32_t capacity = header_of(base).geometry.vip_capacity;
  bool has_room = false;
  for (uint64_t i = 0; i < buckets; ++i) {
    for (const VipEntry& entry : bucket[i].entries) {
      // The dataplane looks for the word alone, so a word without a pool must be one that no packet can have.
      if (entry.pool == kNoPool && entry.protocol == 0 && entry.port == Be16() && entry.address == Be32()) {
        has_room = true;
      } else if (entry.pool >= root.pool_count || entry.vip >= capacity) {
        return Error{"vip entry " + std::to_string(entry.vip) + " refers to pool " + std::to_string(entry.pool) +
                     " of " + std::to_string(root.pool_count)};
      }
    }
  }
  if (!has_room) return Error{"vip index without an empty entry: a look-up of an unknown address would not end"};
  return {};
}

Result<void> verify_ring(const std::byte* base, const PoolRecord& pool, const KnownBlock& known) {
  if (pool.ring_size < kMinRingSize || pool.ring_size > kMaxRingSize || pool.seat_count >= kNoSeat) {
    return Error{"ring of " + std::to_string(pool.ring_size) + " slots and " + std::to_string(pool.seat_count) +
                 " seats: out of range"};
  }
  auto ring = unread_block(base, ring_of(pool), known);
  if (!ring) return Error{ring.error()};
  if (*ring == nullptr) return {};
  if (ring_in_range(reinterpret_cast<const uint16_t*>(*ring), pool.ring_size, pool.seat_count)) return {};
  return Error{"a ring slot names a seat beyond " + std::to_string(pool.seat_count)};
}

/// What the pipeline fills in or adds up without looking (packet/ipip.h), of a seat that can be sent to.
bool template_is_sound(const Seat& seat, Be32 entropy_mask) {
  const uint8_t* ip = seat.header + sizeof(EthernetHeader);
  const auto header = load<Ipv4Header>(ip);
  const bool unfilled = header.tos == 0 && header.total_length == Be16() && header.identification == Be16() &&
                        header.flags_fragment == Be16() && header.checksum == 0 &&
                        (header.source.raw() & entropy_mask.raw()) == 0;
  return seat.encapsulation == Encapsulation::ipip && unfilled && seat.header_sum == outer_header_sum(seat);
}

Result<void> verify_seat(const Seat& seat, uint32_t backends, Be32 entropy_mask) {
  const bool encapsulates = seat.encapsulation == Encapsulation::none || seat.encapsulation == Encapsulation::ipip;
  const bool in_range = (seat.backend < backends || seat.backend == kNoBackend) && seat.port < kPortCapacity;
  if (!encapsulates || !in_range) {
    return Error{"has backend " + std::to_string(seat.backend) + ", port " + std::to_string(seat.port) +
                 ", encapsulation " + std::to_string(static_cast<unsigned>(seat.encapsulation)) + ": out of range"};
  }
  if (seat.mtu == 0) return {};
  if (seat.backend == kNoBackend || (seat.flags & kSeatResolved) == 0) {
    return Error{"cannot be sent to, but has an MTU of " + std::to_string(seat.mtu) + ": expected 0"};
  }
  if (template_is_sound(seat, entropy_mask)) return {};
  return Error{
      "has an outer header that the pipeline cannot complete: expected IPIP, its varying fields 0, and its sum"};
}

Result<void> verify_seats(const std::byte* base, const SnapshotRoot& root, const PoolRecord& pool,
                          const KnownBlock& known) {
  auto block = unread_block(base, seats_of(root, pool), known);
  if (!block) return Error{block.error()};
  if (*block == nullptr) return {};
  const std::span<const Seat> seats(reinterpret_cast<const Seat*>(*block), pool.seat_count);
  for (size_t i = 0; i < seats.size(); ++i) {
    if (auto sound = verify_seat(seats[i], header_of(base).geometry.backend_capacity, root.entropy_mask); !sound) {
      return Error{"seat " + std::to_string(i) + " " + sound.error()};
    }
  }
  const CommonWay way = common_way(seats);
  if (way != CommonWay{pool.least_mtu, pool.port}) {
    return Error{"says of all its seats MTU " + std::to_string(pool.least_mtu) + ", port " + std::to_string(pool.port) +
                 ": they have " + std::to_string(way.least_mtu) + ", " + std::to_string(way.port)};
  }
  return {};
}

Result<void> verify_directory(const std::byte* base, const PoolRecord& pool, const KnownBlock& known) {
  if (pool.directory == 0) return {};
  auto info = unread_block(base, directory_of(pool), known);
  if (!info) return Error{info.error()};
  if (*info == nullptr) return {};
  const auto& directory = *reinterpret_cast<const PoolInfo*>(*info);
  auto whole = checked_block(base, pool.directory, BlockKind::pool_directory,
                             sizeof(PoolInfo) + uint64_t{directory.backend_count} * sizeof(BackendInfo) +
                                 uint64_t{directory.seat_count} * sizeof(SeatInfo));
  if (!whole) return Error{whole.error()};
  if (directory.seat_count != pool.seat_count) {
    return Error{"the directory tells of " + std::to_string(directory.seat_count) + " seats, the pool has " +
                 std::to_string(pool.seat_count)};
  }
  const auto* backends = reinterpret_cast<const BackendInfo*>(&directory + 1);
  const bool named = name_terminated(directory.name) &&
                     std::all_of(backends, backends + directory.backend_count,
                                 [](const BackendInfo& backend) { return name_terminated(backend.name); });
  if (!named) return Error{"a name in the directory has no end"};
  const auto* seats = reinterpret_cast<const SeatInfo*>(backends + directory.backend_count);
  const auto known_backend = [&](uint16_t index) { return index < directory.backend_count; };
  const bool seated = std::all_of(seats, seats + directory.seat_count, [&](const SeatInfo& seat) {
    return known_backend(seat.owner) && (seat.holder == kNoBackend || known_backend(seat.holder)) &&
           seat.share <= kWhole;
  });
  if (!seated)
    return Error{"a seat of the directory names a backend beyond " + std::to_string(directory.backend_count)};
  return {};
}

Result<void> verify_pool(const std::byte* base, const SnapshotRoot& root, const PoolRecord& pool,
                         const KnownBlock& known) {
  if (auto ring = verify_ring(base, pool, known); !ring) return ring;
  if (auto seats = verify_seats(base, root, pool, known); !seats) return seats;
  return verify_directory(base, pool, known);
}

Result<void> verify_cold(const std::byte* base, const SnapshotRoot& root, const KnownBlock& known) {
  if (root.vip_directory != 0) {
    auto vips = unread_block(base, vip_directory_of(root), known);
    if (!vips) return Error{vips.error()};
    const auto* info = reinterpret_cast<const VipInfo*>(*vips);
    for (uint32_t i = 0; info != nullptr && i < root.vip_count; ++i) {
      if (!name_terminated(info[i].name)) return Error{"a vip's name has no end"};
    }
  }
  if (root.overlay != 0) {
    if (auto overlay = checked_block(base, root.overlay, BlockKind::overlay, 0); !overlay)
      return Error{overlay.error()};
  }
  return {};
}

}  // namespace

BlockUse vip_index_of(const SnapshotRoot& root) noexcept {
  const uint64_t buckets = uint64_t{root.vip_bucket_mask} + 1;
  return {root.vip_index, BlockKind::vip_index, buckets * sizeof(VipBucket), root.pool_count};
}

BlockUse vip_directory_of(const SnapshotRoot& root) noexcept {
  return {root.vip_directory, BlockKind::vip_directory, uint64_t{root.vip_count} * sizeof(VipInfo), root.vip_count};
}

BlockUse ring_of(const PoolRecord& pool) noexcept {
  return {pool.ring, BlockKind::ring, uint64_t{pool.ring_size} * sizeof(uint16_t), pool.seat_count};
}

BlockUse seats_of(const SnapshotRoot& root, const PoolRecord& pool) noexcept {
  const auto entropy_bits = static_cast<uint64_t>(std::popcount(root.entropy_mask.raw()));
  return {pool.seats, BlockKind::seats, uint64_t{pool.seat_count} * sizeof(Seat),
          pool.seat_count | uint64_t{pool.least_mtu} << 32 | uint64_t{pool.port} << 48 | entropy_bits << 56};
}

BlockUse directory_of(const PoolRecord& pool) noexcept {
  return {pool.directory, BlockKind::pool_directory, sizeof(PoolInfo), pool.seat_count};
}

Result<const std::byte*> checked_block(const std::byte* base, Offset payload, BlockKind kind, uint64_t bytes) {
  const SegmentHeader& header = header_of(base);
  // A publish asks for every block of the snapshot: words are only made when there is something to say.
  const auto name = [kind] { return std::string(kind_name(kind)); };
  const uint64_t end = header.segment_bytes;
  if (payload % kCacheLine != 0 || payload < header.arena + sizeof(BlockHeader) || payload >= end) {
    return Error{name() + " at offset " + std::to_string(payload) + " lies outside the arena"};
  }
  const auto& block = *reinterpret_cast<const BlockHeader*>(base + payload - sizeof(BlockHeader));
  if (block.kind != static_cast<uint32_t>(kind)) {
    return Error{"expected a " + name() + " at offset " + std::to_string(payload) + ", found a " +
                 kind_name(static_cast<BlockKind>(block.kind))};
  }
  if (block.bytes < bytes || block.bytes > end - payload) {
    return Error{name() + " at offset " + std::to_string(payload) + " holds " + std::to_string(block.bytes) +
                 " bytes, expected " + std::to_string(bytes)};
  }
  return base + payload;
}

Result<void> verify_snapshot(const std::byte* base, Offset root_offset, const KnownBlock& known) {
  if (root_offset == 0) return {};
  auto block = checked_block(base, root_offset, BlockKind::root, sizeof(SnapshotRoot));
  if (!block) return Error{block.error()};
  const auto& root = *reinterpret_cast<const SnapshotRoot*>(*block);
  const uint32_t entropy = root.entropy_mask.host();
  if ((entropy & (entropy + 1)) != 0 || entropy > entropy_mask(kMaxEntropyBits).host()) {
    return Error{"entropy mask " + std::to_string(entropy) + ": expected 2^n - 1, n at most " +
                 std::to_string(kMaxEntropyBits)};
  }
  if (root.generation == 0) return Error{"a snapshot of generation 0: generations begin at 1"};
  if (auto vips = verify_vips(base, root, known); !vips) return vips;
  auto pools = checked_block(base, root.pools, BlockKind::pool_table, uint64_t{root.pool_count} * sizeof(PoolRecord));
  if (!pools) return Error{pools.error()};
  const auto* pool = reinterpret_cast<const PoolRecord*>(*pools);
  for (uint32_t i = 0; i < root.pool_count; ++i) {
    if (auto sound = verify_pool(base, root, pool[i], known); !sound) {
      return Error{"pool " + std::to_string(i) + ": " + sound.error()};
    }
  }
  return verify_cold(base, root, known);
}

}  // namespace warmswap::contract
