// Reads the frames a balancer sends: plain, IP in IP (any of the four combinations), GRE and GUE, down to the packet
// the generator sent. Independent of dataplane/packet, so that one does not repeat the other's mistakes. Pure; any
// thread.
//
// Nothing outside the frame is read. Sources: RFC 2003, 2473, 4213 (IP in IP), RFC 2784 and 2890 (GRE),
// draft-ietf-intarea-gue (GUE, variants 0 and 1).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/contract/byte_order.h"

namespace warmswap::gen {

enum class Encapsulation : uint8_t { none, ipip, gre, gue };
std::string_view to_string(Encapsulation encapsulation);

/// Where a packet was sent to: the outer destination address, or without encapsulation the destination MAC.
struct BackendKey {
  Encapsulation encapsulation = Encapsulation::none;
  uint8_t size = 0;  // of the address: 4, 16, or 6 for a MAC
  std::array<uint8_t, 16> address{};
  friend bool operator==(const BackendKey&, const BackendKey&) = default;
};

enum class DecodeStatus : uint8_t {
  good,
  foreign,  // whole, but nothing the generator sends: ARP, ICMP, a fragment, …
  corrupt,  // a header checksum is wrong, or lengths contradict each other
};

struct Decoded {
  DecodeStatus status = DecodeStatus::foreign;
  BackendKey backend;
  // Only when good:
  bool v6 = false;
  bool udp = false;
  bool transport_checksum_right = false;
  const uint8_t* source = nullptr;  // addresses in network order
  const uint8_t* destination = nullptr;
  const uint8_t* transport = nullptr;  // at least a whole header
  const uint8_t* payload = nullptr;
  uint32_t payload_bytes = 0;
  uint32_t ip_bytes = 0;  // of the innermost IP packet

  uint16_t source_port() const noexcept { return contract::load<contract::Be16>(transport).host(); }
  uint16_t destination_port() const noexcept { return contract::load<contract::Be16>(transport + 2).host(); }
};

inline constexpr uint16_t kGuePort = 6080;  // IANA's

/// `gue_port`: the UDP destination port that means GUE.
Decoded decode(const uint8_t* frame, uint32_t length, uint16_t gue_port = kGuePort) noexcept;

}  // namespace warmswap::gen
