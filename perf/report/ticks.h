// Where an axis begins and ends and what is written along it. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "perf/report/document.h"

namespace warmswap::report {

struct Tick {
  double value;       // in the axis's unit
  std::string label;  // empty = a minor line
};

struct Range {
  double from;
  double to;
};

struct Ticks {
  Range range;  // of the axis, in its unit; from < to
  std::vector<Tick> ticks;
  std::string unit;  // to be written once, beside the axis's label; empty when the ticks have it
};

/// Position along an axis before it is stretched to pixels; rises with `value`. Not for values drawable() denies.
double stretch(Scale scale, double value) noexcept;

/// Finite, and above zero on a logarithmic axis.
bool drawable(Scale scale, double value) noexcept;

/// Ticks for an axis that has to show `data` (drawable ends, from ≤ to), about `target` of them. With `widen` the axis
/// ends on ticks, else at the data; an axis never has no length, even if the data has none.
Ticks choose_ticks(const Axis& axis, Range data, int target, bool widen);

}  // namespace warmswap::report
