// Big-endian integers as types: a value read from or written to the wire never converts silently.
#pragma once

#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>

namespace warmswap::contract {

template <typename T>
constexpr T byte_swap(T value) noexcept {
  static_assert(sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8);
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(value));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(value));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(value));
}

/// An unsigned integer stored in network byte order. Trivially copyable; no implicit conversion either way.
/// Ordering compares the host values.
template <typename T>
class BigEndian {
 public:
  constexpr BigEndian() noexcept = default;
  constexpr explicit BigEndian(T host) noexcept : raw_(to_wire(host)) {}

  /// The value in host order.
  constexpr T host() const noexcept { return to_wire(raw_); }
  /// The bytes as they stand in memory, for hashing and masking without a swap.
  constexpr T raw() const noexcept { return raw_; }
  static constexpr BigEndian from_raw(T raw) noexcept {
    BigEndian result;
    result.raw_ = raw;
    return result;
  }

  friend constexpr bool operator==(BigEndian a, BigEndian b) noexcept { return a.raw_ == b.raw_; }
  friend constexpr std::strong_ordering operator<=>(BigEndian a, BigEndian b) noexcept { return a.host() <=> b.host(); }

 private:
  static constexpr T to_wire(T value) noexcept {
    if constexpr (std::endian::native == std::endian::little) return byte_swap(value);
    return value;
  }
  T raw_ = 0;
};

using Be16 = BigEndian<uint16_t>;
using Be32 = BigEndian<uint32_t>;
static_assert(sizeof(Be16) == 2 && sizeof(Be32) == 4, "wire structs are laid over packet bytes");

/// Reads or writes a trivially copyable value at an address of any alignment.
template <typename T>
inline T load(const void* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}
template <typename T>
inline void store(void* to, const T& value) noexcept {
  std::memcpy(to, &value, sizeof(T));
}

}  // namespace warmswap::contract
