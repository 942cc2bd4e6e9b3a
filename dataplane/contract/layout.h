// The shared-memory layout: the only contract between the dataplane and the control plane.
//
// One file-backed segment per instance, in regions that start on 2 MiB boundaries (so that the file may live on
// hugetlbfs and each region may be mapped with its own protection):
//
//     header     SegmentHeader                        both write, each its own cache lines
//     workers    worker_capacity × worker_stride      the dataplane writes, one worker per stride
//     arena      arena_bytes                          the control plane writes; read-only in the dataplane
//
// Everything in the arena that `root` leads to is immutable while it can be reached. References are byte offsets from
// the start of the segment, never pointers; 0 means "none". docs/contract.md explains the protocol and lists the
// offsets, which layout_test.cc checks. Any change to this file that moves a byte or a meaning needs a new kAbiVersion.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "dataplane/contract/drop_reason.h"
#include "dataplane/contract/flow_hash.h"
#include "dataplane/contract/wire.h"

namespace warmswap::contract {

inline constexpr char kSegmentMagic[8] = {'W', 'A', 'R', 'M', 'S', 'W', 'A', 'P'};
inline constexpr uint32_t kAbiVersion = 5;

inline constexpr size_t kCacheLine = 64;
inline constexpr size_t kRegionAlignment = size_t{2} << 20;
inline constexpr size_t kNameBytes = 64;  // names are NUL-terminated, so at most 63 characters
inline constexpr size_t kPortCapacity = 16;
inline constexpr size_t kDropCounterCapacity = 64;
static_assert(kDropReasonCount <= kDropCounterCapacity, "the per-worker drop counters have a fixed place");

using Offset = uint64_t;

static_assert(std::atomic<uint64_t>::is_always_lock_free && std::atomic<uint32_t>::is_always_lock_free,
              "atomics in shared memory must not hide a lock");

// --------------------------------------------------------------------------------------------- the header region

/// What the file was created for. Two processes agree on a segment only when these are equal.
struct Geometry {
  uint32_t worker_capacity = 16;
  uint32_t vip_capacity = 16384;
  uint32_t backend_capacity = 16384;
  uint32_t reserved = 0;
  uint64_t arena_bytes = uint64_t{256} << 20;
  friend bool operator==(const Geometry&, const Geometry&) = default;
};
static_assert(sizeof(Geometry) == 24);

/// A port of the dataplane as the control plane needs it to write next hops. Written by the dataplane before it
/// raises DataplaneLine::epoch, constant until the next epoch.
struct PortRecord {
  char name[32];       // from the configuration
  char interface[16];  // the kernel interface whose routes and neighbours count for this port
  MacAddress mac;
  uint16_t mtu;  // largest layer-3 packet
  uint32_t present;
  uint32_t reserved;
};
static_assert(sizeof(PortRecord) == 64);

enum class DataplaneState : uint32_t { stopped = 0, starting = 1, running = 2, frozen = 3 };

/// Written by the dataplane only.
struct alignas(kCacheLine) DataplaneLine {
  std::atomic<uint64_t> epoch;       // raised by one at each start, after the port records are written (release)
  std::atomic<uint64_t> started_ns;  // CLOCK_REALTIME
  std::atomic<uint64_t> tick_ns;     // CLOCK_MONOTONIC of the housekeeping loop, every ≤ 100 ms
  std::atomic<uint64_t> lease_expiries;
  std::atomic<uint32_t> state;  // DataplaneState
  std::atomic<uint32_t> pid;
  std::atomic<uint32_t> worker_count;
  std::atomic<uint32_t> port_count;
};
static_assert(sizeof(DataplaneLine) == kCacheLine);

/// Written by the control plane only.
struct alignas(kCacheLine) ControlLine {
  std::atomic<Offset> root;              // current SnapshotRoot; 0 before the first publish; seq_cst, see publisher.h
  std::atomic<uint64_t> lease_until_ns;  // CLOCK_MONOTONIC; the dataplane freezes after it
  std::atomic<uint64_t> epoch;           // raised by one at each attach of a control plane
  std::atomic<uint64_t> publishes;
  std::atomic<uint32_t> pid;
  std::atomic<uint32_t> reserved;
  uint64_t padding[3];
};
static_assert(sizeof(ControlLine) == kCacheLine);

enum class ReaderState : uint32_t { offline = 0, online = 1 };

/// What one reader of snapshots tells the control plane. `generation` is the quiescent state: the reader holds no
/// reference to anything older. It is stored (release) only when it changes; the publisher reads it (acquire) before
/// reuse.
struct alignas(kCacheLine) Quiescence {
  std::atomic<uint64_t> generation;
  std::atomic<uint64_t> seen_ns;  // CLOCK_MONOTONIC when `generation` was stored
  std::atomic<uint32_t> state;    // ReaderState; seq_cst, see publisher.h
  uint32_t padding0;
  uint64_t padding[5];
};
static_assert(sizeof(Quiescence) == kCacheLine);

struct alignas(kCacheLine) SegmentHeader {
  char magic[8];
  uint32_t abi_version;
  uint32_t header_bytes;  // sizeof(SegmentHeader)
  Geometry geometry;
  uint64_t segment_bytes;
  Offset workers;
  uint64_t worker_stride;
  Offset arena;
  uint64_t padding0[7];
  char instance[kNameBytes];
  DataplaneLine dataplane;
  ControlLine control;
  Quiescence housekeeper;  // the dataplane's main thread: holds memory as a worker does, forwards nothing
  PortRecord ports[kPortCapacity];
};
static_assert(offsetof(SegmentHeader, abi_version) == 8, "a reader of any version finds the version here");
static_assert(offsetof(SegmentHeader, geometry) == 16);
static_assert(offsetof(SegmentHeader, instance) == 128);
static_assert(offsetof(SegmentHeader, dataplane) == 192);
static_assert(offsetof(SegmentHeader, control) == 256);
static_assert(offsetof(SegmentHeader, housekeeper) == 320);
static_assert(offsetof(SegmentHeader, ports) == 384);
static_assert(sizeof(SegmentHeader) == 384 + 64 * kPortCapacity);

// -------------------------------------------------------------------------------------------- the workers' region

/// A counter with one writer. `add` is a plain load and store: no lock prefix, no shared line.
class Counter {
 public:
  void add(uint64_t n) noexcept { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};
static_assert(sizeof(Counter) == 8);

/// Packets and bytes with one writer.
struct alignas(16) TrafficCounter {
  Counter packets;
  Counter bytes;  // layer-3 bytes as received from the client

  void add(uint64_t more_packets, uint64_t more_bytes) noexcept {
#if defined(__SSE2__) && !defined(__SANITIZE_THREAD__)
    // Both in one store. Every processor with AVX reads and writes aligned 16 bytes whole, and any x86-64 each of the
    // halves, which is all that a reader of one counter needs.
    auto* both = reinterpret_cast<__m128i*>(this);
    const __m128i more = _mm_unpacklo_epi64(_mm_cvtsi64_si128(static_cast<long long>(more_packets)),
                                            _mm_cvtsi64_si128(static_cast<long long>(more_bytes)));
    _mm_store_si128(both, _mm_add_epi64(_mm_load_si128(both), more));
#else
    packets.add(more_packets);
    bytes.add(more_bytes);
#endif
  }
};
static_assert(sizeof(TrafficCounter) == 16);

/// What became of the sampled handshakes of one backend, each counted once; one writer. Only the way to the backend is
/// seen, so a handshake is complete with the client's first ACK.
struct alignas(32) HandshakeCounter {
  Counter completed;      // the ACK came after one SYN
  Counter retransmitted;  // the SYN came again before it
  Counter lapsed;         // neither came in kHandshakePatienceNs, or the client began anew
  Counter completed_ns;   // from SYN to ACK, summed over `completed`
};
static_assert(sizeof(HandshakeCounter) == 32);

/// A client that got no answer sends its SYN again after one second (RFC 6298, section 2.1); so long, and as much for a
/// late timer, a sampled handshake is waited for.
inline constexpr uint64_t kHandshakePatienceNs = 2'000'000'000;

struct alignas(kCacheLine) WorkerTotals {
  std::atomic<uint64_t> tick_ns;  // CLOCK_MONOTONIC, refreshed at least every 100 ms while the worker lives
  Counter received_packets;
  Counter received_bytes;
  Counter forwarded_packets;
  Counter passed_packets;  // not for a vip: the kernel's; counted as drops too where it could not be given them
  Counter loops;
  Counter idle_loops;
  std::atomic<uint32_t> cpu;
  uint32_t padding0;
};
static_assert(sizeof(WorkerTotals) == kCacheLine);

/// The places for traffic counters in a worker's stride: one for each vip and backend, and, where that is odd, one to
/// align the handshake counters that follow.
constexpr uint64_t traffic_counters(const Geometry& g) noexcept {
  return (uint64_t{g.vip_capacity} + g.backend_capacity + 1) / 2 * 2;
}
static_assert(2 * sizeof(TrafficCounter) == alignof(HandshakeCounter));

/// The fixed head of a worker's stride; TrafficCounter[vip_capacity], TrafficCounter[backend_capacity] and
/// HandshakeCounter[backend_capacity] follow.
struct alignas(kCacheLine) WorkerRegion {
  Quiescence quiescence;
  WorkerTotals totals;
  Counter drops[kDropCounterCapacity];

  TrafficCounter* vips() noexcept { return reinterpret_cast<TrafficCounter*>(this + 1); }
  const TrafficCounter* vips() const noexcept { return reinterpret_cast<const TrafficCounter*>(this + 1); }
  TrafficCounter* backends(const Geometry& g) noexcept { return vips() + g.vip_capacity; }
  const TrafficCounter* backends(const Geometry& g) const noexcept { return vips() + g.vip_capacity; }
  HandshakeCounter* handshakes(const Geometry& g) noexcept { return at_end_of<HandshakeCounter>(this, g); }
  const HandshakeCounter* handshakes(const Geometry& g) const noexcept {
    return at_end_of<const HandshakeCounter>(this, g);
  }

 private:
  template <typename T, typename Region>
  static T* at_end_of(Region* region, const Geometry& g) noexcept {
    return reinterpret_cast<T*>(region->vips() + traffic_counters(g));
  }
};
static_assert(sizeof(WorkerRegion) == 640, "the traffic counters follow at a cache line");

// ------------------------------------------------------------------------------------------------------ the arena

enum class BlockKind : uint32_t {
  none = 0,
  root = 1,
  vip_index = 2,
  pool_table = 3,
  ring = 4,
  seats = 5,
  pool_directory = 6,
  vip_directory = 7,
  overlay = 8,
};

/// Stands before every block of the arena. Offsets name the payload, one header after the block's start.
struct alignas(kCacheLine) BlockHeader {
  uint32_t kind;  // BlockKind; `none` once the block has been given back
  uint32_t reserved;
  uint64_t bytes;  // payload bytes, without padding
  uint64_t born;   // the first generation that may refer to the block
  uint64_t padding[5];
};
static_assert(sizeof(BlockHeader) == kCacheLine);

/// One generation of everything the workers read. Reached only through ControlLine::root.
struct alignas(kCacheLine) SnapshotRoot {
  uint64_t generation;  // ≥ 1, raised by one at each publish
  HashKey hash_key;
  Offset vip_index;  // VipBucket[vip_bucket_mask + 1]
  uint32_t vip_bucket_mask;
  uint32_t pool_count;
  Offset pools;            // PoolRecord[pool_count]
  Be32 entropy_mask;       // the low bits of the outer source that vary with the flow: 2^n - 1, n ≤ 24
  uint32_t sampled_below;  // handshakes are sampled of the flows with a flow_sample() below it; 0 = of none
  // Cold part: never read by a worker.
  uint64_t fingerprint;  // over configuration and assignment; equal on balancers that agree
  Offset vip_directory;  // VipInfo[vip_count]
  uint32_t vip_count;
  uint32_t reserved;
  Offset overlay;         // JSON text of the run-time changes laid over the configuration file; 0 = none
  uint64_t published_ns;  // CLOCK_REALTIME
  uint64_t padding[4];
};
static_assert(sizeof(SnapshotRoot) == 128);
static_assert(offsetof(SnapshotRoot, fingerprint) == 56, "the hot part stays within the first cache line");

/// One vip in the index. An empty entry has pool == kNoPool.
struct VipEntry {
  Be32 address;
  Be16 port;         // 0 = any port
  uint8_t protocol;  // IPPROTO_*; 0 together with port 0 marks "this address belongs to some vip"
  uint8_t reserved;
  uint32_t vip;   // index of the counters and of VipInfo::id
  uint32_t pool;  // index into the pool table
};
static_assert(sizeof(VipEntry) == 16);
inline constexpr uint32_t kNoPool = 0xffffffff;

/// Four entries, one cache line. A key lives in its home bucket or, when that is full, in the next with room; a bucket
/// that ever overflowed keeps no empty entry, so a look-up ends at the first bucket that has one.
struct alignas(kCacheLine) VipBucket {
  VipEntry entries[4];
};
static_assert(sizeof(VipBucket) == kCacheLine);

inline constexpr uint32_t kMinRingSize = 2;
inline constexpr uint32_t kMaxRingSize = 1u << 24;
inline constexpr uint16_t kNoSeat = 0xffff;

/// ring[slot] is a seat index below seat_count, or kNoSeat when no backend of the pool lives.
struct alignas(kCacheLine) PoolRecord {
  Offset ring;   // uint16_t[ring_size]
  Offset seats;  // Seat[seat_count]
  uint32_t ring_size;
  uint32_t seat_count;
  Offset directory;  // PoolInfo, BackendInfo[backend_count], SeatInfo[seat_count]; cold
  // Where every seat can be sent to, and all by one port, as is usual: a worker then need not look at each.
  uint16_t least_mtu;  // the smallest of the seats' MTUs; 0 where it is not so
  uint8_t port;        // the seats' port; 0 where it is not so
  uint8_t reserved[5];
  uint64_t padding[3];
};
static_assert(sizeof(PoolRecord) == kCacheLine);

enum class Encapsulation : uint8_t { none = 0, ipip = 1 };

inline constexpr uint16_t kNoBackend = 0xffff;
inline constexpr uint8_t kSeatResolved = 1;  // the header is complete: the next hop's MAC is known

/// A place in the ring with its forwarding record: one cache line, holding the ready-made outer header. A seat whose
/// slots two backends share (a failback under way, a trickle to a standby) has two records. `header` is Ethernet, then
/// the outer IP header with these fields left zero for the pipeline to fill per packet: TOS, total length,
/// identification, flags, checksum and the entropy bits of the source.
struct alignas(kCacheLine) Seat {
  uint16_t backend;     // index of the counters and of BackendInfo::id; kNoBackend = nobody
  uint16_t mtu;         // largest outer layer-3 packet; 0 when nothing may be sent: nobody holds it, or not resolved
  uint16_t header_sum;  // ones'-complement sum of the outer IPv4 header as stored, raw wire order, not inverted
  uint8_t port;         // egress port, index into SegmentHeader::ports
  Encapsulation encapsulation;
  uint8_t reserved;
  uint8_t flags;
  uint8_t header[54];  // Ethernet (14) + IPv4 (20) or IPv6 (40)
};
static_assert(sizeof(Seat) == kCacheLine);
static_assert(offsetof(Seat, header) == 10, "puts the outer IP header on an 8-byte boundary");

// ------------------------------------------------------- the cold part: who is who, and what was known of health

struct VipInfo {
  char name[kNameBytes];
  Be32 address;
  Be16 port;
  uint8_t protocol;
  uint8_t reserved0;
  uint32_t id;  // counter index
  uint32_t pool;
  uint64_t base_packets;  // the counters' sum over all workers when the id was given to this vip
  uint64_t base_bytes;
};
static_assert(sizeof(VipInfo) == 96);

struct PoolInfo {
  char name[kNameBytes];
  uint32_t backend_count;
  uint32_t seat_count;
  uint64_t reserved[7];
};
static_assert(sizeof(PoolInfo) == 128);

/// A backend's state as the control plane last knew it: what a restarted control plane adopts.
struct BackendInfo {
  char name[kNameBytes];
  Be32 address;
  uint16_t id;     // counter index
  uint8_t role;    // failover::Role
  uint8_t state;   // failover::State
  uint8_t admin;   // failover::Admin
  uint8_t held;    // kept out of its seat until a manual failback
  uint16_t flaps;  // failures of late
  uint32_t failures;
  uint64_t since_ns;  // CLOCK_REALTIME of the last state change
  uint64_t base_packets;
  uint64_t base_bytes;
  uint64_t failed_ns;  // CLOCK_REALTIME of the latest failure; 0 = none
  uint64_t drain_ns;   // CLOCK_REALTIME of the end of its drain, which began at since_ns; 0 = none
};
static_assert(sizeof(BackendInfo) == 120);

/// A part or share of 1: shares of a seat's slots are counted in these.
inline constexpr uint16_t kWhole = 1024;

/// Who sits where: one for each record of PoolRecord::seats, in its order. First one for each hot backend, in the
/// directory's order, then those of guests.
struct SeatInfo {
  uint16_t owner;   // index into the directory
  uint16_t holder;  // index into the directory; kNoBackend = nobody, and the seat's slots are dealt to others
  uint16_t share;   // of the seat's slots, in kWhole-ths, that lead to this record
  uint16_t reserved;
};
static_assert(sizeof(SeatInfo) == 8);

}  // namespace warmswap::contract
