#include "perf/gen/frame.h"

#include <algorithm>
#include <cstring>

#include "dataplane/packet/checksum.h"

namespace warmswap::gen {
namespace {

using contract::Be16;
using contract::load;
using contract::store;

constexpr uint32_t kEthernetBytes = sizeof(contract::EthernetHeader);
constexpr uint32_t kIpv6HeaderBytes = 40;
constexpr uint8_t kTtl = 64;
constexpr uint32_t kTcpChecksumOffset = 16;
constexpr uint32_t kUdpChecksumOffset = 6;

/// The sum of `bytes` bytes as 16-bit words as they stand in memory; an odd last byte counts as if a zero followed.
uint64_t word_sum(const uint8_t* at, size_t bytes) noexcept {
  uint64_t sum = 0;
  for (; bytes >= 2; at += 2, bytes -= 2) sum += load<uint16_t>(at);
  return bytes != 0 ? sum + *at : sum;  // little-endian: the first byte of a word is its low one
}

uint8_t tcp_flags(Kind kind) {
  constexpr uint8_t kFin = 0x01;
  constexpr uint8_t kSyn = 0x02;
  constexpr uint8_t kPush = 0x08;
  constexpr uint8_t kAck = 0x10;
  switch (kind) {
    case Kind::syn:
      return kSyn;
    case Kind::ack:
      return kAck;
    case Kind::data:
      return kPush | kAck;
    case Kind::fin:
      return kFin | kAck;
  }
  return kAck;
}

}  // namespace

FrameTemplate::FrameTemplate(const FrameShape& shape)
    : v6_(shape.v6),
      udp_(shape.transport == Transport::udp),
      transport_offset_(
          static_cast<uint16_t>(kEthernetBytes + (v6_ ? kIpv6HeaderBytes : sizeof(contract::Ipv4Header)))),
      header_bytes_(udp_ ? contract::kUdpHeaderBytes : contract::kTcpHeaderBytes) {
  const uint16_t least = smallest_frame(shape.v6, shape.transport, shape.kind);
  bytes_.assign(std::max(shape.bytes, least) - kFcsBytes, 0);
  const bool carries_data = udp_ || shape.kind == Kind::data;
  // What follows the IP packet of a small SYN, ACK or FIN is Ethernet padding.
  const uint32_t payload = carries_data ? length() - transport_offset_ - header_bytes_ : 0;
  compact_ = payload < kSignatureBytes;
  contract::EthernetHeader ethernet;
  ethernet.destination = shape.destination_mac;
  ethernet.source = shape.source_mac;
  ethernet.ether_type = Be16(v6_ ? contract::kEtherTypeIpv6 : contract::kEtherTypeIpv4);
  store(bytes_.data(), ethernet);
  fill_ip(shape, transport_offset_ - kEthernetBytes + header_bytes_ + payload);
  fill_transport(shape, payload);
}

void FrameTemplate::fill_ip(const FrameShape& shape, uint32_t ip_bytes) {
  uint8_t* ip = bytes_.data() + kEthernetBytes;
  const uint8_t protocol = shape.transport == Transport::udp ? contract::kProtoUdp : contract::kProtoTcp;
  if (v6_) {
    ip[0] = 0x60;
    store(ip + 4, Be16(static_cast<uint16_t>(ip_bytes - kIpv6HeaderBytes)));
    ip[6] = protocol;
    ip[7] = kTtl;
    return;
  }
  contract::Ipv4Header header{};
  header.version_ihl = 0x45;
  header.total_length = Be16(static_cast<uint16_t>(ip_bytes));
  // Not to be fragmented, so the identification may be zero (RFC 6864 section 4.1).
  header.flags_fragment = Be16(contract::kIpv4DontFragment);
  header.ttl = kTtl;
  header.protocol = protocol;
  store(ip, header);
  ip_sum_ = word_sum(ip, sizeof(header));
}

void FrameTemplate::fill_transport(const FrameShape& shape, uint32_t payload) {
  uint8_t* transport = bytes_.data() + transport_offset_;
  if (udp_) {
    store(transport + 4, Be16(static_cast<uint16_t>(header_bytes_ + payload)));
  } else {
    constexpr uint8_t kFiveWords = 5 << 4;
    transport[12] = kFiveWords;
    transport[13] = tcp_flags(shape.kind);
    if (!compact_) {
      store(transport + kTcpSequenceOffset, contract::Be32(1));
      store(transport + kTcpSequenceOffset + 4, contract::Be32(shape.kind == Kind::syn ? 0 : 1));
      store(transport + kTcpWindowOffset, Be16(0xffff));
    }
  }
  for (uint32_t i = compact_ ? 0 : kSignatureBytes; i < payload; ++i) {
    transport[header_bytes_ + i] = static_cast<uint8_t>('a' + i % 26);
  }
  const uint32_t length = header_bytes_ + payload;
  // The pseudo-header's protocol and length (RFC 9293 section 3.1, RFC 768, RFC 8200 section 8.1).
  transport_sum_ = word_sum(transport, length) + Be16(static_cast<uint16_t>(length)).raw() +
                   Be16(udp_ ? contract::kProtoUdp : contract::kProtoTcp).raw();
}

void FrameTemplate::write(uint8_t* to, const FrameFields& fields, uint64_t key) const noexcept {
  std::memcpy(to, bytes_.data(), bytes_.size());
  uint8_t* ip = to + kEthernetBytes;
  uint8_t* transport = to + transport_offset_;
  const uint32_t address_bytes = v6_ ? 16 : 4;
  uint8_t* addresses = transport - 2 * address_bytes;
  std::memcpy(addresses, fields.source, address_bytes);
  std::memcpy(addresses + address_bytes, fields.destination, address_bytes);
  uint64_t address_sum = 0;
  for (uint32_t i = 0; i < 2 * address_bytes; i += 4) address_sum += load<uint32_t>(addresses + i);
  if (!v6_) {
    store(ip + offsetof(contract::Ipv4Header, checksum), static_cast<uint16_t>(~packet::fold(ip_sum_ + address_sum)));
  }

  store(transport, fields.source_port);
  store(transport + 2, fields.destination_port);
  uint64_t sum = transport_sum_ + address_sum + fields.source_port.raw() + fields.destination_port.raw();
  if (compact_) {
    write_compact_signature(transport, fields.signature, key);
    sum += uint64_t{load<uint32_t>(transport + kTcpSequenceOffset)} + load<uint32_t>(transport + 8) +
           load<uint16_t>(transport + kTcpWindowOffset) + load<uint16_t>(transport + kTcpUrgentOffset);
  } else {
    uint8_t* payload = transport + header_bytes_;
    write_signature(payload, fields.signature, key);
    for (uint32_t i = 0; i + 4 <= kSignatureBytes; i += 4) sum += load<uint32_t>(payload + i);
    sum += load<uint16_t>(payload + (kSignatureBytes & ~3u));
  }
  auto checksum = static_cast<uint16_t>(~packet::fold(sum));
  if (udp_ && checksum == 0) checksum = 0xffff;  // zero says that there is none (RFC 768)
  store(transport + (udp_ ? kUdpChecksumOffset : kTcpChecksumOffset), checksum);
}

}  // namespace warmswap::gen
