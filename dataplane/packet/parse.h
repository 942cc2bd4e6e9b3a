// Reads a frame: Ethernet II, up to two 802.1Q/802.1ad tags, IPv4 with options, TCP or UDP ports. Pure; any thread.
//
// Nothing outside [frame, frame + contiguous) is read, and no length in the packet is believed before it was compared
// with what is there. A fragment (MF set or offset ≠ 0) is never read for ports: only the first one has any, and
// hashing the others differently would scatter the datagram over backends.
#pragma once

#include <cstdint>

#include "dataplane/contract/byte_order.h"
#include "dataplane/contract/flow_hash.h"
#include "dataplane/contract/wire.h"
#include "dataplane/packet/checksum.h"
#include "dataplane/packet/packet.h"

namespace warmswap::packet {

enum class FrameKind : uint8_t {
  flow,          // TCP or UDP over IPv4, whole headers present
  address_only,  // IPv4 without usable ports: if the destination is a vip, drop for `reason`; else it is the kernel's
  other,         // IPv6, ARP, any other EtherType, more than two tags: the kernel's
  malformed,     // no one's: drop for `reason`
};

/// What the later stages need of a frame. For `address_only` the ports and the protocol are zero.
struct ParsedFrame {
  uint64_t addresses;  // source, then destination, raw wire bytes
  uint32_t ports;      // source, then destination, raw wire bytes
  uint16_t ip_offset;  // of the IPv4 header from the frame's start
  uint16_t ip_length;  // the IPv4 total length, host order; ≤ frame length - ip_offset
  uint8_t protocol;
  FrameKind kind;
  DropReason reason;  // malformed and address_only

  contract::Be32 destination() const noexcept {
    return contract::Be32::from_raw(static_cast<uint32_t>(addresses >> 32));
  }
  contract::FlowKey flow_key() const noexcept {
    return {contract::Be32::from_raw(static_cast<uint32_t>(addresses)), destination(),
            contract::Be16::from_raw(static_cast<uint16_t>(ports)),
            contract::Be16::from_raw(static_cast<uint16_t>(ports >> 16)), protocol};
  }
};

namespace detail {

/// Where the frame's EtherType stands after its tags, as far as they are readable; `ip_offset` 0 = not readable.
struct LinkEnd {
  uint16_t ip_offset;
  contract::Be16 ether_type;
};
LinkEnd skip_tags(const Packet& packet, contract::Be16 ether_type) noexcept;

inline ParsedFrame malformed(DropReason reason) noexcept {
  ParsedFrame parsed{};
  parsed.kind = FrameKind::malformed;
  parsed.reason = reason;
  return parsed;
}

/// Why bytes up to `end` cannot be read although a header says that they belong to it.
inline DropReason unreadable(const Packet& packet, uint32_t end) noexcept {
  return packet.length < end ? DropReason::truncated : DropReason::split_header;
}

inline void parse_transport(const Packet& packet, uint32_t header_bytes, ParsedFrame& parsed) noexcept {
  using contract::load;
  const uint8_t* ip = packet.frame + parsed.ip_offset;
  const uint8_t* transport = ip + header_bytes;
  const uint32_t readable = packet.contiguous - parsed.ip_offset - header_bytes;
  const uint32_t payload = parsed.ip_length - header_bytes;
  const uint8_t protocol = ip[offsetof(contract::Ipv4Header, protocol)];
  const auto give_up = [&parsed](DropReason reason) noexcept {
    parsed.kind = FrameKind::address_only;
    parsed.reason = reason;
  };

  if (protocol == contract::kProtoTcp) [[likely]] {
    if (payload < contract::kTcpHeaderBytes) return give_up(DropReason::truncated);
    if (readable < contract::kTcpHeaderBytes) return give_up(DropReason::split_header);
    const uint32_t data_offset = (uint32_t{transport[12]} >> 4) * 4;
    if (data_offset < contract::kTcpHeaderBytes || data_offset > payload) return give_up(DropReason::bad_tcp_header);
  } else if (protocol == contract::kProtoUdp) {
    if (payload < contract::kUdpHeaderBytes) return give_up(DropReason::truncated);
    if (readable < contract::kUdpHeaderBytes) return give_up(DropReason::split_header);
    const uint32_t udp_length = load<contract::Be16>(transport + 4).host();
    if (udp_length < contract::kUdpHeaderBytes || udp_length > payload) return give_up(DropReason::bad_udp_length);
  } else {
    return give_up(protocol == contract::kProtoIcmp ? DropReason::icmp_unsupported : DropReason::no_vip_port);
  }
  parsed.kind = FrameKind::flow;
  parsed.protocol = protocol;
  parsed.ports = load<uint32_t>(transport);
}

}  // namespace detail

inline ParsedFrame parse(const Packet& packet) noexcept {
  using contract::load;
  using detail::malformed;
  constexpr uint32_t kEthernetBytes = sizeof(contract::EthernetHeader);
  constexpr uint32_t kIpBytes = sizeof(contract::Ipv4Header);
  constexpr contract::Be16 kIpv4(contract::kEtherTypeIpv4);

  if (packet.contiguous < kEthernetBytes) [[unlikely]]
    return malformed(detail::unreadable(packet, kEthernetBytes));
  ParsedFrame parsed{};
  parsed.ip_offset = kEthernetBytes;
  const auto ether_type = load<contract::Be16>(packet.frame + offsetof(contract::EthernetHeader, ether_type));
  // What was sent to a group may not travel on (RFC 1122 section 3.3.6): the kernel knows what it is.
  const bool to_group = (packet.frame[0] & 1) != 0;
  if ((ether_type != kIpv4) | to_group) [[unlikely]] {
    if (to_group) {
      parsed.kind = FrameKind::other;
      return parsed;
    }
    const detail::LinkEnd end = detail::skip_tags(packet, ether_type);
    if (end.ip_offset == 0) return malformed(detail::unreadable(packet, packet.contiguous + 1));
    if (end.ether_type != kIpv4) {
      parsed.kind = FrameKind::other;
      return parsed;
    }
    parsed.ip_offset = end.ip_offset;
  }

  const uint32_t least = parsed.ip_offset + kIpBytes;
  if (packet.contiguous < least) [[unlikely]]
    return malformed(detail::unreadable(packet, least));
  const uint8_t* ip = packet.frame + parsed.ip_offset;
  const uint32_t header_bytes = (ip[0] & 0xfu) * 4;
  if (ip[0] != 0x45) [[unlikely]] {
    if (ip[0] >> 4 != 4) return malformed(DropReason::bad_ip_version);
    if (header_bytes < kIpBytes) return malformed(DropReason::bad_ip_header_length);
    const uint32_t end = parsed.ip_offset + header_bytes;
    if (packet.contiguous < end) return malformed(detail::unreadable(packet, end));
    if (header_sum(ip, header_bytes / 4) != 0xffff) return malformed(DropReason::bad_ip_checksum);
  } else if (header_sum(ip, kIpBytes / 4) != 0xffff) [[unlikely]] {
    return malformed(DropReason::bad_ip_checksum);
  }
  parsed.ip_length = load<contract::Be16>(ip + offsetof(contract::Ipv4Header, total_length)).host();
  if (parsed.ip_length < header_bytes || parsed.ip_length > packet.length - parsed.ip_offset) [[unlikely]] {
    return malformed(DropReason::bad_ip_total_length);
  }
  parsed.addresses = load<uint64_t>(ip + offsetof(contract::Ipv4Header, source));

  const auto flags = load<contract::Be16>(ip + offsetof(contract::Ipv4Header, flags_fragment));
  constexpr contract::Be16 kFragment(contract::kIpv4MoreFragments | contract::kIpv4FragmentOffset);
  if ((flags.raw() & kFragment.raw()) != 0) [[unlikely]] {
    parsed.kind = FrameKind::address_only;
    parsed.reason = DropReason::fragment_unsupported;
    return parsed;
  }
  detail::parse_transport(packet, header_bytes, parsed);
  return parsed;
}

}  // namespace warmswap::packet
