// Small deterministic random numbers: traffic is a function of its description and seed. Pure; not for secrets.
#pragma once

#include <cstdint>

#include "perf/gen/wide.h"

namespace warmswap::gen {

/// Scrambles 64 bits; a bijection. Source: Steele, Lea & Flood, "Fast splittable pseudorandom number generators"
/// (OOPSLA 2014), with Stafford's "Mix13" constants.
constexpr uint64_t mix64(uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// The SplitMix64 generator of the same paper: period 2^64, one add and one mix64 a number. One thread.
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
