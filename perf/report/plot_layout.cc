#include "perf/report/plot_layout.h"

#include <algorithm>
#include <optional>

#include "perf/report/markup.h"

namespace warmswap::report {
namespace {

constexpr double kWidth = 800;
constexpr double kPlotHeight = 260;
constexpr double kTop = 34;  // the y axis's label stands above the axis
constexpr double kBottom = 48;
constexpr double kNameHeight = 18;
constexpr double kSlantedRoom = 62;

struct Extent {
  std::optional<Range> range;
  void add(Scale scale, double value) {
    // 100 % is infinitely far away and gets its place at the edge.
    if (!drawable(scale, value) || (scale == Scale::percentile && value >= 100)) return;
    if (!range) range = Range{value, value};
    range->from = std::min(range->from, value);
    range->to = std::max(range->to, value);
  }
};

Range or_default(const Extent& extent, Scale scale) {
  if (extent.range) return *extent.range;
  if (scale == Scale::percentile) return {0, 99};
  return scale == Scale::log10 ? Range{1, 10} : Range{0, 1};
}

double names_width(const Plot& plot) {
  if (!has_names(plot)) return 0;
  double widest = 0;
  for (const Series& series : plot.series) widest = std::max(widest, text_width(shortened(series.name, kNameLength)));
  return widest + 42;  // the line in front of the name, and some room
}

double labels_width(const Ticks& ticks) {
  double widest = 0;
  for (const Tick& tick : ticks.ticks) widest = std::max(widest, text_width(tick.label));
  return widest;
}

struct Extents {
  Extent x;
  Extent y;           // with the references
  bool data = false;  // at least one point can be drawn
};

Extents extents_of(const Plot& plot) {
  Extents extents;
  for (const Series& series : plot.series) {
    for (const Point& point : series.points) {
      if (!can_draw(plot, point)) continue;
      extents.data = true;
      extents.x.add(plot.x.scale, point.x);
      for (const double value : {point.y, point.low, point.high}) extents.y.add(plot.y.scale, value);
    }
  }
  for (const Reference& reference : plot.references) extents.y.add(plot.y.scale, reference.value);
  return extents;
}

/// Names of categories that do not fit side by side are slanted, and the first one must not leave the drawing.
void lay_out_categories(const Plot& plot, Layout& layout) {
  const double count = static_cast<double>(std::max<size_t>(plot.categories.size(), 1));
  const double room = layout.box.width() / count;
  double widest = 0;
  for (const std::string& category : plot.categories) widest = std::max(widest, text_width(category));
  layout.slanted_categories = widest > room - 6;
  if (layout.slanted_categories) {
    layout.height += kSlantedRoom;
    const double first = text_width(shortened(plot.categories.front(), kCategoryLength)) * 0.85;  // cos 32°
    layout.box.left = std::max(layout.box.left, first - room / 2 + 8);
  }
  layout.x = AxisMap(Scale::linear, {-0.5, count - 0.5}, layout.box.left, layout.box.right);
}

}  // namespace

AxisMap::AxisMap(Scale scale, Range range, double from_pixel, double to_pixel) noexcept
    : scale_(scale),
      low_(stretch(scale, range.from)),
      high_(stretch(scale, range.to)),
      from_(from_pixel),
      per_unit_((to_pixel - from_pixel) / (high_ - low_)) {}

double text_width(std::string_view text) noexcept {
  return 6.7 * static_cast<double>(length(text));
}

bool has_names(const Plot& plot) noexcept {
  return plot.series.size() > 1 || (plot.series.size() == 1 && !plot.series[0].name.empty());
}

bool can_draw(const Plot& plot, const Point& point) noexcept {
  const Scale x = plot.kind == PlotKind::bar ? Scale::linear : plot.x.scale;
  return drawable(x, point.x) && drawable(plot.y.scale, point.y);
}

Layout lay_out(const Plot& plot) {
  const bool bars = plot.kind == PlotKind::bar;
  const Extents extents = extents_of(plot);
  Layout layout{};
  layout.empty = !extents.data || (bars && plot.categories.empty());
  Axis y_axis = plot.y;
  y_axis.from_zero = y_axis.from_zero || bars;
  Range y_range = or_default(extents.y, plot.y.scale);
  // The smallest bar of a logarithmic plot must have some length.
  if (bars && plot.y.scale == Scale::log10) y_range.from /= 2;
  layout.y_ticks = choose_ticks(y_axis, y_range, 5, true);

  Box& box = layout.box;
  layout.width = kWidth;
  box.left = std::max(labels_width(layout.y_ticks) + 14, 44.0);
  box.right = kWidth - std::max(names_width(plot), 20.0);
  box.top = kTop;
  const double names_height = has_names(plot) ? kNameHeight * static_cast<double>(plot.series.size()) : 0;
  box.bottom = kTop + std::max(kPlotHeight, names_height);
  layout.height = box.bottom + kBottom;
  if (bars) {
    lay_out_categories(plot, layout);
  } else {
    layout.x_ticks = choose_ticks(plot.x, or_default(extents.x, plot.x.scale), 7, false);
    layout.x = AxisMap(plot.x.scale, layout.x_ticks.range, box.left, box.right);
  }
  layout.y = AxisMap(plot.y.scale, layout.y_ticks.range, box.bottom, box.top);
  return layout;
}

}  // namespace warmswap::report
