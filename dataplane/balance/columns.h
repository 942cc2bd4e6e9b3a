// What the stages know about the packets of a burst, a column for each fact, so that arithmetic runs over many packets
// at once. Pure; one thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "dataplane/balance/pipeline.h"
#include "dataplane/contract/flow_hash.h"
#include "dataplane/contract/layout.h"
#include "dataplane/contract/seat.h"
#include "dataplane/contract/vip_index.h"
#include "dataplane/packet/constants.h"
#include "dataplane/packet/ipip.h"
#include "dataplane/packet/packet.h"

namespace warmswap::balance {

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

/// Branch-free, in 64-bit operations that every vector unit has. `odd` is zero exactly when packet::parse would say
/// FrameKind::flow and the header has no options; only then do the other members mean anything.
[[gnu::always_inline]] inline Facts facts_of(const HeaderWords& words) noexcept {
  const packet::Constants& k = packet::kConstants;
  const uint64_t length = __builtin_bswap64(words.ip0) >> 32 & k.low16;
  const uint64_t protocol = words.ip8 >> 8 & k.low8;
  // The sum is a multiple of 2^16 - 1 and not zero; folded once it is below 2^18, so that folding it once more gives
  // 0xffff for those multiples and for nothing else.
  uint64_t sum =
      (words.ip0 & k.low32) + (words.ip0 >> 32) + (words.ip8 & k.low32) + (words.ip8 >> 32) + (words.ip16 & k.low32);
  sum = (sum & k.low16) + (sum >> 16 & k.low16) + (sum >> 32);
  sum = (sum & k.low16) + (sum >> 16);

  const uint64_t tcp_bytes =
      words.ip32 >> 2 & k.tcp_offset;  // the data offset, in the upper half of the byte, counts words
  const uint64_t udp_bytes = __builtin_bswap64(words.ip24) >> 48;
  const uint64_t no_bytes = 0;  // below what any protocol needs
  const uint64_t other_bytes = protocol == k.udp ? udp_bytes : no_bytes;
  const uint64_t transport = protocol == k.tcp ? tcp_bytes : other_bytes;
  const uint64_t least = protocol == k.tcp ? k.ip_bytes : k.udp_bytes;
  // All are small: a difference is negative exactly when the first is smaller.
  const uint64_t short_of = (transport - least) | (length - k.ip_bytes - transport) | (words.present - length);

  Facts facts;
  facts.length = length;
  facts.odd = ((words.ip0 & k.fixed_ip0) ^ k.version_ihl) | (sum ^ k.low16) | (short_of & k.sign);
  facts.first = words.ip8 >> 32 | words.ip16 << 32;
  facts.second = words.ip16 >> 32 | protocol << 32 | k.hash_length;
  facts.vip_word = (words.ip16 & k.low32) | words.ip16 >> 48 << 32 | protocol << 48;
  facts.ipip = packet::ipip_fields(words.ip0, words.ip8, length);
  return facts;
}

/// The usual frame: Ethernet without tags, to one station, IPv4, headers readable up to a TCP header's end, and room
/// for the outer header.
[[gnu::always_inline]] inline bool is_plain(const uint8_t* frame, uint32_t contiguous, uint32_t headroom) noexcept {
  constexpr uint32_t kEthernetBytes = sizeof(contract::EthernetHeader);
  return contiguous >= kEthernetBytes + kReadableIpBytes && headroom >= packet::kIpipFrontBytes - kEthernetBytes &&
         contract::load<contract::Be16>(frame + offsetof(contract::EthernetHeader, ether_type)) ==
             contract::Be16(contract::kEtherTypeIpv4) &&
         (frame[0] & 1) == 0;
}

/// A buffer of any kind as the parser wants it.
template <typename Access>
packet::Packet packet_of(const typename Access::Buffer& buffer) noexcept {
  packet::Packet packet;
  packet.frame = Access::frame(buffer);
  packet.length = Access::length(buffer);
  packet.contiguous = Access::contiguous(buffer);
  packet.headroom = Access::headroom(buffer);
  return packet;
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
alignas(contract::kCacheLine) inline constexpr contract::Seat kNobody = contract::make_empty_seat();

[[gnu::always_inline]] inline void prefetch(const void* line) noexcept {
  __builtin_prefetch(line, 0, 3);
}
[[gnu::always_inline]] inline void prefetch_to_write(const void* line) noexcept {
  __builtin_prefetch(line, 1, 3);
}

}  // namespace warmswap::balance
