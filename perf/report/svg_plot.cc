#include "perf/report/svg_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "perf/report/markup.h"
#include "perf/report/number_format.h"
#include "perf/report/plot_layout.h"
#include "perf/report/plot_marks.h"

namespace warmswap::report {
namespace {

std::string axis_name(const Axis& axis, const std::string& unit) {
  if (unit.empty()) return axis.label;
  return axis.label.empty() ? unit : axis.label + " (" + unit + ")";
}

/// What a screen reader says: the extent of each series.
std::string describe(const Plot& plot) {
  static constexpr const char* kKinds[] = {"Line plot", "Step plot", "Bar plot", "Scatter plot"};
  std::string text = fmt::format("{} of {} series.", kKinds[static_cast<int>(plot.kind)], plot.series.size());
  const Unit unit(plot.y.unit);
  for (const Series& series : plot.series) {
    std::optional<Range> range;
    size_t drawn = 0;
    for (const Point& point : series.points) {
      if (!can_draw(plot, point)) continue;
      if (!range) range = Range{point.y, point.y};
      range = Range{std::min(range->from, point.y), std::max(range->to, point.y)};
      ++drawn;
    }
    text += fmt::format(" {}: {} points", series.name.empty() ? "unnamed" : series.name, drawn);
    if (range) text += fmt::format(", from {} to {}", unit.format(range->from), unit.format(range->to));
    text += ".";
  }
  for (const Reference& reference : plot.references) {
    if (!drawable(plot.y.scale, reference.value)) continue;
    text += fmt::format(" Line at {}: {}.", unit.format(reference.value), reference.label);
  }
  return text;
}

void draw_y_axis(std::string& out, const Plot& plot, const Layout& layout) {
  const Box& box = layout.box;
  for (const Tick& tick : layout.y_ticks.ticks) {
    const double y = layout.y(tick.value);
    add(out, "<path class=\"{}\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>", tick.label.empty() ? "grid minor" : "grid", box.left,
        y, box.right);
    if (tick.label.empty()) continue;
    add(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", box.left - 8, y + 4, escape(tick.label));
  }
  add(out, "<text class=\"axis-name\" x=\"4\" y=\"14\">{}</text>\n", escape(axis_name(plot.y, layout.y_ticks.unit)));
}

void draw_x_ticks(std::string& out, const Layout& layout) {
  const Box& box = layout.box;
  double free_from = -100;
  for (const Tick& tick : layout.x_ticks.ticks) {
    const double x = layout.x(tick.value);
    if (x < box.left - 0.5 || x > box.right + 0.5) continue;
    add(out, "<path class=\"{}\" d=\"M{:.1f} {:.1f}V{:.1f}\"/>", tick.label.empty() ? "grid minor" : "grid", x, box.top,
        box.bottom);
    const double half = text_width(tick.label) / 2;
    if (tick.label.empty() || x - half < free_from) continue;
    free_from = x + half + 6;
    add(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>", x, box.bottom + 18,
        escape(tick.label));
  }
}

void draw_categories(std::string& out, const Plot& plot, const Layout& layout) {
  const double y = layout.box.bottom + 18;
  for (size_t i = 0; i < plot.categories.size(); ++i) {
    const double x = layout.x(static_cast<double>(i));
    const std::string text =
        escape(layout.slanted_categories ? shortened(plot.categories[i], kCategoryLength) : plot.categories[i]);
    if (layout.slanted_categories) {
      add(out,
          "<text x=\"{0:.1f}\" y=\"{1:.1f}\" text-anchor=\"end\" transform=\"rotate(-32 {0:.1f} {1:.1f})\">{2}</text>",
          x + 4, y - 4, text);
    } else {
      add(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>", x, y, text);
    }
  }
}

void draw_x_axis(std::string& out, const Plot& plot, const Layout& layout) {
  const Box& box = layout.box;
  if (plot.kind == PlotKind::bar) {
    draw_categories(out, plot, layout);
  } else {
    draw_x_ticks(out, layout);
  }
  const bool zero_inside =
      plot.y.scale == Scale::linear && layout.y_ticks.range.from < 0 && layout.y_ticks.range.to > 0;
  add(out, "<path class=\"axis\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>", box.left, zero_inside ? layout.y(0) : box.bottom,
      box.right);
  add(out, "<text class=\"axis-name\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
      (box.left + box.right) / 2, layout.height - 8, escape(axis_name(plot.x, layout.x_ticks.unit)));
}

void draw_references(std::string& out, const Plot& plot, const Layout& layout) {
  const Box& box = layout.box;
  bool right = true;
  for (const Reference& reference : plot.references) {
    if (!layout.y.can(reference.value)) continue;
    const double y = layout.y(reference.value);
    add(out, "<path class=\"reference\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>", box.left, y, box.right);
    add(out, "<text class=\"reference-name halo\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n",
        right ? box.right - 6 : box.left + 6, y - 5, right ? "end" : "start", escape(reference.label));
    right = !right;  // neighbours often lie close together
  }
}

struct Name {
  size_t series;
  double wanted;  // y of the middle of the text
  double placed;
  bool at_line;
};

/// Pushes names apart that would overlap, then back up from the lower edge.
void spread(std::vector<Name>& names, const Box& box) {
  constexpr double kApart = 17;
  std::stable_sort(names.begin(), names.end(), [](const Name& a, const Name& b) { return a.wanted < b.wanted; });
  double free_from = box.top + 4;
  for (Name& name : names) {
    name.placed = std::max(name.wanted, free_from);
    free_from = name.placed + kApart;
  }
  double free_to = box.bottom;
  for (size_t i = names.size(); i-- > 0;) {
    names[i].placed = std::min(names[i].placed, free_to);
    free_to = names[i].placed - kApart;
  }
}

/// Lines are named at their right ends; clouds and bars in a list.
std::vector<Name> place_names(const Plot& plot, const Layout& layout) {
  const bool lines = plot.kind == PlotKind::line || plot.kind == PlotKind::step;
  std::vector<Name> names;
  for (size_t i = 0; i < plot.series.size(); ++i) {
    const auto& points = plot.series[i].points;
    const auto last = std::find_if(points.rbegin(), points.rend(), [&](const Point& p) { return can_draw(plot, p); });
    const bool at_line = lines && last != points.rend();
    const double listed = lines ? layout.box.bottom : layout.box.top + 8 + static_cast<double>(i);
    const double y = at_line ? std::clamp(layout.y(last->y), layout.box.top, layout.box.bottom) : listed;
    const bool at_edge = at_line && layout.x(last->x) > layout.box.right - 40;
    names.push_back({i, y, y, at_edge});
  }
  spread(names, layout.box);
  return names;
}

void draw_names(std::string& out, const Plot& plot, const Layout& layout) {
  if (!has_names(plot)) return;
  const double right = layout.box.right;
  for (const Name& name : place_names(plot, layout)) {
    const std::string& text = plot.series[name.series].name;
    add(out, "<g class=\"{}\">", series_class(name.series));
    if (plot.kind == PlotKind::bar) {
      add(out, "<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"12\" height=\"10\"/>", right + 12,
          name.placed - 5);
    } else if (plot.kind == PlotKind::scatter) {
      add(out, "<path class=\"dot\" d=\"{}\"/>", sign_path(name.series, right + 18, name.placed, 4));
    } else {
      if (name.at_line) {
        add(out, "<path class=\"leader\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/>", right + 3, name.wanted, right + 11,
            name.placed);
      }
      add(out, "<path class=\"line\" d=\"M{:.1f} {:.1f}h13\"/>", right + 12, name.placed);
    }
    add(out, "<text class=\"name\" x=\"{:.1f}\" y=\"{:.1f}\">{}<title>{}</title></text></g>\n", right + 30,
        name.placed + 4, escape(shortened(text, kNameLength)), escape(text));
  }
}

}  // namespace

std::string svg_plot(const Plot& plot, std::string_view id) {
  const Layout layout = lay_out(plot);
  std::string out;
  add(out,
      "<svg viewBox=\"0 0 {0:.0f} {1:.0f}\" role=\"img\" aria-labelledby=\"{2}-title {2}-desc\">\n"
      "<title id=\"{2}-title\">{3}</title><desc id=\"{2}-desc\">{4}</desc>\n",
      layout.width, layout.height, id, escape(plot.title), escape(describe(plot)));
  draw_y_axis(out, plot, layout);
  draw_x_axis(out, plot, layout);
  out += draw_marks(plot, layout);
  draw_references(out, plot, layout);
  draw_names(out, plot, layout);
  if (layout.empty) {
    add(out, "<text class=\"nothing\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">no data</text>\n",
        (layout.box.left + layout.box.right) / 2, (layout.box.top + layout.box.bottom) / 2);
  }
  out += "</svg>\n";
  return out;
}

}  // namespace warmswap::report
