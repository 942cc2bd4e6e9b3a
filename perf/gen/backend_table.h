// The backends that packets were seen at, numbered in the order of their first packet. Fixed capacity, so that looking
// up and adding never allocate. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "perf/gen/decode.h"

namespace warmswap::gen {

/// "ipip 192.0.2.11", "gue 2001:db8::1", "plain 02:00:00:00:00:01".
std::string format_backend(const BackendKey& key);

class BackendTable {
 public:
  /// Backends told apart; all further ones share the number kCapacity.
  static constexpr uint32_t kCapacity = 1023;

  BackendTable() : slots_(kSlots, kEmpty) { keys_.reserve(kCapacity); }

  /// The backend's number; `kCapacity` when there are more than can be told apart.
  uint32_t number(const BackendKey& key) noexcept;

  uint32_t size() const noexcept { return static_cast<uint32_t>(keys_.size()); }
  const BackendKey& key(uint32_t number) const noexcept { return keys_[number]; }

 private:
  static constexpr uint32_t kSlots = 4096;
  static constexpr uint16_t kEmpty = 0xffff;

  std::vector<uint16_t> slots_;
  std::vector<BackendKey> keys_;
};

}  // namespace warmswap::gen
