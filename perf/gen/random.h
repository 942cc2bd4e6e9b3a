// Small deterministic random numbers: traffic is a function of its description and seed. Pure; not for secrets.
#pragma once

#include <cstdint>

#include "dataplane/contract/mix64.h"
#include "perf/gen/wide.h"

namespace warmswap::gen {

using contract::mix64;

/// The generator of the paper behind mix64: period 2^64, one add and one mix64 a number. One thread.
class SplitMix64 {
 public:
  constexpr explicit SplitMix64(uint64_t seed) noexcept : state_(seed) {}

  constexpr uint64_t next() noexcept { return mix64(state_ += 0x9e3779b97f4a7c15ULL); }
  /// In [0, bound), bound ≤ 2^32, by multiply-shift (Lemire 2019) without the rejection step: the bias is below
  /// bound / 2^64 here, since all 64 bits take part.
  constexpr uint64_t below(uint64_t bound) noexcept {
    return static_cast<uint64_t>((static_cast<Uint128>(next()) * bound) >> 64);
  }
  /// In [0, 1), 53 bits.
  constexpr double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  uint64_t state_;
};

}  // namespace warmswap::gen
