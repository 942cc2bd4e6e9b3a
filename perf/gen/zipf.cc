#include "perf/gen/zipf.h"

#include <algorithm>

namespace warmswap::gen {
namespace {

// (e^x - 1)/x and log(1 + x)/x with their limits at 0, so that an exponent of 1 is no special case.
double expm1_ratio(double x) noexcept {
  return std::abs(x) > 1e-8 ? std::expm1(x) / x : 1 + x / 2 * (1 + x / 3);
}
double log1p_ratio(double x) noexcept {
  return std::abs(x) > 1e-8 ? std::log1p(x) / x : 1 - x * (0.5 - x / 3);
}

}  // namespace

Zipf::Zipf(uint64_t n, double exponent) noexcept : n_(n), exponent_(exponent) {
  area_1_ = area(1.5) - 1;
  area_n_ = area(static_cast<double>(n) + 0.5);
  shortcut_ = 2 - inverse_area(area(2.5) - height(2));
}

double Zipf::area(double x) const noexcept {
  const double log_x = std::log(x);
  return expm1_ratio((1 - exponent_) * log_x) * log_x;
}

double Zipf::inverse_area(double area) const noexcept {
  // Rounding may carry the argument past the pole of log1p.
  const double t = std::max(area * (1 - exponent_), -1.0);
  return std::exp(log1p_ratio(t) * area);
}

}  // namespace warmswap::gen
