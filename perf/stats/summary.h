// What a handful of windows or repetitions say together: order statistics, because means and standard deviations of
// timings on a shared machine describe its neighbours. Pure; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace warmswap::perf {

/// Of an empty sample every figure is NaN. The unit is the sample's.
struct Summary {
  size_t count = 0;
  double median = 0;
  /// Median absolute deviation from the median, unscaled (multiply by 1.4826 for the σ of a normal distribution).
  double mad = 0;
  double min = 0;
  double max = 0;

  /// mad / |median|: the spread to report beside a figure. NaN when there is no median, or it is 0.
  double relative_spread() const noexcept;
};

/// NaN values are not looked at and not counted.
Summary summarise(std::span<const double> sample);

/// Linear interpolation between closest ranks (type 7 of Hyndman & Fan, the default of R and NumPy), `percent` cut to
/// 0..100. `sorted` ascends and holds no NaN; NaN when it is empty.
double percentile(std::span<const double> sorted, double percent) noexcept;

/// The sample without NaN, ascending, for percentile().
std::vector<double> sorted(std::span<const double> sample);

}  // namespace warmswap::perf
