// The named reasons for which a packet is dropped, generated from drop_reasons.def.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace warmswap::contract {

enum class DropReason : uint8_t {
#define WARMSWAP_DROP(name, text) name,
#include "dataplane/contract/drop_reasons.def"
#undef WARMSWAP_DROP
};

struct DropReasonText {
  std::string_view name;
  std::string_view meaning;
};

/// Indexed by DropReason.
inline constexpr DropReasonText kDropReasons[] = {
#define WARMSWAP_DROP(name, text) {#name, text},
#include "dataplane/contract/drop_reasons.def"
#undef WARMSWAP_DROP
};
inline constexpr size_t kDropReasonCount = sizeof(kDropReasons) / sizeof(kDropReasons[0]);

}  // namespace warmswap::contract
