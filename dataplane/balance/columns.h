// What the stages know about the packets of a burst, a column for each fact, so that arithmetic runs over many packets
// at once. Pure; one thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "dataplane/contract/flow_hash.h"
#include "dataplane/contract/layout.h"
#include "dataplane/contract/vip_index.h"
#include "dataplane/packet/ipip.h"
#include "dataplane/packet/packet.h"

namespace warmswap::balance {

/// Packets that go through the stages together. Longer spans are cut into bursts of this size. 64 keeps the columns
/// (about 6 KiB) and the fetched lines well inside a 32 KiB first-level cache.
inline constexpr size_t kBurstPackets = 64;

/// The bytes of a packet that decide about it, as little-endian words: the IPv4 header in `ip` (its last word reaches
/// into the transport header when there are no options), bytes 24–31 and 32 from its start, and what the frame holds
/// from there on.
struct HeaderWords {
  uint64_t ip0;      // version, TOS, total length, identification, fragment
  uint64_t ip8;      // TTL, protocol, checksum, source
  uint64_t ip16;     // destination; both ports
  uint64_t ip24;     // UDP: length, checksum. TCP: sequence number …
  uint64_t ip32;     // byte 32 only. TCP: data offset
  uint64_t present;  // bytes of the frame from the IPv4 header on
};

/// Bytes from the IPv4 header on that must be readable for these words, and for a TCP header without options.
inline constexpr uint32_t kReadableIpBytes = sizeof(contract::Ipv4Header) + contract::kTcpHeaderBytes;
static_assert(kReadableIpBytes > 32);

/// What follows from them by arithmetic.
struct Facts {
  uint64_t length;  // the IPv4 total length
  uint64_t odd;     // not zero: not a whole TCP or UDP packet without IP options; packet::parse says what it is
  uint64_t first;   // contract::FlowWords
  uint64_t second;
  uint64_t vip_word;
  packet::IpipFields ipip;
};

namespace detail {
constexpr uint64_t swapped16(uint64_t raw) noexcept {
  return (raw << 8 | raw >> 8) & 0xffff;
}
}  // namespace detail

/// Branch-free, in 64-bit operations that every vector unit has. `odd` is zero exactly when packet::parse would say
/// FrameKind::flow and the header has no options; only then do the other members mean anything.
[[gnu::always_inline]] inline Facts facts_of(const HeaderWords& words) noexcept {
  constexpr uint64_t kFixed = uint64_t{0xff} | uint64_t{0xff3f} << 48;  // version and length; MF and fragment offset
  constexpr uint64_t kHigh = 32;
  const uint64_t half = 0xffffffff;
  const uint64_t length = detail::swapped16(words.ip0 >> 16 & 0xffff);
  const uint64_t protocol = words.ip8 >> 8 & 0xff;
  uint64_t sum =
      (words.ip0 & half) + (words.ip0 >> kHigh) + (words.ip8 & half) + (words.ip8 >> kHigh) + (words.ip16 & half);
  sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);

  const uint64_t is_tcp = protocol == contract::kProtoTcp;
  const uint64_t is_udp = protocol == contract::kProtoUdp;
  const uint64_t tcp_bytes = (words.ip32 >> 4 & 0xf) * 4;
  const uint64_t udp_bytes = detail::swapped16(words.ip24 & 0xffff);
  const uint64_t transport = is_tcp != 0 ? tcp_bytes : udp_bytes;
  const uint64_t least = is_tcp != 0 ? contract::kTcpHeaderBytes : contract::kUdpHeaderBytes;

  Facts facts;
  facts.length = length;
  facts.odd = uint64_t{(words.ip0 & kFixed) != 0x45} | uint64_t{sum != 0xffff} | uint64_t{(is_tcp | is_udp) == 0} |
              uint64_t{transport < least} | uint64_t{length < sizeof(contract::Ipv4Header) + transport} |
              uint64_t{length > words.present};
  facts.first = words.ip8 >> kHigh | words.ip16 << kHigh;
  facts.second = words.ip16 >> kHigh | protocol << kHigh | uint64_t{13} << 56;
  facts.vip_word = (words.ip16 & half) | words.ip16 >> 48 << kHigh | protocol << 48;
  facts.ipip = packet::ipip_fields(words.ip0, words.ip8, length);
  return facts;
}

/// The usual frame: Ethernet without tags, to one station, IPv4, headers readable up to a TCP header's end, and room
/// for the outer header.
[[gnu::always_inline]] inline bool is_plain(const packet::Packet& packet) noexcept {
  constexpr uint32_t kEthernetBytes = sizeof(contract::EthernetHeader);
  return packet.contiguous >= kEthernetBytes + kReadableIpBytes &&
         packet.headroom >= packet::kIpipFrontBytes - kEthernetBytes &&
         contract::load<contract::Be16>(packet.frame + offsetof(contract::EthernetHeader, ether_type)) ==
             contract::Be16(contract::kEtherTypeIpv4) &&
         (packet.frame[0] & 1) == 0;
}

/// Where the IPv4 header of a frame begins that is plain but for its VLAN tags; 0 for any other.
[[gnu::noinline]] inline uint32_t tagged_ip_offset(const packet::Packet& packet) noexcept {
  if (packet.contiguous < sizeof(contract::EthernetHeader) || (packet.frame[0] & 1) != 0) return 0;
  const packet::detail::LinkEnd end = packet::detail::skip_tags(
      packet, contract::load<contract::Be16>(packet.frame + offsetof(contract::EthernetHeader, ether_type)));
  const bool usable = end.ip_offset != 0 && end.ether_type == contract::Be16(contract::kEtherTypeIpv4) &&
                      packet.contiguous >= end.ip_offset + kReadableIpBytes &&
                      packet::ipip_has_headroom(packet, end.ip_offset);
  return usable ? end.ip_offset : 0;
}

/// Why `seat` cannot take the packet at `ip`; only when it cannot.
[[gnu::noinline, gnu::cold]] inline contract::DropReason obstacle(const contract::Seat& seat, const uint8_t* ip,
                                                                  uint64_t length) noexcept {
  if (seat.backend == contract::kNoBackend) return contract::DropReason::no_backend;
  if ((seat.flags & contract::kSeatResolved) == 0) return contract::DropReason::next_hop_unresolved;
  return packet::ipip_obstacle(seat, ip, length);
}

/// The seat of a slot that has none.
alignas(contract::kCacheLine) inline constexpr contract::Seat kNobody{.backend = contract::kNoBackend};

[[gnu::always_inline]] inline void prefetch(const void* line) noexcept {
  __builtin_prefetch(line, 0, 3);
}
[[gnu::always_inline]] inline void prefetch_to_write(const void* line) noexcept {
  __builtin_prefetch(line, 1, 3);
}

}  // namespace warmswap::balance
