// Makes the forwarding record of a seat. The control plane fills seats with it, the pipeline (packet/ipip.h) completes
// them per packet: template and filler are tested together. Any thread; not for the hot path.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/contract/layout.h"

namespace warmswap::contract {

/// Above this the outer source would leave its /8.
inline constexpr uint8_t kMaxEntropyBits = 24;

/// The mask of the lowest `bits` ≤ kMaxEntropyBits of an address.
constexpr Be32 entropy_mask(uint8_t bits) noexcept {
  return Be32((uint32_t{1} << bits) - 1);
}

/// RFC 2003 §3.1 leaves the outer TTL to the encapsulator; 64 is the default of RFC 1700 and crosses any fabric.
inline constexpr uint8_t kOuterTtl = 64;

struct SeatParameters {
  uint16_t backend = kNoBackend;           // counter index
  uint8_t port = 0;                        // egress port, index into SegmentHeader::ports
  uint16_t mtu = 0;                        // largest outer layer-3 packet on the way to the backend
  MacAddress source_mac{};                 // of the egress port
  std::optional<MacAddress> next_hop_mac;  // nullopt: not resolved yet, packets drop as next_hop_unresolved
  Be32 outer_source;                       // where entropy_mask has a bit the pipeline puts flow entropy instead
  Be32 outer_destination;                  // the backend's address
  Be32 entropy_mask;                       // SnapshotRoot::entropy_mask
};

/// A seat that encapsulates IPv4 in IPv4 (RFC 2003).
Seat make_ipip_seat(const SeatParameters& parameters);

/// A seat nobody holds: packets drop as no_backend.
constexpr Seat make_empty_seat() noexcept {
  Seat seat{};
  seat.backend = kNoBackend;
  return seat;
}

/// What Seat::header_sum must be of its outer IPv4 header.
uint16_t outer_header_sum(const Seat& seat) noexcept;

/// What PoolRecord says of all seats of a pool at once.
struct CommonWay {
  uint16_t least_mtu = 0;
  uint8_t port = 0;
  friend bool operator==(const CommonWay&, const CommonWay&) = default;
};
CommonWay common_way(std::span<const Seat> seats) noexcept;

}  // namespace warmswap::contract
