#include "controlplane/table/rendezvous.h"

#include <algorithm>
#include <array>
#include <bit>

namespace warmswap::table {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr uint32_t kTableBits = 10;
constexpr uint32_t kFractionBits = 32;

/// floor(2^32 · log2(1 + i / 2^10)), bit by bit: squaring a number doubles its logarithm, and a square of 2 or more
/// shows a one bit. 63 fraction bits in the mantissa keep the truncation errors of 32 squarings below the last bit
/// wanted.
constexpr uint64_t log2_entry(uint32_t i) {
  uint64_t mantissa = (uint64_t{1} << 63) + (uint64_t{i} << (63 - kTableBits));
  uint64_t result = 0;
  for (uint32_t bit = 0; bit < kFractionBits; ++bit) {
    const Wide square = Wide{mantissa} * mantissa;
    const bool doubled = (square >> 127) != 0;
    mantissa = static_cast<uint64_t>(square >> (doubled ? 64 : 63));
    result = result << 1 | (doubled ? 1 : 0);
  }
  return result;
}

constexpr auto kLog2 = [] {
  std::array<uint64_t, (1u << kTableBits) + 1> table{};
  for (uint32_t i = 0; i < table.size() - 1; ++i) table[i] = log2_entry(i);
  table.back() = uint64_t{1} << kFractionBits;
  return table;
}();

}  // namespace

uint64_t seat_seed(std::string_view name) noexcept {
  return contract::sip_hash(kReDealKey, name.data(), name.size());
}

uint64_t slot_seed(uint32_t slot) noexcept {
  return contract::sip_hash(kReDealKey, &slot, sizeof(slot));
}

uint64_t cost(uint64_t u) noexcept {
  if (u == 0) u = 1;
  const uint32_t zeros = static_cast<uint32_t>(std::countl_zero(u));
  const uint64_t mantissa = u << zeros << 1;  // the leading one shifted out: 64 fraction bits
  const uint32_t entry = static_cast<uint32_t>(mantissa >> (64 - kTableBits));
  const uint64_t between = (mantissa << kTableBits) >> 32;
  const uint64_t step = kLog2[entry + 1] - kLog2[entry];
  const uint64_t log2_fraction = kLog2[entry] + (step * between >> 32);
  return (uint64_t{zeros + 1} << kFractionBits) - log2_fraction;
}

Contest::Contest(std::span<const Candidate> by_weight) {
  members_.reserve(by_weight.size());
  for (const Candidate& candidate : by_weight) {
    if (candidate.weight == 0) continue;
    const uint32_t at = static_cast<uint32_t>(members_.size());
    if (groups_.empty() || groups_.back().weight != candidate.weight) groups_.push_back({candidate.weight, at, at});
    members_.push_back({candidate.seed, candidate.rank});
    ++groups_.back().end;
  }
}

void Contest::remove(uint16_t rank) {
  for (Group& group : groups_) {
    for (uint32_t i = group.begin; i < group.end; ++i) {
      if (members_[i].rank != rank) continue;
      members_[i] = members_[--group.end];
      return;
    }
  }
}

}  // namespace warmswap::table
