// Who stands out of its pool, by the limits of [pool.anomaly] (anomaly.h has the formulas).
//
// Where the middle of some values is and how far they usually lie from it, unmoved by the few that lie far off. Pure.
//
//     deviation = 1.4826 * MAD,  MAD = median |x_i - median x|
//
// 1.4826 MAD estimates the standard deviation of a normal distribution without being moved by the outliers themselves
// (Rousseeuw & Croux, "Alternatives to the median absolute deviation", 1993).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "controlplane/config/config.h"

namespace warmswap::health {

/// With fewer there is no "rest of the pool".
inline constexpr size_t kLeastToCompare = 3;

struct Spread {
  double median = 0;
  double deviation = 0;
};

inline double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

inline Spread spread_of(const std::vector<double>& values) {
  constexpr double kMadToDeviation = 1.4826;
  Spread spread{median_of(values), 0};
  std::vector<double> distances;
  distances.reserve(values.size());
  for (const double value : values) distances.push_back(std::abs(value - spread.median));
  spread.deviation = kMadToDeviation * median_of(std::move(distances));
  return spread;
}

/// `ns` takes so much longer than the pool's usual.
inline bool is_slow(const config::AnomalyConfig& config, double ns, const Spread& pool) {
  const double over = ns - pool.median;
  return over > config.deviations * pool.deviation && ns > config.ratio * pool.median &&
         over > static_cast<double>(config.floor.count());
}

/// `part`, 0..1, fails so much more often.
inline bool is_failing(const config::AnomalyConfig& config, double part, const Spread& pool) {
  const double more = part - pool.median;
  return more > config.errors / 100.0 && more > config.deviations * pool.deviation;
}

}  // namespace warmswap::health
