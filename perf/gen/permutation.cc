#include "perf/gen/permutation.h"

#include <algorithm>
#include <bit>

#include "perf/gen/random.h"

namespace warmswap::gen {
namespace {

/// The inverse of an odd number modulo 2^64 by Newton's iteration: x is right to 3 bits modulo 8, each step doubles
/// them.
uint64_t inverse_of_odd(uint64_t odd) noexcept {
  uint64_t x = odd;
  for (int i = 0; i < 5; ++i) x *= 2 - odd * x;
  return x;
}

}  // namespace

Permutation::Permutation(uint64_t size, uint64_t key) noexcept : size_(size) {
  const int bits = std::max(static_cast<int>(std::bit_width(size - 1)), 1);
  mask_ = ~uint64_t{0} >> (64 - bits);
  shift_ = (bits + 1) / 2;
  SplitMix64 random(key);
  for (int i = 0; i < kRounds; ++i) {
    add_[i] = random.next();
    multiply_[i] = random.next() | 1;
    inverse_[i] = inverse_of_odd(multiply_[i]);
  }
}

}  // namespace warmswap::gen
