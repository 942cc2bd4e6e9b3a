#include "dataplane/balance/pipeline.h"

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
  uint32_t vip_home;
  uint32_t vip;
  uint64_t hash;
  const contract::PoolRecord* pool;
  const uint16_t* slot;
  const contract::Seat* seat;
};

/// Runs the stages over at most kBurstPackets. `alive_` lists the packets without a verdict; each stage keeps a
/// shorter list, so that later stages do not test again what earlier ones decided.
class Burst {
 public:
  Burst(const SnapshotView& snapshot, std::span<Packet> packets, contract::WorkerRegion& region,
        const contract::Geometry& geometry) noexcept
      : snapshot_(snapshot),
        packets_(packets.data()),
        count_(static_cast<uint32_t>(packets.size())),
        region_(region),
        vip_counters_(region.vips()),
        backend_counters_(region.backends(geometry)) {}

  void run() noexcept {
    parse();
    find_vips();
    find_slots();
    find_seats();
    encapsulate();
    region_.totals.forwarded_packets.add(forwarded_);
    region_.totals.passed_packets.add(passed_);
  }

 private:
  void parse() noexcept {
    for (uint32_t i = 0; i < count_; ++i) prefetch_to_write(packets_[i].frame);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count_; ++i) {
      ParsedFrame& parsed = work_[i].parsed;
      parsed = packet::parse(packets_[i]);
      if (parsed.kind == FrameKind::malformed) [[unlikely]] {
        drop(i, parsed.reason);
      } else if (parsed.kind == FrameKind::other || snapshot_.empty()) [[unlikely]] {
        pass(i);
      } else {
        work_[i].vip_home = snapshot_.vip_home(vip_key(parsed));
        prefetch(snapshot_.vip_bucket(work_[i].vip_home));
        alive_[kept++] = static_cast<uint8_t>(i);
      }
    }
    alive_count_ = kept;
  }

  void find_vips() noexcept {
    uint32_t kept = 0;
    for (uint32_t a = 0; a < alive_count_; ++a) {
      const uint32_t i = alive_[a];
      Work& work = work_[i];
      const contract::VipEntry* entry = snapshot_.find_vip(vip_key(work.parsed), work.vip_home);
      if (entry == nullptr || work.parsed.kind != FrameKind::flow) [[unlikely]] {
        entry = without_exact_vip(i, entry);
        if (entry == nullptr) continue;
      }
      work.vip = entry->vip;
      work.pool = snapshot_.pool(entry->pool);
      prefetch(work.pool);
      prefetch_to_write(vip_counters_ + entry->vip);
      work.hash = contract::flow_hash(snapshot_.hash_key(), work.parsed.flow_key());
      alive_[kept++] = static_cast<uint8_t>(i);
    }
    alive_count_ = kept;
  }

  /// The any-port vip of a flow, or nullptr after a verdict. `found` is what the first look-up gave: for a packet
  /// without ports that was the address entry.
  [[gnu::noinline]] const contract::VipEntry* without_exact_vip(uint32_t i, const contract::VipEntry* found) noexcept {
    const ParsedFrame& parsed = work_[i].parsed;
    const auto find = [this](const contract::VipKey& key) noexcept {
      return snapshot_.find_vip(key, snapshot_.vip_home(key));
    };
    if (parsed.kind != FrameKind::flow) {
      found != nullptr ? drop(i, parsed.reason) : pass(i);
      return nullptr;
    }
    const contract::VipEntry* any_port = find({parsed.destination(), contract::Be16(), parsed.protocol});
    if (any_port != nullptr) return any_port;
    find({parsed.destination(), contract::Be16(), 0}) != nullptr ? drop(i, DropReason::no_vip_port) : pass(i);
    return nullptr;
  }

  void find_slots() noexcept {
    for (uint32_t a = 0; a < alive_count_; ++a) {
      Work& work = work_[alive_[a]];
      work.slot = snapshot_.ring(*work.pool) + contract::ring_slot(work.hash, work.pool->ring_size);
      prefetch(work.slot);
    }
  }

  void find_seats() noexcept {
    uint32_t kept = 0;
    for (uint32_t a = 0; a < alive_count_; ++a) {
      const uint32_t i = alive_[a];
      Work& work = work_[i];
      const uint16_t seat = *work.slot;
      count(vip_counters_[work.vip], work.parsed.ip_length);
      if (seat == contract::kNoSeat) [[unlikely]] {
        drop(i, DropReason::no_backend);
        continue;
      }
      work.seat = snapshot_.seats(*work.pool) + seat;
      prefetch(work.seat);
      alive_[kept++] = static_cast<uint8_t>(i);
    }
    alive_count_ = kept;
  }

  void encapsulate() noexcept {
    for (uint32_t a = 0; a < alive_count_; ++a) {
      const uint32_t i = alive_[a];
      const Work& work = work_[i];
      const contract::Seat& seat = *work.seat;
      Packet& packet = packets_[i];
      if (seat.backend == contract::kNoBackend) [[unlikely]] {
        drop(i, DropReason::no_backend);
      } else if ((seat.flags & contract::kSeatResolved) == 0) [[unlikely]] {
        drop(i, DropReason::next_hop_unresolved);
      } else if (!packet::ipip_possible(seat, packet, work.parsed)) [[unlikely]] {
        drop(i, packet::ipip_obstacle(seat, packet, work.parsed));
      } else {
        packet::encapsulate_ipip(seat, work.hash, work.parsed, packet);
        count(backend_counters_[seat.backend], work.parsed.ip_length);
        ++forwarded_;
      }
    }
  }

  static contract::VipKey vip_key(const ParsedFrame& parsed) noexcept {
    return {parsed.destination(), contract::Be16::from_raw(static_cast<uint16_t>(parsed.ports >> 16)), parsed.protocol};
  }

  static void count(contract::TrafficCounter& counter, uint32_t bytes) noexcept {
    counter.packets.add(1);
    counter.bytes.add(bytes);
  }

  void drop(uint32_t i, DropReason reason) noexcept {
    packets_[i].verdict = Verdict::drop;
    packets_[i].reason = reason;
    region_.drops[static_cast<size_t>(reason)].add(1);
  }

  void pass(uint32_t i) noexcept {
    packets_[i].verdict = Verdict::pass;
    packets_[i].reason = snapshot_.empty() ? DropReason::no_snapshot : DropReason::no_exception_port;
    ++passed_;
  }

  const SnapshotView& snapshot_;
  Packet* packets_;
  uint32_t count_;
  contract::WorkerRegion& region_;
  contract::TrafficCounter* vip_counters_;
  contract::TrafficCounter* backend_counters_;
  uint32_t alive_count_ = 0;
  uint32_t forwarded_ = 0;
  uint32_t passed_ = 0;
  uint8_t alive_[kBurstPackets];
  Work work_[kBurstPackets];
};
static_assert(kBurstPackets <= 256, "alive_ holds indices in a byte");

}  // namespace

void process_burst(const SnapshotView& snapshot, std::span<Packet> packets, contract::WorkerRegion& region,
                   const contract::Geometry& geometry) noexcept {
  while (!packets.empty()) {
    const size_t size = packets.size() < kBurstPackets ? packets.size() : kBurstPackets;
    Burst(snapshot, {packets.data(), size}, region, geometry).run();
    packets = {packets.data() + size, packets.size() - size};
  }
}

}  // namespace warmswap::balance
