// Wire formats that more than one folder needs, laid over packet bytes. Multi-byte fields are big-endian.
// Sources: IEEE 802.3/802.1Q, RFC 791 (IPv4), RFC 9293 (TCP), RFC 768 (UDP), RFC 792 (ICMP), RFC 2003 (IPIP).
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/contract/byte_order.h"

namespace warmswap::contract {

using MacAddress = std::array<uint8_t, 6>;

inline constexpr uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr uint16_t kEtherTypeArp = 0x0806;
inline constexpr uint16_t kEtherTypeVlan = 0x8100;
inline constexpr uint16_t kEtherTypeQinQ = 0x88a8;
inline constexpr uint16_t kEtherTypeIpv6 = 0x86dd;

inline constexpr uint8_t kProtoIcmp = 1;
inline constexpr uint8_t kProtoIpip = 4;
inline constexpr uint8_t kProtoTcp = 6;
inline constexpr uint8_t kProtoUdp = 17;

struct EthernetHeader {
  MacAddress destination;
  MacAddress source;
  Be16 ether_type;
};
static_assert(sizeof(EthernetHeader) == 14, "Ethernet II header, no tag");

struct VlanTag {
  Be16 tci;
  Be16 ether_type;
};
static_assert(sizeof(VlanTag) == 4, "802.1Q tag after the outer EtherType");

struct Ipv4Header {
  uint8_t version_ihl;
  uint8_t tos;
  Be16 total_length;
  Be16 identification;
  Be16 flags_fragment;
  uint8_t ttl;
  uint8_t protocol;
  uint16_t checksum;  // raw wire bytes: ones'-complement sums do not care about byte order (RFC 1071)
  Be32 source;
  Be32 destination;
};
static_assert(sizeof(Ipv4Header) == 20, "RFC 791 header without options");

inline constexpr uint16_t kIpv4DontFragment = 0x4000;
inline constexpr uint16_t kIpv4MoreFragments = 0x2000;
inline constexpr uint16_t kIpv4FragmentOffset = 0x1fff;

struct TransportPorts {
  Be16 source;
  Be16 destination;
};
static_assert(sizeof(TransportPorts) == 4, "TCP and UDP both begin with the two ports");

inline constexpr uint32_t kTcpHeaderBytes = 20;
inline constexpr uint32_t kUdpHeaderBytes = 8;

}  // namespace warmswap::contract
