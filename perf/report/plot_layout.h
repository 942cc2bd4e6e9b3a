// Where everything of a plot goes, in the pixels of its drawing. Pure; any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "perf/report/document.h"
#include "perf/report/ticks.h"

namespace warmswap::report {

struct Box {
  double left, top, right, bottom;
  double width() const noexcept { return right - left; }
  double height() const noexcept { return bottom - top; }
};

/// From values to pixels along one axis.
class AxisMap {
 public:
  AxisMap() = default;
  AxisMap(Scale scale, Range range, double from_pixel, double to_pixel) noexcept;

  /// `value` must be drawable. What lies outside the range comes out outside the pixels, but 100 % at the edge.
  double operator()(double value) const noexcept {
    const double place = stretch(scale_, value);
    return from_ + ((scale_ == Scale::percentile ? std::min(place, high_) : place) - low_) * per_unit_;
  }
  bool can(double value) const noexcept { return drawable(scale_, value); }

 private:
  Scale scale_ = Scale::linear;
  double low_ = 0;
  double high_ = 1;
  double from_ = 0;
  double per_unit_ = 1;
};

struct Layout {
  double width;
  double height;
  Box box;  // where the data is
  AxisMap x;
  AxisMap y;
  Ticks x_ticks;  // none for bars
  Ticks y_ticks;
  bool slanted_categories = false;
  bool empty = false;  // nothing to draw
};

/// Estimated width of a text in the small type of plots. The browser's font is not known; this is a little above the
/// width of common ones.
double text_width(std::string_view text) noexcept;

/// Series names on the right are cut to this many characters; their tooltips have the rest.
inline constexpr size_t kNameLength = 30;
/// And slanted names of categories to this many.
inline constexpr size_t kCategoryLength = 20;

/// Whether the series are named beside the plot.
bool has_names(const Plot& plot) noexcept;

/// Whether this point of `plot` can be drawn on its axes.
bool can_draw(const Plot& plot, const Point& point) noexcept;

Layout lay_out(const Plot& plot);

}  // namespace warmswap::report
