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
#include "dataplane/packet/packet.h"
#include "dataplane/packet/parse.h"

namespace warmswap::packet {

inline constexpr uint32_t kIpipHeaderBytes = sizeof(contract::Ipv4Header);
/// What stands before the inner IP header afterwards.
inline constexpr uint32_t kIpipFrontBytes = sizeof(contract::EthernetHeader) + kIpipHeaderBytes;
static_assert(kIpipFrontBytes <= sizeof(contract::Seat::header));

/// Whether the packet may be encapsulated for `seat`: one test for the common case.
inline bool ipip_possible(const contract::Seat& seat, const Packet& packet, const ParsedFrame& parsed) noexcept {
  const uint8_t ttl = packet.frame[parsed.ip_offset + offsetof(contract::Ipv4Header, ttl)];
  return (ttl > 1) & (parsed.ip_length + kIpipHeaderBytes <= seat.mtu) &
         (packet.headroom + parsed.ip_offset >= kIpipFrontBytes);
}

/// Why it may not, looked at in the order a router would. Only when ipip_possible() said no.
inline DropReason ipip_obstacle(const contract::Seat& seat, const Packet& packet, const ParsedFrame& parsed) noexcept {
  const uint8_t ttl = packet.frame[parsed.ip_offset + offsetof(contract::Ipv4Header, ttl)];
  if (ttl <= 1) return DropReason::ttl_expired;
  if (parsed.ip_length + kIpipHeaderBytes > seat.mtu) return DropReason::too_big;
  return DropReason::no_headroom;
}

namespace detail {

/// TTL - 1 with the checksum kept right. Only for a TTL that is not zero.
inline void decrement_ttl(uint8_t* ip) noexcept {
  uint8_t* checksum = ip + offsetof(contract::Ipv4Header, checksum);
  --ip[offsetof(contract::Ipv4Header, ttl)];
  // The TTL is the low byte of its word as loaded, so the word becomes one less, whatever it was: as if 1 became 0.
  static_assert(offsetof(contract::Ipv4Header, ttl) % 2 == 0 && std::endian::native == std::endian::little);
  contract::store(checksum, updated_checksum(contract::load<uint16_t>(checksum), 1, 0));
}

}  // namespace detail

/// Writes the outer header. Only when ipip_possible().
inline void encapsulate_ipip(const contract::Seat& seat, uint64_t flow_hash, const ParsedFrame& parsed,
                             Packet& packet) noexcept {
  using contract::Be16;
  using contract::Be32;
  using contract::Ipv4Header;
  using contract::load;
  using contract::store;
  uint8_t* inner = packet.frame + parsed.ip_offset;
  uint8_t* outer = inner - kIpipHeaderBytes;
  uint8_t* frame = inner - kIpipFrontBytes;

  // The first eight bytes of an IPv4 header as one little-endian word.
  static_assert(offsetof(Ipv4Header, tos) == 1 && offsetof(Ipv4Header, total_length) == 2 &&
                offsetof(Ipv4Header, identification) == 4 && offsetof(Ipv4Header, flags_fragment) == 6);
  constexpr uint64_t kCopied = uint64_t{0xff} << 8 | uint64_t{0xffff} << 32 |
                               uint64_t{Be16(contract::kIpv4DontFragment).raw()} << 48;  // TOS, identification, DF
  const auto outer_length = static_cast<uint16_t>(parsed.ip_length + kIpipHeaderBytes);
  const uint64_t varying = (load<uint64_t>(inner) & kCopied) | uint64_t{Be16(outer_length).raw()} << 16;

  const uint32_t entropy_mask = (1u << seat.entropy_bits) - 1;
  const uint64_t entropy = Be32(contract::flow_entropy(flow_hash) & entropy_mask).raw();

  // Every varying bit is zero in the template, so the template's sum and theirs simply add up.
  const uint64_t sum = seat.header_sum + (varying & 0xffffffff) + (varying >> 32) + entropy;
  const auto checksum = static_cast<uint16_t>(~fold(sum));

  const uint8_t* ready = seat.header;
  const uint8_t* ready_ip = ready + sizeof(contract::EthernetHeader);
  std::memcpy(frame, ready, sizeof(contract::EthernetHeader));
  store(outer, load<uint64_t>(ready_ip) | varying);
  store(outer + 8, load<uint64_t>(ready_ip + 8) | uint64_t{checksum} << 16 | entropy << 32);
  std::memcpy(outer + 16, ready_ip + 16, 4);
  detail::decrement_ttl(inner);

  const uint32_t length = uint32_t{parsed.ip_length} + kIpipFrontBytes;
  const uint32_t grown = packet.contiguous - parsed.ip_offset + kIpipFrontBytes;
  packet.headroom -= kIpipFrontBytes - parsed.ip_offset;
  packet.frame = frame;
  packet.contiguous = grown < length ? grown : length;
  packet.length = length;
  packet.port = seat.port;
  packet.verdict = Verdict::forward;
}

}  // namespace warmswap::packet
