// The packet path over DPDK's buffers, without a copy of what they say about their packets. Any thread; the function
// returned belongs to the thread that owns the region it counts in.
#pragma once

#include <rte_mbuf.h>

#include <bit>
#include <cstdint>
#include <span>

#include "dataplane/balance/pipeline.h"

namespace warmswap::io {

/// What the path decided, kept in the buffer where the receive hash was.
struct Decision {
  uint8_t port;  // forward: index into SegmentHeader::ports
  packet::Verdict verdict;
  packet::DropReason reason;
  uint8_t reserved;
};
static_assert(sizeof(Decision) == sizeof(uint32_t), "rte_mbuf::hash.usr");

inline Decision decision_of(const rte_mbuf& buffer) noexcept {
  return std::bit_cast<Decision>(buffer.hash.usr);
}

/// Gives back a buffer and those chained to it; nullptr is none. For the packet path, which may not call DPDK: cold.
void free_buffers(rte_mbuf* first) noexcept;

using ProcessMbufs = balance::Outcome (*)(const balance::SnapshotView&, std::span<rte_mbuf*>,
                                          const balance::Ledger&) noexcept;

/// Decides every buffer of a burst of at most kBurstPackets; those to forward hold the new frame afterwards, the others
/// what they held. Where the Outcome says that all are forwarded, by one port, it is the decision: none is written.
ProcessMbufs process_mbufs_at(balance::VectorLevel level) noexcept;

}  // namespace warmswap::io
