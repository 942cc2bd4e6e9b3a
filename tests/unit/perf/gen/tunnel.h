// Puts headers of a tunnel around generated frames, byte by byte, the way a balancer would.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/unit/perf/gen/frame_check.h"

namespace warmswap::test {

using Frame = std::vector<uint8_t>;

inline void append16(Frame& to, uint32_t value) {
  to.push_back(static_cast<uint8_t>(value >> 8));
  to.push_back(static_cast<uint8_t>(value));
}

inline Frame ipv4_header(uint8_t protocol, size_t payload, uint8_t last_of_destination) {
  Frame ip{0x45, 0};
  append16(ip, static_cast<uint32_t>(20 + payload));
  ip.insert(ip.end(), {0, 0, 0x40, 0, 64, protocol, 0, 0, 198, 18, 0, 1, 192, 0, 2, last_of_destination});
  const uint32_t checksum = ~internet_sum(ip) & 0xffff;
  ip[10] = static_cast<uint8_t>(checksum >> 8);
  ip[11] = static_cast<uint8_t>(checksum);
  return ip;
}

inline Frame ipv6_header(uint8_t protocol, size_t payload, uint8_t last_of_destination) {
  Frame ip{0x60, 0, 0, 0};
  append16(ip, static_cast<uint32_t>(payload));
  ip.insert(ip.end(), {protocol, 64, 0x20, 0x01, 0x0d, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  ip.insert(ip.end(), {0x20, 0x01, 0x0d, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, last_of_destination});
  return ip;
}

/// `inner`: a generated frame. `middle`: what stands between the outer IP header and the inner packet.
inline Frame tunnelled(const Frame& inner, bool outer_v6, uint8_t protocol, const Frame& middle, uint8_t backend) {
  const PlainFrame plain(inner);
  Frame payload = middle;
  payload.insert(payload.end(), inner.begin() + 14, inner.begin() + 14 + static_cast<long>(plain.ip_bytes));
  Frame frame{2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1};
  append16(frame, outer_v6 ? 0x86dd : 0x0800);
  const Frame ip =
      outer_v6 ? ipv6_header(protocol, payload.size(), backend) : ipv4_header(protocol, payload.size(), backend);
  frame.insert(frame.end(), ip.begin(), ip.end());
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

inline Frame ipip(const Frame& inner, uint8_t backend, bool outer_v6 = false) {
  return tunnelled(inner, outer_v6, PlainFrame(inner).v6 ? 41 : 4, {}, backend);
}

inline Frame gre(const Frame& inner, uint8_t backend, uint16_t flags = 0) {
  Frame header;
  append16(header, flags);
  append16(header, PlainFrame(inner).v6 ? 0x86dd : 0x0800);
  for (const unsigned field : {0x8000u, 0x2000u, 0x1000u}) {
    if ((flags & field) != 0) header.insert(header.end(), 4, 0);
  }
  return tunnelled(inner, false, 47, header, backend);
}

/// `private_words`: of 4 bytes each, in the variant 0 header; -1 = variant 1, without a header.
inline Frame gue(const Frame& inner, uint8_t backend, int private_words, bool outer_v6 = false) {
  const PlainFrame plain(inner);
  Frame header;
  append16(header, 40'000);
  append16(header, 6080);
  const int gue_bytes = private_words < 0 ? 0 : 4 + 4 * private_words;
  append16(header, static_cast<uint32_t>(8 + gue_bytes) + plain.ip_bytes);
  append16(header, 0);
  if (private_words >= 0) {
    header.insert(header.end(), {static_cast<uint8_t>(private_words), static_cast<uint8_t>(plain.v6 ? 41 : 4), 0, 0});
    header.insert(header.end(), size_t{4} * static_cast<size_t>(private_words), 0x5a);
  }
  return tunnelled(inner, outer_v6, 17, header, backend);
}

/// With an 802.1Q tag.
inline Frame tagged(const Frame& frame) {
  Frame out = frame;
  const Frame tag{0x81, 0x00, 0x00, 0x64};
  out.insert(out.begin() + 12, tag.begin(), tag.end());
  return out;
}

}  // namespace warmswap::test
