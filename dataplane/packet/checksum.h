// The Internet checksum (RFC 1071). Pure; any thread.
//
// Words are loaded as they stand in memory: a ones'-complement sum of byte-swapped words is the byte-swapped sum
// (RFC 1071 §2 B), so nothing here swaps, and a result is stored back as it is.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "dataplane/contract/byte_order.h"

namespace warmswap::packet {

/// Folds a sum of 16-bit words to 16 bits. Adding the value rotated by half leaves the sum of both halves, end-around
/// carry included, in the upper one.
constexpr uint16_t fold(uint32_t sum) noexcept {
  return static_cast<uint16_t>((sum + std::rotl(sum, 16)) >> 16);
}

/// Folds a sum of 16-bit or 32-bit words to 16 bits (2^16 ≡ 1 modulo 2^16 - 1, so both are the same sum).
constexpr uint16_t fold(uint64_t sum) noexcept {
  return fold(static_cast<uint32_t>((sum + std::rotl(sum, 32)) >> 32));
}

/// The folded, not inverted sum of an IPv4 header of `words` 32-bit words; 0xffff when its checksum is right.
inline uint16_t header_sum(const uint8_t* header, size_t words) noexcept {
  uint64_t sum = 0;
  for (size_t i = 0; i < words; ++i) sum += contract::load<uint32_t>(header + 4 * i);
  return fold(sum);
}

}  // namespace warmswap::packet
