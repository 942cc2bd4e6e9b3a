#include "perf/report/ticks.h"

#include <algorithm>
#include <cmath>

#include "perf/report/number_format.h"

namespace warmswap::report {
namespace {

// Beyond this the difference of two ends might not be a number any more.
constexpr double kLargest = 1e300;
constexpr double kMostTicks = 50;

double within_reach(double value) {
  return std::abs(value) < 1 / kLargest ? 0 : std::clamp(value, -kLargest, kLargest);
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least `least` (Heckbert, "Nice numbers for graph labels",
/// Graphics Gems, 1990).
double nice_step(double least) {
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double digit : {1.0, 2.0, 5.0}) {
    if (digit * power >= least * (1 - 1e-9)) return digit * power;
  }
  return 10 * power;
}

/// Numbers that differ from tick to tick: all with the same decimals, or with exponents where there would be many.
class LinearLabels {
 public:
  LinearLabels(double largest, double step)
      : decimals_(static_cast<int>(std::clamp(std::ceil(-std::log10(step) - 1e-6), 0.0, 300.0))),
        exponents_(largest >= 1e6 || decimals_ > 6),
        digits_(static_cast<int>(std::clamp(std::ceil(std::log10(largest / step)) + 1, 3.0, 15.0))) {}

  std::string operator()(double value) const {
    return exponents_ ? format_number(value, digits_) : format_fixed(value, decimals_);
  }

 private:
  int decimals_;
  bool exponents_;
  int digits_;
};

Ticks linear(const Axis& axis, Range data, int target, bool widen) {
  double low = within_reach(data.from);
  double high = within_reach(data.to);
  // Zero is worth its room when the data would fill more than a third of the axis with it.
  const bool zero = axis.from_zero || (widen && high - low > 0.35 * std::max(std::abs(low), std::abs(high)));
  if (zero) low = std::min(low, 0.0), high = std::max(high, 0.0);
  if (!(high - low > 1e-9 * std::max(std::abs(low), std::abs(high)))) {
    const double room = low == 0 ? 1 : std::abs(low) * 0.1;
    if (!zero || low < 0) low -= room;
    high += room;
  }
  const double step = nice_step((high - low) / target);
  double first = std::ceil(low / step - 1e-6);
  double last = std::floor(high / step + 1e-6);
  if (widen) {
    first = std::floor(low / step + 1e-6);
    last = std::ceil(high / step - 1e-6);
    low = first * step;
    high = last * step;
  }
  const Unit unit(axis.unit);
  const Prefix prefix = unit.prefix_for(std::max(std::abs(low), std::abs(high)));
  Ticks ticks{{low, high}, {}, axis.unit.empty() ? "" : unit.symbol(prefix)};
  // Without a unit the prefix stands at the number: "20k".
  const std::string suffix = axis.unit.empty() ? std::string(prefix.letter) : "";
  const LinearLabels label(unit.scaled(std::max(std::abs(low), std::abs(high)), prefix), unit.scaled(step, prefix));
  const int count = static_cast<int>(std::clamp(last - first, 0.0, kMostTicks));
  for (int i = 0; i <= count; ++i) {
    const double value = (first + i) * step;
    const std::string number = label(unit.scaled(value, prefix));
    ticks.ticks.push_back({value, value == 0 ? number : number + suffix});
  }
  return ticks;
}

Ticks logarithmic(const Axis& axis, Range data, int target, bool widen) {
  double low = stretch(Scale::log10, data.from);
  double high = stretch(Scale::log10, data.to);
  if (widen || high - low < 1e-9) {
    // Whole decades, unless that would leave most of the axis empty.
    const double whole = std::ceil(high - 1e-9) - std::floor(low + 1e-9);
    if (high - low < 1e-9 || high - low < 0.4 * whole) {
      low -= 0.1;
      high += 0.1;
    } else {
      low = std::floor(low + 1e-9);
      high = std::ceil(high - 1e-9);
    }
  }
  const Unit unit(axis.unit);
  Ticks ticks{{std::pow(10, low), std::pow(10, high)}, {}, ""};
  const double decades = high - low;
  if (decades < 0.6) {
    // Too short for its digits: the ticks of a linear axis, with their units, in logarithmic distances.
    const double step = nice_step((ticks.range.to - ticks.range.from) / target);
    const int digits = static_cast<int>(std::clamp(std::ceil(std::log10(ticks.range.to / step)) + 1, 3.0, 15.0));
    for (double i = std::ceil(ticks.range.from / step); i * step <= ticks.range.to; ++i) {
      ticks.ticks.push_back({i * step, unit.format(i * step, digits)});
    }
    return ticks;
  }
  const int each = std::max(static_cast<int>(std::ceil(decades / target)), 1);
  for (int decade = static_cast<int>(std::floor(low)); decade <= high; ++decade) {
    for (int digit = 1; digit <= 9; ++digit) {
      const double at = decade + std::log10(digit);
      if (at < low - 1e-9 || at > high + 1e-9) continue;
      const bool main = digit == 1 ? decade % each == 0 : (decades <= 1.7 && (digit == 2 || digit == 5));
      const double value = digit * std::pow(10, decade);
      if (main) {
        ticks.ticks.push_back({value, unit.format(value, 3)});
      } else if (decades <= 5) {
        ticks.ticks.push_back({value, ""});
      }
    }
  }
  return ticks;
}

Ticks percentile(Range data, int target) {
  Ticks ticks{{std::clamp(data.from, 0.0, 99.0), std::min(data.to, 100 - 1e-10)}, {}, ""};
  const double from = stretch(Scale::percentile, ticks.range.from);
  // Room for what stands at 100 %, and some length when there is only one point.
  const double to = std::max(stretch(Scale::percentile, ticks.range.to) + 0.15, from + 1);
  ticks.range.to = 100 - 100 * std::pow(10, -to);
  const int each = std::max(static_cast<int>(std::ceil((to - from) / target)), 1);
  for (const double value : {0.0, 50.0}) {
    if (value >= ticks.range.from && to - from < 6) ticks.ticks.push_back({value, format_number(value, 3) + " %"});
  }
  for (int nines = 1; nines <= to; ++nines) {
    const double value = 100 - 100 * std::pow(10, -nines);
    if (nines < from || (nines - 1) % each != 0) continue;
    ticks.ticks.push_back({value, format_fixed(value, std::max(nines - 2, 0)) + " %"});
  }
  return ticks;
}

}  // namespace

double stretch(Scale scale, double value) noexcept {
  switch (scale) {
    case Scale::linear:
      return std::clamp(value, -kLargest, kLargest);
    case Scale::log10:
      return std::log10(std::clamp(value, 1 / kLargest, kLargest));
    case Scale::percentile:
      return -std::log10(1 - std::clamp(value, 0.0, 100 - 1e-10) / 100);
  }
  return value;
}

bool drawable(Scale scale, double value) noexcept {
  return std::isfinite(value) && (scale != Scale::log10 || value > 0);
}

Ticks choose_ticks(const Axis& axis, Range data, int target, bool widen) {
  switch (axis.scale) {
    case Scale::log10:
      return logarithmic(axis, data, target, widen);
    case Scale::percentile:
      return percentile(data, target);
    case Scale::linear:
      break;
  }
  return linear(axis, data, target, widen);
}

}  // namespace warmswap::report
