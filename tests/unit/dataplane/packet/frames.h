// Frames for tests: a small builder of valid TCP and UDP frames, and buffers of exactly the size a parser may touch.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "dataplane/contract/wire.h"
#include "dataplane/packet/packet.h"

namespace warmswap::test {

using Bytes = std::vector<uint8_t>;

/// Gives uint32_t, where std::mt19937 gives unsigned long.
using Random = std::independent_bits_engine<std::mt19937_64, 32, uint32_t>;

/// What make_frame writes; the defaults are a 54-byte TCP frame to 198.51.100.10:80.
struct FrameShape {
  std::vector<uint16_t> tags;  // EtherTypes of the VLAN tags, outermost first
  uint32_t option_words = 0;   // IPv4 options, no-operations
  uint8_t tos = 0;
  uint8_t ttl = 64;
  uint16_t identification = 0x1234;
  uint16_t flags_fragment = 0x4000;
  uint8_t protocol = 6;
  uint32_t source = 0xc0000201;
  uint32_t destination = 0xc633640a;
  uint16_t source_port = 40000;
  uint16_t destination_port = 80;
  uint32_t payload = 0;  // bytes behind the transport header
  uint32_t padding = 0;  // bytes behind the IP packet
};

/// Computes the checksum of the IPv4 header at `ip` word by word, as RFC 1071 describes it; not the code under test.
inline void write_ip_checksum(uint8_t* ip) {
  ip[10] = ip[11] = 0;
  uint32_t sum = 0;
  for (int i = 0; i < (ip[0] & 0xf) * 4; i += 2) sum += static_cast<uint32_t>(ip[i] << 8 | ip[i + 1]);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  ip[10] = static_cast<uint8_t>(~sum >> 8);
  ip[11] = static_cast<uint8_t>(~sum);
}

inline Bytes make_frame(const FrameShape& shape) {
  using contract::Be16;
  using contract::Be32;
  using contract::store;
  const size_t link = 14 + 4 * shape.tags.size();
  const size_t ip_header = 20 + 4 * shape.option_words;
  const size_t transport = shape.protocol == 17 ? 8 : 20;
  const size_t ip_length = ip_header + transport + shape.payload;
  Bytes frame(link + ip_length + shape.padding, 0xee);
  for (size_t i = 0; i < 12; ++i) frame[i] = static_cast<uint8_t>(i);
  size_t at = 12;
  for (const uint16_t tag : shape.tags) {
    store(&frame[at], Be16(tag));
    store(&frame[at + 2], Be16(0x0064));
    at += 4;
  }
  store(&frame[at], Be16(0x0800));
  uint8_t* ip = &frame[link];
  ip[0] = static_cast<uint8_t>(0x40 | ip_header / 4);
  ip[1] = shape.tos;
  store(ip + 2, Be16(static_cast<uint16_t>(ip_length)));
  store(ip + 4, Be16(shape.identification));
  store(ip + 6, Be16(shape.flags_fragment));
  ip[8] = shape.ttl;
  ip[9] = shape.protocol;
  store(ip + 12, Be32(shape.source));
  store(ip + 16, Be32(shape.destination));
  std::memset(ip + 20, 1, 4 * shape.option_words);
  write_ip_checksum(ip);
  uint8_t* l4 = ip + ip_header;
  std::memset(l4, 0, transport);
  store(l4, Be16(shape.source_port));
  store(l4 + 2, Be16(shape.destination_port));
  if (shape.protocol == 17) {
    store(l4 + 4, Be16(static_cast<uint16_t>(8 + shape.payload)));
  } else {
    l4[12] = 0x50;
  }
  return frame;
}

/// A copy of a frame in a heap block of exactly headroom + contiguous bytes, so that the address sanitizer sees any
/// access outside what a Packet allows.
class ExactBuffer {
 public:
  explicit ExactBuffer(const Bytes& frame, uint32_t headroom = 64) : ExactBuffer(frame, headroom, frame.size()) {}
  ExactBuffer(const Bytes& frame, uint32_t headroom, size_t contiguous)
      : block_(std::make_unique<uint8_t[]>(headroom + contiguous)) {
    if (contiguous > 0) std::memcpy(block_.get() + headroom, frame.data(), contiguous);
    packet_.frame = block_.get() + headroom;
    packet_.length = static_cast<uint32_t>(frame.size());
    packet_.contiguous = static_cast<uint32_t>(contiguous);
    packet_.headroom = headroom;
  }
  packet::Packet& packet() { return packet_; }

 private:
  std::unique_ptr<uint8_t[]> block_;
  packet::Packet packet_;
};

/// A random shape that the parser must accept as a flow.
inline FrameShape random_shape(Random& random) {
  FrameShape shape;
  for (uint32_t tags = random() % 3; tags > 0; --tags) shape.tags.push_back(random() % 2 == 0 ? 0x8100 : 0x88a8);
  shape.option_words = random() % 4 == 0 ? random() % 11 : 0;
  shape.tos = static_cast<uint8_t>(random());
  shape.ttl = static_cast<uint8_t>(2 + random() % 254);
  shape.identification = static_cast<uint16_t>(random());
  shape.flags_fragment = static_cast<uint16_t>(random() % 2 == 0 ? 0x4000 : 0);
  shape.protocol = random() % 2 == 0 ? 6 : 17;
  shape.source = static_cast<uint32_t>(random());
  shape.source_port = static_cast<uint16_t>(random());
  shape.payload = random() % 1400;
  shape.padding = random() % 3 == 0 ? random() % 20 : 0;
  return shape;
}

}  // namespace warmswap::test
