// The packet path: what becomes of each frame of a burst under one snapshot. Pure over bytes, the snapshot and the
// worker's own counters: no allocation, exception, lock, log or system call (scripts/check-hot-path), and no DPDK type.
//
// Stages (stages.h), each over the whole burst, each fetching the cache line that the next one reads:
//   gather headers → derive, vip bucket → vip, pool → flow hash → ring slot → seat → encapsulate, count
// and, in bursts with a packet of a flow that is sampled for its handshake, a look at that before the last.
//
// Verdicts, first match wins:
//   not IPv4                                          pass
//   malformed up to and including the IPv4 header     drop, named
//   there is no snapshot                              pass (see below)
//   the address is no vip's                           pass, whatever it carries
//   a fragment, ICMP, another protocol, broken TCP/UDP header, a port without a vip     drop, named
//   no live backend, next hop unresolved, TTL ≤ 1, above the MTU, no headroom           drop, named, in this order
//   otherwise                                         forward
//
// Without a snapshot no address is known to be a vip's, so well-formed frames pass, as if the dataplane were not there:
// an operator whose first configuration is faulty still reaches the host through this port, and the control plane's
// probes get their answers. The frames carry reason no_snapshot for a port that has no kernel interface.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/balance/handshakes.h"
#include "dataplane/balance/snapshot_view.h"
#include "dataplane/contract/layout.h"
#include "dataplane/packet/packet.h"

namespace warmswap::balance {

/// Packets that go through the stages together. Longer spans are cut into bursts of this size. 64 keeps the columns
/// (11 KiB; a worker, which takes 32 at once, uses half) and the fetched lines within a first-level cache.
inline constexpr size_t kBurstPackets = 64;

/// The widest vectors the path is compiled for. All levels give the same bytes, verdicts and counts.
enum class VectorLevel : uint8_t { baseline, avx2, avx512 };
inline constexpr VectorLevel kVectorLevels[] = {VectorLevel::baseline, VectorLevel::avx2, VectorLevel::avx512};

constexpr const char* name_of(VectorLevel level) noexcept {
  return level == VectorLevel::avx512 ? "avx512" : level == VectorLevel::avx2 ? "avx2" : "baseline";
}

/// What this processor and its operating system can run. Any thread; ask once, at start-up.
VectorLevel best_vector_level() noexcept;

/// What became of a burst, for a caller that would rather not look at each packet again.
struct Outcome {
  uint32_t forwarded = 0;
  uint32_t ports = 0;  // bit p: some packet leaves by port p
};
static_assert(contract::kPortCapacity <= 32, "Outcome::ports");

/// Decides every packet of `packets` and counts in the ledger's region: per vip and per backend what is forwarded (a
/// vip also counts what its pool could not take), totals of received, forwarded and passed, drops by reason. Counts are
/// of verdicts: a packet the caller then fails to hand over is the caller's to count. Call from the thread that owns
/// the ledger.
using ProcessBurst = Outcome (*)(const SnapshotView& snapshot, std::span<packet::Packet> packets,
                                 const Ledger& ledger) noexcept;

/// The path compiled for `level`, which must not be above best_vector_level().
ProcessBurst process_burst_at(VectorLevel level) noexcept;

}  // namespace warmswap::balance
