// IPv4 and IPv6 addresses, prefixes and port ranges as the generator's options write them. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/contract/wire.h"

namespace warmswap::gen {

/// Bytes in network order; an IPv4 address uses the first four and leaves the others zero.
struct IpAddress {
  std::array<uint8_t, 16> bytes{};
  bool v6 = false;

  uint32_t size() const noexcept { return v6 ? 16 : 4; }
  /// The last 32 bits in host order: what differs between the addresses of a prefix.
  uint32_t low() const noexcept { return contract::load<contract::Be32>(bytes.data() + size() - 4).host(); }
  void set_low(uint32_t low) noexcept { contract::store(bytes.data() + size() - 4, contract::Be32(low)); }
  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

struct AddressPrefix {
  IpAddress address;  // host bits are zero
  uint8_t length = 32;

  /// How many addresses of the prefix the generator uses: all of them, at most the 2^32 that differ in the last 32
  /// bits.
  uint64_t count() const noexcept {
    const uint32_t host_bits = address.size() * 8 - length;
    return uint64_t{1} << (host_bits < 32 ? host_bits : 32);
  }
  friend bool operator==(const AddressPrefix&, const AddressPrefix&) = default;
};

struct PortRange {
  uint16_t first = 0;
  uint16_t last = 0;
  uint32_t count() const noexcept { return uint32_t{last} - first + 1; }
  friend bool operator==(const PortRange&, const PortRange&) = default;
};

std::optional<IpAddress> parse_ip(std::string_view text);
std::string format_ip(const IpAddress& address);
/// "10.0.0.0/8", "2001:db8::/64"; an address alone is a prefix of one. Host bits must be zero.
std::optional<AddressPrefix> parse_address_prefix(std::string_view text);
std::string format_address_prefix(const AddressPrefix& prefix);
/// "80" or "1024-65535"; no port 0.
std::optional<PortRange> parse_port_range(std::string_view text);
std::string format_port_range(const PortRange& range);
/// "02:00:00:00:00:01"
std::optional<contract::MacAddress> parse_mac(std::string_view text);
std::string format_mac(const contract::MacAddress& mac);

}  // namespace warmswap::gen
