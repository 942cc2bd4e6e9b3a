// A keyed bijection of [0, size) that looks random, in both directions without a table. Pure; any thread.
//
// On the smallest power of two that holds `size`, three rounds of: add a key, multiply by an odd key, fold the upper
// half of the bits into the lower. Each step is invertible modulo 2^bits, so the whole is. Values that land outside
// [0, size) go through again ("cycle walking": Black & Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002),
// on average less than once more. Meant to break up linear address ranges for hashes under test; no cipher.
#pragma once

#include <cstdint>

namespace warmswap::gen {

class Permutation {
 public:
  /// `size` from 1 to 2^63.
  Permutation(uint64_t size, uint64_t key) noexcept;

  uint64_t size() const noexcept { return size_; }
  /// `x` < size().
  uint64_t operator()(uint64_t x) const noexcept {
    do x = scramble(x);
    while (x >= size_);
    return x;
  }
  /// The x with (*this)(x) == y. `y` < size().
  uint64_t inverse(uint64_t y) const noexcept {
    do y = unscramble(y);
    while (y >= size_);
    return y;
  }

 private:
  static constexpr int kRounds = 3;

  // The fold is its own inverse, because the shift is at least half of the width.
  uint64_t fold(uint64_t x) const noexcept { return x ^ (x >> shift_); }
  uint64_t scramble(uint64_t x) const noexcept {
    for (int i = 0; i < kRounds; ++i) x = fold(((x + add_[i]) * multiply_[i]) & mask_);
    return x;
  }
  uint64_t unscramble(uint64_t x) const noexcept {
    for (int i = kRounds - 1; i >= 0; --i) x = (fold(x) * inverse_[i] - add_[i]) & mask_;
    return x;
  }

  uint64_t size_;
  uint64_t mask_;
  int shift_;
  uint64_t add_[kRounds];
  uint64_t multiply_[kRounds];
  uint64_t inverse_[kRounds];
};

}  // namespace warmswap::gen
