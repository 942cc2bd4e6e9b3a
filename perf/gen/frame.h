// Frames made from templates: everything that does not vary between the packets of a template, checksums included, is
// computed once; a packet is a copy, a few stores and a short sum. Pure; write() is allocation-free, any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "perf/gen/signature.h"
#include "perf/gen/traffic.h"

namespace warmswap::gen {

struct FrameShape {
  bool v6 = false;
  Transport transport = Transport::tcp;
  Kind kind = Kind::data;
  uint16_t bytes = kSmallestFrame;  // with FCS; at least smallest_frame()
  contract::MacAddress source_mac{};
  contract::MacAddress destination_mac{};
};

/// What varies. The addresses are in network order, 4 or 16 bytes as the template's family wants.
struct FrameFields {
  const uint8_t* source = nullptr;
  const uint8_t* destination = nullptr;
  contract::Be16 source_port;
  contract::Be16 destination_port;
  Signature signature;
};

class FrameTemplate {
 public:
  explicit FrameTemplate(const FrameShape& shape);

  /// Bytes that write() writes: the frame without its FCS.
  uint32_t length() const noexcept { return static_cast<uint32_t>(bytes_.size()); }
  /// Where the signature stands: in the payload, or in the TCP header.
  bool compact() const noexcept { return compact_; }

  /// A whole frame with right IPv4 and TCP or UDP checksums.
  void write(uint8_t* to, const FrameFields& fields, uint64_t key) const noexcept;

 private:
  void fill_ip(const FrameShape& shape, uint32_t ip_bytes);
  void fill_transport(const FrameShape& shape, uint32_t payload);

  std::vector<uint8_t> bytes_;
  bool v6_;
  bool udp_;
  bool compact_ = false;
  uint16_t transport_offset_;
  uint16_t header_bytes_;       // of the transport header
  uint64_t ip_sum_ = 0;         // of the IPv4 header with addresses and checksum zero
  uint64_t transport_sum_ = 0;  // of pseudo-header, header and payload with all that varies zero
};

}  // namespace warmswap::gen
