#include "perf/stats/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace warmswap::perf {
namespace {
constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
}

double Summary::relative_spread() const noexcept {
  return median == 0 ? kNothing : mad / std::abs(median);
}

std::vector<double> sorted(std::span<const double> sample) {
  std::vector<double> values;
  values.reserve(sample.size());
  std::copy_if(sample.begin(), sample.end(), std::back_inserter(values), [](double v) { return !std::isnan(v); });
  std::sort(values.begin(), values.end());
  return values;
}

double percentile(std::span<const double> sorted, double percent) noexcept {
  if (sorted.empty()) return kNothing;
  const double place = std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = place - static_cast<double>(below);
  // Not low + part · (high - low): that is NaN between infinities.
  return part == 0 ? sorted[below] : sorted[below] * (1 - part) + sorted[above] * part;
}

Summary summarise(std::span<const double> sample) {
  const std::vector<double> values = sorted(sample);
  if (values.empty()) return {0, kNothing, kNothing, kNothing, kNothing};
  const double median = percentile(values, 50);
  std::vector<double> deviations;
  deviations.reserve(values.size());
  for (const double value : values) deviations.push_back(std::abs(value - median));
  return {values.size(), median, percentile(sorted(deviations), 50), values.front(), values.back()};
}

}  // namespace warmswap::perf
