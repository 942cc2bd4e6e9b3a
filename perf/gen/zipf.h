// Zipf-distributed ranks: P(k) ∝ 1/k^s for k in 1…n, in constant time and without tables. Pure; any thread.
//
// Source: Hörmann & Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions", ACM
// TOMACS 6(3), 1996. The area under h(x) = x^-s is inverted, and a draw is rejected where the histogram is below h;
// fewer than 1.2 tries are needed on average, whatever n and s.
#pragma once

#include <cmath>
#include <cstdint>

#include "perf/gen/random.h"

namespace warmswap::gen {

class Zipf {
 public:
  /// `n` ≥ 1, `exponent` > 0 (1 included).
  Zipf(uint64_t n, double exponent) noexcept;

  /// A rank from 1 (the most popular) to n.
  uint64_t operator()(SplitMix64& random) const noexcept {
    for (;;) {
      const double u = area_n_ + random.unit() * (area_1_ - area_n_);
      const double x = inverse_area(u);
      const double upper = x + 0.5;
      auto k = static_cast<uint64_t>(upper);
      if (k < 1) k = 1;
      if (k > n_) k = n_;
      const auto rank = static_cast<double>(k);
      if (rank - x <= shortcut_ || u >= area(rank + 0.5) - height(rank)) return k;
    }
  }

 private:
  double height(double x) const noexcept { return std::exp(-exponent_ * std::log(x)); }
  double area(double x) const noexcept;
  double inverse_area(double area) const noexcept;

  uint64_t n_;
  double exponent_;
  double area_1_ = 0;    // where the inversion ends: the area below 1.5, less the whole first column
  double area_n_ = 0;    // where it begins: the area below n + 0.5
  double shortcut_ = 0;  // draws this close below their rank need no second look
};

}  // namespace warmswap::gen
