#include "perf/gen/decode.h"

#include <algorithm>
#include <cstring>

#include "dataplane/contract/wire.h"
#include "dataplane/packet/checksum.h"

namespace warmswap::gen {
namespace {

using contract::Be16;
using contract::load;

constexpr uint8_t kProtoIpv6 = 41;
constexpr uint8_t kProtoGre = 47;
constexpr int kMaxLayers = 2;  // one tunnel

/// A part of the frame. All reading goes through it.
struct Bytes {
  const uint8_t* at;
  uint32_t size;
  Bytes after(uint32_t count) const noexcept { return {at + count, size - count}; }
};

struct IpPacket {
  DecodeStatus status = DecodeStatus::corrupt;
  bool v6 = false;
  uint8_t protocol = 0;
  const uint8_t* source = nullptr;
  const uint8_t* destination = nullptr;
  Bytes payload{nullptr, 0};
  uint32_t bytes = 0;
};

IpPacket failed(DecodeStatus status) noexcept {
  IpPacket packet;
  packet.status = status;
  return packet;
}

IpPacket read_ipv4(Bytes in) noexcept {
  if (in.size < sizeof(contract::Ipv4Header)) return failed(DecodeStatus::corrupt);
  const auto header = load<contract::Ipv4Header>(in.at);
  const uint32_t header_bytes = (header.version_ihl & 0xfu) * 4;
  const uint32_t total = header.total_length.host();
  if (header.version_ihl >> 4 != 4 || header_bytes < sizeof(header) || total < header_bytes || total > in.size) {
    return failed(DecodeStatus::corrupt);
  }
  if (packet::header_sum(in.at, header_bytes / 4) != 0xffff) return failed(DecodeStatus::corrupt);
  const uint16_t fragment = header.flags_fragment.host();
  if ((fragment & (contract::kIpv4MoreFragments | contract::kIpv4FragmentOffset)) != 0) {
    return failed(DecodeStatus::foreign);
  }
  return {DecodeStatus::good,
          false,
          header.protocol,
          in.at + 12,
          in.at + 16,
          {in.at + header_bytes, total - header_bytes},
          total};
}

IpPacket read_ipv6(Bytes in) noexcept {
  constexpr uint32_t kHeaderBytes = 40;
  constexpr uint8_t kDestinationOptions = 60;
  if (in.size < kHeaderBytes || in.at[0] >> 4 != 6) return failed(DecodeStatus::corrupt);
  const uint32_t length = load<Be16>(in.at + 4).host();
  if (length > in.size - kHeaderBytes) return failed(DecodeStatus::corrupt);
  uint8_t next = in.at[6];
  Bytes rest{in.at + kHeaderBytes, length};
  // A tunnel may insert its encapsulation limit (RFC 2473 section 4.1.1). Other extension headers are not ours.
  if (next == kDestinationOptions) {
    if (rest.size < 8) return failed(DecodeStatus::corrupt);
    const uint32_t bytes = (uint32_t{rest.at[1]} + 1) * 8;
    if (bytes > rest.size) return failed(DecodeStatus::corrupt);
    next = rest.at[0];
    rest = rest.after(bytes);
  }
  return {DecodeStatus::good, true, next, in.at + 8, in.at + 24, rest, kHeaderBytes + length};
}

IpPacket read_ip(Bytes in, uint16_t ether_type) noexcept {
  if (ether_type == contract::kEtherTypeIpv4) return read_ipv4(in);
  if (ether_type == contract::kEtherTypeIpv6) return read_ipv6(in);
  return failed(DecodeStatus::foreign);
}

/// What a tunnel carries: an EtherType and the bytes; EtherType 0 when it is none the generator knows.
struct Carried {
  uint16_t ether_type = 0;
  Bytes bytes{nullptr, 0};
  bool corrupt = false;
};

uint16_t ether_type_of(uint8_t protocol) noexcept {
  if (protocol == contract::kProtoIpip) return contract::kEtherTypeIpv4;
  return protocol == kProtoIpv6 ? contract::kEtherTypeIpv6 : 0;
}

Carried read_gre(Bytes in) noexcept {
  constexpr uint16_t kChecksum = 0x8000;
  constexpr uint16_t kKey = 0x2000;
  constexpr uint16_t kSequence = 0x1000;
  constexpr uint16_t kVersion = 0x0007;
  if (in.size < 4) return {.corrupt = true};
  const uint16_t flags = load<Be16>(in.at).host();
  if ((flags & kVersion) != 0) return {};
  const uint32_t bytes = 4 + 4 * (((flags & kChecksum) != 0 ? 1u : 0u) + ((flags & kKey) != 0 ? 1u : 0u) +
                                  ((flags & kSequence) != 0 ? 1u : 0u));
  if (in.size < bytes) return {.corrupt = true};
  return {load<Be16>(in.at + 2).host(), in.after(bytes), false};
}

/// `in` begins at the UDP header.
Carried read_gue(Bytes in) noexcept {
  constexpr uint8_t kControl = 0x20;
  if (in.size < contract::kUdpHeaderBytes + 4) return {.corrupt = true};
  const Bytes gue = in.after(contract::kUdpHeaderBytes);
  const uint8_t first = gue.at[0];
  // Variant 1 has no header: its first bits are the IP version (4 or 6).
  if (first >> 6 == 1) {
    return {first >> 4 == 4 ? contract::kEtherTypeIpv4 : contract::kEtherTypeIpv6, gue, false};
  }
  if (first >> 6 != 0 || (first & kControl) != 0) return {};
  const uint32_t bytes = 4 + (first & 0x1fu) * 4;
  if (gue.size < bytes) return {.corrupt = true};
  return {ether_type_of(gue.at[1]), gue.after(bytes), false};
}

Carried carried_by(const IpPacket& packet, uint16_t gue_port, Encapsulation& encapsulation) noexcept {
  if (const uint16_t ether_type = ether_type_of(packet.protocol); ether_type != 0) {
    encapsulation = Encapsulation::ipip;
    return {ether_type, packet.payload, false};
  }
  if (packet.protocol == kProtoGre) {
    encapsulation = Encapsulation::gre;
    return read_gre(packet.payload);
  }
  if (packet.protocol == contract::kProtoUdp && packet.payload.size >= contract::kUdpHeaderBytes &&
      load<Be16>(packet.payload.at + 2).host() == gue_port) {
    encapsulation = Encapsulation::gue;
    return read_gue(packet.payload);
  }
  encapsulation = Encapsulation::none;
  return {};
}

bool transport_sum_right(const IpPacket& packet, uint32_t bytes) noexcept {
  const uint32_t address_bytes = packet.v6 ? 16 : 4;
  uint64_t sum = Be16(packet.protocol).raw() + Be16(static_cast<uint16_t>(bytes)).raw();
  for (uint32_t i = 0; i < address_bytes; i += 4) {
    sum += load<uint32_t>(packet.source + i);
    sum += load<uint32_t>(packet.destination + i);
  }
  const uint8_t* at = packet.payload.at;
  uint32_t left = bytes;
  for (; left >= 4; at += 4, left -= 4) sum += load<uint32_t>(at);
  uint32_t rest = 0;
  std::memcpy(&rest, at, left);
  return packet::fold(sum + rest) == 0xffff;
}

void read_transport(const IpPacket& packet, Decoded& decoded) noexcept {
  const Bytes in = packet.payload;
  decoded.udp = packet.protocol == contract::kProtoUdp;
  uint32_t header = contract::kUdpHeaderBytes;
  uint32_t bytes = in.size;
  decoded.status = DecodeStatus::corrupt;
  if (decoded.udp) {
    if (in.size < header) return;
    bytes = load<Be16>(in.at + 4).host();
    if (bytes < header || bytes > in.size) return;
  } else {
    if (in.size < contract::kTcpHeaderBytes) return;
    header = (uint32_t{in.at[12]} >> 4) * 4;
    if (header < contract::kTcpHeaderBytes || header > in.size) return;
  }
  decoded.status = DecodeStatus::good;
  decoded.transport_checksum_right = transport_sum_right(packet, bytes);
  decoded.v6 = packet.v6;
  decoded.source = packet.source;
  decoded.destination = packet.destination;
  decoded.transport = in.at;
  decoded.payload = in.at + header;
  decoded.payload_bytes = bytes - header;
  decoded.ip_bytes = packet.bytes;
}

/// The EtherType behind at most two tags; 0 when the frame ends before it.
uint16_t skip_link(Bytes& in) noexcept {
  if (in.size < sizeof(contract::EthernetHeader)) return 0;
  uint16_t type = load<Be16>(in.at + 12).host();
  in = in.after(sizeof(contract::EthernetHeader));
  for (int tag = 0; tag < 2 && (type == contract::kEtherTypeVlan || type == contract::kEtherTypeQinQ); ++tag) {
    if (in.size < sizeof(contract::VlanTag)) return 0;
    type = load<Be16>(in.at + 2).host();
    in = in.after(sizeof(contract::VlanTag));
  }
  return type;
}

}  // namespace

std::string_view to_string(Encapsulation encapsulation) {
  constexpr std::string_view kNames[] = {"none", "ipip", "gre", "gue"};
  return kNames[static_cast<size_t>(encapsulation)];
}

Decoded decode(const uint8_t* frame, uint32_t length, uint16_t gue_port) noexcept {
  Decoded decoded;
  Bytes in{frame, length};
  uint16_t ether_type = skip_link(in);
  if (length >= 6) {
    decoded.backend.size = 6;
    std::memcpy(decoded.backend.address.data(), frame, 6);
  }
  for (int layer = 0; layer < kMaxLayers; ++layer) {
    const IpPacket packet = read_ip(in, ether_type);
    decoded.status = packet.status;
    if (packet.status != DecodeStatus::good) return decoded;
    Encapsulation encapsulation = Encapsulation::none;
    const Carried carried = carried_by(packet, gue_port, encapsulation);
    if (encapsulation == Encapsulation::none || layer + 1 == kMaxLayers) {
      if (packet.protocol == contract::kProtoTcp || packet.protocol == contract::kProtoUdp) {
        read_transport(packet, decoded);
      } else {
        decoded.status = DecodeStatus::foreign;
      }
      return decoded;
    }
    decoded.backend = {.encapsulation = encapsulation, .size = static_cast<uint8_t>(packet.v6 ? 16 : 4), .address = {}};
    std::memcpy(decoded.backend.address.data(), packet.destination, decoded.backend.size);
    decoded.status = carried.corrupt ? DecodeStatus::corrupt : DecodeStatus::foreign;
    if (carried.corrupt || carried.ether_type == 0) return decoded;
    in = carried.bytes;
    ether_type = carried.ether_type;
  }
  return decoded;
}

}  // namespace warmswap::gen
