// Handshakes under way, as one worker sees them: a sample of the new TCP connections, from the SYN to the client's
// first ACK. In direct return the backends' answers never pass here, but a client acknowledges only what it was
// answered, and sends its SYN again when it was not.
//
//     SYN           remembered
//     SYN again     counted as retransmitted and forgotten; with another sequence number the client has given up and
//                   begins anew: counted as lapsed
//     ACK           counted as completed, with its time, and forgotten
//     RST, FIN, or a slot that meanwhile leads to another backend: forgotten
//     nothing       after contract::kHandshakePatienceNs counted as lapsed, at the latest a second later
//
// A fixed table: where the places of a hash are taken, as under a flood of SYNs, a new handshake is not sampled. The
// time is that of the client's way there and back and the backend's between, so it compares backends and says nothing
// of one alone. Memory: the worker's own; no allocation after construction.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/contract/layout.h"

namespace warmswap::balance {

/// The processor's clock; its rate is the caller's to know.
inline uint64_t cycles() noexcept {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t now;
  asm volatile("mrs %0, cntvct_el0" : "=r"(now));
  return now;
#endif
}

/// What matters of a TCP header.
struct TcpSegment {
  uint64_t hash = 0;  // contract::flow_hash
  uint16_t backend = 0;
  uint32_t sequence = 0;  // as on the wire
  uint8_t flags = 0;
};

inline constexpr uint8_t kTcpFin = 0x01;
inline constexpr uint8_t kTcpSyn = 0x02;
inline constexpr uint8_t kTcpRst = 0x04;
inline constexpr uint8_t kTcpAck = 0x10;

class Handshakes {
 public:
  /// `cycles_per_second`: of the clock that `now` comes from, at least 1 MHz.
  explicit Handshakes(uint64_t cycles_per_second) noexcept
      : patience_(contract::kHandshakePatienceNs / 1'000'000 * (cycles_per_second / 1'000)),
        ns_per_cycle_((uint64_t{1'000'000} << kFraction) / (cycles_per_second / 1'000)) {}

  /// `counters` are this worker's, one for each backend. `clock` gives the time in cycles; it is asked only about a
  /// segment of a handshake, because reading it costs as much as a packet.
  template <typename Clock>
  void observe(const TcpSegment& segment, const Clock& clock, contract::HandshakeCounter* counters) noexcept {
    Bucket& bucket = buckets_[segment.hash & (kBuckets - 1)];
    size_t place = 0;
    while (place < kPlaces && bucket.hash[place] != segment.hash) ++place;
    const bool known = place < kPlaces;
    if ((segment.flags & (kTcpSyn | kTcpAck | kTcpRst | kTcpFin)) == kTcpSyn) {
      const uint64_t now = clock();
      if (!known && !make_room(bucket, now, counters, place)) return;
      if (known && bucket.backend[place] == segment.backend) {
        contract::HandshakeCounter& counter = counters[segment.backend];
        if (bucket.sequence[place] == segment.sequence) {
          counter.retransmitted.add(1);
          bucket.hash[place] = kNone;
          return;
        }
        counter.lapsed.add(1);
      }
      bucket.hash[place] = segment.hash;
      bucket.begun[place] = now;
      bucket.sequence[place] = segment.sequence;
      bucket.backend[place] = segment.backend;
      return;
    }
    if (!known) return;
    bucket.hash[place] = kNone;
    if ((segment.flags & (kTcpRst | kTcpFin)) != 0 || bucket.backend[place] != segment.backend) return;
    const uint64_t took = clock() - bucket.begun[place];
    contract::HandshakeCounter& counter = counters[segment.backend];
    if (took > patience_) {
      counter.lapsed.add(1);
      return;
    }
    counter.completed.add(1);
    counter.completed_ns.add(took * ns_per_cycle_ >> kFraction);
  }

  /// Counts those that were waited for long enough in a part of the table: kSweeps calls see the whole of it. Call it
  /// that often a second.
  void sweep(uint64_t now, contract::HandshakeCounter* counters) noexcept {
    for (size_t i = 0; i < kBuckets / kSweeps; ++i) {
      lapse(buckets_[swept_], now, counters);
      swept_ = (swept_ + 1) & (kBuckets - 1);
    }
  }

  static constexpr size_t kBuckets = 1024;
  static constexpr size_t kPlaces = 4;
  static constexpr size_t kSweeps = 16;

 private:
  static constexpr uint64_t kNone = 0;  // the one flow with this hash is not sampled
  static constexpr unsigned kFraction = 20;

  /// What a look-up compares comes first.
  struct alignas(contract::kCacheLine) Bucket {
    uint64_t hash[kPlaces];
    uint64_t begun[kPlaces];  // cycles
    uint32_t sequence[kPlaces];
    uint16_t backend[kPlaces];
  };
  static_assert(sizeof(Bucket) == 2 * contract::kCacheLine);

  /// A free place; where there is none, that of one that has lapsed.
  bool make_room(Bucket& bucket, uint64_t now, contract::HandshakeCounter* counters, size_t& place) const noexcept {
    lapse(bucket, now, counters);
    place = 0;
    while (place < kPlaces && bucket.hash[place] != kNone) ++place;
    return place < kPlaces;
  }

  void lapse(Bucket& bucket, uint64_t now, contract::HandshakeCounter* counters) const noexcept {
    for (size_t i = 0; i < kPlaces; ++i) {
      if (bucket.hash[i] == kNone || now - bucket.begun[i] <= patience_) continue;
      counters[bucket.backend[i]].lapsed.add(1);
      bucket.hash[i] = kNone;
    }
  }

  uint64_t patience_;      // cycles
  uint64_t ns_per_cycle_;  // in 2^-kFraction
  size_t swept_ = 0;
  Bucket buckets_[kBuckets]{};
};

/// What a worker writes down while it decides: its counters in shared memory, and what it remembers for them.
struct Ledger {
  contract::WorkerRegion& region;
  const contract::Geometry& geometry;
  Handshakes& handshakes;
};

}  // namespace warmswap::balance
