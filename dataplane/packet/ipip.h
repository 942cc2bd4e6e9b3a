// IPv4-in-IPv4 encapsulation in place (RFC 2003). Pure; any thread.
//
// The seat's ready-made header is laid over the bytes before the inner IP header, so the frame's old Ethernet header
// and VLAN tags vanish. Per packet, from the inner header:
//   - outer TOS: DSCP and ECN as they are (RFC 6040 §4.1 normal mode; the uniform model of RFC 2983);
//   - outer total length: the inner one plus 20. Whatever followed it in the frame (Ethernet padding) is cut off;
//   - outer DF: the inner one. Outer identification: the inner one, so an atomic datagram stays atomic (RFC 6864 §4.1)
//     and one that a later hop fragments is as unique as its sender made it;
//   - inner TTL: one less, because encapsulating is forwarding (RFC 2003 §3.1);
//   - low bits of the outer source: flow entropy, so that a backend's RSS spreads tunnelled flows.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/contract/flow_hash.h"
#include "dataplane/contract/layout.h"
#include "dataplane/contract/wire.h"
#include "dataplane/packet/checksum.h"
#include "dataplane/packet/constants.h"
#include "dataplane/packet/packet.h"
#include "dataplane/packet/parse.h"

namespace warmswap::packet {

inline constexpr uint32_t kIpipHeaderBytes = sizeof(contract::Ipv4Header);
/// What stands before the inner IP header afterwards.
inline constexpr uint32_t kIpipFrontBytes = sizeof(contract::EthernetHeader) + kIpipHeaderBytes;
static_assert(kIpipFrontBytes <= sizeof(contract::Seat::header));

/// What a packet brings to its outer header; the same for every seat, so it is worked out for a whole burst at once.
struct IpipFields {
  uint64_t varying;    // TOS, total length, identification and DF, in their places in the outer header's first 8 bytes
  uint64_t entropy;    // of the outer source, in its place in the header's second 8 bytes; ones in the checksum's place
  uint64_t sum;        // ones'-complement sum of all of these, not folded, below 2^19
  uint64_t rewritten;  // bytes 8–11 of the inner header afterwards: TTL one less, protocol, checksum kept right
  uint64_t least_mtu;  // of a seat that can take the packet
};

/// No seat has such an MTU: the packet cannot be encapsulated.
inline constexpr uint64_t kNoMtu = ~uint64_t{0};

/// `ip0` and `ip8` are the inner header's first two 8-byte words as they stand in memory, `length` its total length.
/// Without entropy. Branch-free, and in 64-bit operations, so that it vectorises.
[[gnu::always_inline]] inline IpipFields ipip_fields(uint64_t ip0, uint64_t ip8, uint64_t length) noexcept {
  using contract::Be16;
  using contract::Ipv4Header;
  static_assert(std::endian::native == std::endian::little);
  static_assert(offsetof(Ipv4Header, tos) == 1 && offsetof(Ipv4Header, total_length) == 2 &&
                offsetof(Ipv4Header, identification) == 4 && offsetof(Ipv4Header, flags_fragment) == 6 &&
                offsetof(Ipv4Header, ttl) == 8 && offsetof(Ipv4Header, checksum) == 10);
  const Constants& k = kConstants;
  // As one big-endian number, where the total length can be added to; a carry out of it is above every MTU.
  const uint64_t outer = (__builtin_bswap64(ip0) & k.copied) + k.added_length;
  const uint64_t ttl = ip8 & k.low8;
  const uint64_t checksum = ip8 >> 16 & k.low16;
  // The TTL is the low byte of its word as loaded, so the word becomes one less. RFC 1624 equation 3 then comes down to
  // adding one, with the end-around carry taken also where the sum is all ones, which would be minus zero.
  const uint64_t kept = checksum + k.one + (checksum >= k.minus_two_16 ? k.one : uint64_t{0});

  IpipFields fields;
  fields.varying = __builtin_bswap64(outer);
  fields.entropy = 0;
  const uint64_t half = (fields.varying & k.low32) + (fields.varying >> 32);
  fields.sum = (half & k.low16) + (half >> 16);
  fields.rewritten = ((ttl - k.one) & k.low8) | (ip8 & k.second8) | (kept & k.low16) << 16;
  fields.least_mtu = ttl > k.one ? length + k.ip_bytes : k.all;
  return fields;
}

/// Where the checksum stands in the outer header's second 8 bytes.
inline constexpr uint64_t kChecksumPlace = 0xffff0000;
static_assert(offsetof(contract::Ipv4Header, checksum) == 8 + 2);

/// The flow's bits of the outer source, in their place in the outer header's second 8 bytes, and ones in the checksum's
/// place, which invert what is laid over them; and the sum of the flow's bits, below 2^17.
[[gnu::always_inline]] inline uint64_t ipip_entropy(uint64_t flow_hash, contract::Be32 mask) noexcept {
  // flow_entropy() is the low half of the hash: swapped, it is the upper half in wire order.
  return (__builtin_bswap64(flow_hash) & uint64_t{mask.raw()} << 32) | kChecksumPlace;
}
[[gnu::always_inline]] inline uint64_t ipip_entropy_sum(uint64_t entropy) noexcept {
  return (entropy >> 32 & 0xffff) + (entropy >> 48);
}

/// Whether the outer header finds room before the inner one, which begins `ip_offset` bytes into the frame.
inline bool ipip_has_headroom(const Packet& packet, uint32_t ip_offset) noexcept {
  return packet.headroom + ip_offset >= kIpipFrontBytes;
}

/// Why a seat whose next hop is known cannot take a packet, looked at in the order a router would. Only when the seat's
/// MTU is below least_mtu.
inline DropReason ipip_obstacle(const contract::Seat& seat, const uint8_t* ip, uint64_t length) noexcept {
  if (ip[offsetof(contract::Ipv4Header, ttl)] <= 1) return DropReason::ttl_expired;
  return length + kIpipHeaderBytes > seat.mtu ? DropReason::too_big : DropReason::no_headroom;
}

/// Writes the outer header, with the Ethernet header before it, before the inner one at `ip`: the new frame begins
/// kIpipFrontBytes before `ip`. Only when the seat's MTU is at least least_mtu and there is
/// headroom.
[[gnu::always_inline]] inline void encapsulate_ipip(const contract::Seat& seat, const IpipFields& fields,
                                                    uint8_t* ip) noexcept {
  using contract::load;
  using contract::store;
  uint8_t* outer = ip - kIpipHeaderBytes;
  uint8_t* frame = ip - kIpipFrontBytes;
  const uint8_t* ready = seat.header;
  const uint8_t* ready_ip = ready + sizeof(contract::EthernetHeader);

  // Every varying bit is zero in the template, so the template's sum and theirs simply add up; below 2^20. Folded as
  // fold() does, but left in the upper half, where the checksum stands.
  const uint32_t sum = seat.header_sum + static_cast<uint32_t>(fields.sum);
  const uint64_t folded = (sum + std::rotl(sum, 16)) & kChecksumPlace;

  std::memcpy(frame, ready, 16);  // the Ethernet header, in one go with two bytes that the next line writes again
  store(outer, load<uint64_t>(ready_ip) | fields.varying);
  store(outer + 8, load<uint64_t>(ready_ip + 8) | (fields.entropy ^ folded));
  store(outer + 16, load<uint32_t>(ready_ip + 16));
  store(ip + 8, static_cast<uint32_t>(fields.rewritten));
}

}  // namespace warmswap::packet
