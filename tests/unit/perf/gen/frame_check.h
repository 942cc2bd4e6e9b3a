// Reads generated frames in the plainest way, byte by byte, and computes checksums as RFC 1071 describes them; shares
// no code with what it checks.
#pragma once

#include <cstdint>
#include <vector>

namespace warmswap::test {

inline uint32_t big16(const uint8_t* at) {
  return static_cast<uint32_t>(at[0] << 8 | at[1]);
}

/// The ones'-complement sum of 16-bit big-endian words; 0xffff over anything with its checksum in place.
inline uint32_t internet_sum(const std::vector<uint8_t>& bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    sum += static_cast<uint32_t>(bytes[i] << 8) + (i + 1 < bytes.size() ? bytes[i + 1] : 0u);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  }
  return sum;
}

/// Of a frame without tags and IP options.
struct PlainFrame {
  explicit PlainFrame(const std::vector<uint8_t>& bytes) : frame(bytes) {
    v6 = big16(&frame[12]) == 0x86dd;
    ip_header = v6 ? 40 : 20;
    protocol = frame[14 + (v6 ? 6 : 9)];
    ip_bytes = v6 ? 40 + big16(&frame[18]) : big16(&frame[16]);
    transport = 14 + ip_header;
    transport_bytes = ip_bytes - ip_header;
    transport_header = protocol == 6 ? (frame[transport + 12] >> 4) * 4u : 8u;
  }

  uint32_t ip_sum() const { return internet_sum({frame.begin() + 14, frame.begin() + 34}); }
  /// Over pseudo-header and segment.
  uint32_t transport_sum() const {
    const size_t addresses = v6 ? 32 : 8;
    std::vector<uint8_t> covered(frame.begin() + static_cast<long>(transport - addresses),
                                 frame.begin() + static_cast<long>(transport));
    covered.push_back(0);
    covered.push_back(protocol);
    covered.push_back(static_cast<uint8_t>(transport_bytes >> 8));
    covered.push_back(static_cast<uint8_t>(transport_bytes));
    covered.insert(covered.end(), frame.begin() + static_cast<long>(transport),
                   frame.begin() + static_cast<long>(transport) + static_cast<long>(transport_bytes));
    return internet_sum(covered);
  }
  uint32_t source_port() const { return big16(&frame[transport]); }
  uint32_t port() const { return big16(&frame[transport + 2]); }
  uint8_t tcp_flags() const { return frame[transport + 13]; }
  uint32_t payload_bytes() const { return transport_bytes - transport_header; }

  std::vector<uint8_t> frame;
  bool v6 = false;
  uint8_t protocol = 0;
  uint32_t ip_header = 0;
  uint32_t ip_bytes = 0;
  uint32_t transport = 0;
  uint32_t transport_bytes = 0;
  uint32_t transport_header = 0;
};

}  // namespace warmswap::test
