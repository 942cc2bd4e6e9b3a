// A bijection of 64-bit numbers in which each input bit changes about half of the output. Pure; any thread. Not keyed:
// whoever knows the input knows the output.
//
// Source: the finaliser of SplitMix64 (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA
// 2014) with Stafford's "Mix13" constants. 0 stays 0.
#pragma once

#include <cstdint>

namespace warmswap::contract {

constexpr uint64_t mix64(uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace warmswap::contract
