#include "dataplane/balance/pipeline.h"

#include "dataplane/balance/flow_hash_burst.h"
#include "dataplane/packet/ipip.h"
#include "dataplane/packet/parse.h"

namespace warmswap::balance {
namespace {

using contract::DropReason;
using packet::FrameKind;
using packet::Packet;
using packet::ParsedFrame;
using packet::Verdict;

void prefetch(const void* line) noexcept {
  __builtin_prefetch(line, 0, 3);
}
void prefetch_to_write(const void* line) noexcept {
  __builtin_prefetch(line, 1, 3);
}

/// What the stages know about one packet. Each field is written by one stage and read by a later one.
struct Work {
  ParsedFrame parsed;
  Packet* packet;
  uint32_t vip_home;
  uint32_t vip;
  const contract::PoolRecord* pool;
  const uint16_t* slot;
  const contract::Seat* seat;
};
static_assert(sizeof(Work) == 64, "one cache line, and an address without a multiplication");

/// Runs the stages over at most kBurstPackets. `work_` holds the packets without a verdict, closed up after each
/// stage, so that later stages do not test again what earlier ones decided.
class Burst {
 public:
  Burst(const SnapshotView& snapshot, contract::WorkerRegion& region, const contract::Geometry& geometry) noexcept
      : snapshot_(snapshot),
        region_(region),
        vip_counters_(region.vips()),
        backend_counters_(region.backends(geometry)) {}

  void run(Packet* packets, size_t count) noexcept {
    parse(packets, packets + count);
    find_vips();
    flow_hash_burst(snapshot_.hash_key(), first_, second_, hashes_, count_);
    find_slots();
    find_seats();
    encapsulate();
    region_.totals.passed_packets.add(passed_);
  }

 private:
  void parse(Packet* packets, const Packet* end) noexcept {
    for (const Packet* packet = packets; packet != end; ++packet) prefetch_to_write(packet->frame);
    Work* kept = work_;
    for (Packet* packet = packets; packet != end; ++packet) {
      ParsedFrame& parsed = kept->parsed;
      parsed = packet::parse(*packet);
      if (parsed.kind == FrameKind::malformed) [[unlikely]] {
        drop(*packet, parsed.reason);
        continue;
      }
      if (parsed.kind == FrameKind::other || snapshot_.empty()) [[unlikely]] {
        pass(*packet);
        continue;
      }
      kept->packet = packet;
      kept->vip_home = snapshot_.vip_home(vip_key(parsed));
      prefetch(snapshot_.vip_bucket(kept->vip_home));
      ++kept;
    }
    count_ = static_cast<size_t>(kept - work_);
  }

  void find_vips() noexcept {
    size_t kept = 0;
    for (size_t i = 0; i < count_; ++i) {
      Work& work = work_[i];
      const contract::VipEntry* entry = snapshot_.find_vip(vip_key(work.parsed), work.vip_home);
      if (entry == nullptr || work.parsed.kind != FrameKind::flow) [[unlikely]] {
        entry = without_exact_vip(work, entry);
        if (entry == nullptr) continue;
      }
      work.vip = entry->vip;
      work.pool = snapshot_.pool(entry->pool);
      prefetch(work.pool);
      prefetch_to_write(vip_counters_ + entry->vip);
      const contract::FlowWords words = contract::flow_words(work.parsed.flow_key());
      first_[kept] = words.first;
      second_[kept] = words.second;
      keep(kept++, i);
    }
    count_ = kept;
  }

  /// The any-port vip of a flow, or nullptr after a verdict. `found` is what the first look-up gave: for a packet
  /// without ports that was the address entry.
  [[gnu::noinline]] const contract::VipEntry* without_exact_vip(const Work& work,
                                                                const contract::VipEntry* found) noexcept {
    const ParsedFrame& parsed = work.parsed;
    const auto find = [this](const contract::VipKey& key) { return snapshot_.find_vip(key, snapshot_.vip_home(key)); };
    if (parsed.kind != FrameKind::flow) {
      found != nullptr ? drop(*work.packet, parsed.reason) : pass(*work.packet);
      return nullptr;
    }
    const contract::VipEntry* any_port = find({parsed.destination(), contract::Be16(), parsed.protocol});
    if (any_port != nullptr) return any_port;
    const bool is_vip = find({parsed.destination(), contract::Be16(), 0}) != nullptr;
    is_vip ? drop(*work.packet, DropReason::no_vip_port) : pass(*work.packet);
    return nullptr;
  }

  void find_slots() noexcept {
    for (size_t i = 0; i < count_; ++i) {
      Work& work = work_[i];
      work.slot = snapshot_.ring(*work.pool) + contract::ring_slot(hashes_[i], work.pool->ring_size);
      prefetch(work.slot);
    }
  }

  void find_seats() noexcept {
    size_t kept = 0;
    for (size_t i = 0; i < count_; ++i) {
      Work& work = work_[i];
      const uint16_t seat = *work.slot;
      count(vip_counters_[work.vip], work.parsed.ip_length);
      if (seat == contract::kNoSeat) [[unlikely]] {
        drop(*work.packet, DropReason::no_backend);
        continue;
      }
      work.seat = snapshot_.seats(*work.pool) + seat;
      prefetch(work.seat);
      hashes_[kept] = hashes_[i];
      keep(kept++, i);
    }
    count_ = kept;
  }

  void encapsulate() noexcept {
    uint64_t forwarded = 0;
    for (size_t i = 0; i < count_; ++i) {
      const Work& work = work_[i];
      const contract::Seat& seat = *work.seat;
      if (seat.backend == contract::kNoBackend) [[unlikely]] {
        drop(*work.packet, DropReason::no_backend);
      } else if ((seat.flags & contract::kSeatResolved) == 0) [[unlikely]] {
        drop(*work.packet, DropReason::next_hop_unresolved);
      } else if (!packet::ipip_possible(seat, *work.packet, work.parsed)) [[unlikely]] {
        drop(*work.packet, packet::ipip_obstacle(seat, *work.packet, work.parsed));
      } else {
        packet::encapsulate_ipip(seat, hashes_[i], work.parsed, *work.packet);
        count(backend_counters_[seat.backend], work.parsed.ip_length);
        ++forwarded;
      }
    }
    region_.totals.forwarded_packets.add(forwarded);
  }

  void keep(size_t place, size_t i) noexcept {
    if (place != i) [[unlikely]]
      work_[place] = work_[i];
  }

  static contract::VipKey vip_key(const ParsedFrame& parsed) noexcept {
    return {parsed.destination(), contract::Be16::from_raw(static_cast<uint16_t>(parsed.ports >> 16)), parsed.protocol};
  }

  static void count(contract::TrafficCounter& counter, uint32_t bytes) noexcept {
    counter.packets.add(1);
    counter.bytes.add(bytes);
  }

  void drop(Packet& packet, DropReason reason) noexcept {
    packet.verdict = Verdict::drop;
    packet.reason = reason;
    region_.drops[static_cast<size_t>(reason)].add(1);
  }

  void pass(Packet& packet) noexcept {
    packet.verdict = Verdict::pass;
    packet.reason = snapshot_.empty() ? DropReason::no_snapshot : DropReason::no_exception_port;
    ++passed_;
  }

  const SnapshotView snapshot_;
  contract::WorkerRegion& region_;
  contract::TrafficCounter* vip_counters_;
  contract::TrafficCounter* backend_counters_;
  uint32_t passed_ = 0;
  size_t count_ = 0;
  alignas(contract::kCacheLine) Work work_[kBurstPackets];
  alignas(contract::kCacheLine) uint64_t first_[kBurstPackets];
  uint64_t second_[kBurstPackets];
  uint64_t hashes_[kBurstPackets];
};

}  // namespace

void process_burst(const SnapshotView& snapshot, std::span<Packet> packets, contract::WorkerRegion& region,
                   const contract::Geometry& geometry) noexcept {
  while (!packets.empty()) {
    const size_t size = packets.size() < kBurstPackets ? packets.size() : kBurstPackets;
    Burst(snapshot, region, geometry).run(packets.data(), size);
    packets = {packets.data() + size, packets.size() - size};
  }
}

}  // namespace warmswap::balance
