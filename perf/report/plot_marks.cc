#include "perf/report/plot_marks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>
#include <vector>

#include "perf/report/markup.h"
#include "perf/report/number_format.h"

namespace warmswap::report {
namespace {

constexpr size_t kDotsShown = 60;         // on a line with more points its dots would hide it
constexpr size_t kTooltips = 120;         // of a line whose dots are hidden
constexpr size_t kThinFrom = 2000;        // points; 800 pixels do not show more
constexpr size_t kSignedCloudUpTo = 600;  // points of a cloud that each get a tooltip

/// A point in pixels, with the value it stands for.
struct Mark {
  double x;
  double y;
  const Point* point;
};
using Run = std::vector<Mark>;

bool has_range(const Layout& layout, const Point& point) {
  return layout.y.can(point.low) && layout.y.can(point.high);
}

/// The drawable points, split where one is missing.
std::vector<Run> runs_of(const Plot& plot, const Layout& layout, const Series& series) {
  std::vector<Run> runs;
  bool broken = true;
  for (const Point& point : series.points) {
    if (!can_draw(plot, point)) {
      broken = true;
      continue;
    }
    if (broken) runs.emplace_back();
    broken = false;
    runs.back().push_back({layout.x(point.x), layout.y(point.y), &point});
  }
  return runs;
}

/// Of each pixel column the first, lowest, highest and last point, in the order they came (Jugel et al., "M4: A
/// Visualization-Oriented Time Series Data Aggregation", VLDB 2014): draws the same pixels.
Run thin(const Run& run) {
  if (run.size() < kThinFrom) return run;
  Run kept;
  for (size_t begin = 0; begin < run.size();) {
    size_t end = begin;
    size_t low = begin;
    size_t high = begin;
    for (; end < run.size() && std::floor(run[end].x) == std::floor(run[begin].x); ++end) {
      if (run[end].y < run[low].y) low = end;
      if (run[end].y > run[high].y) high = end;
    }
    size_t places[] = {begin, std::min(low, high), std::max(low, high), end - 1};
    for (const size_t* place = places; place != std::unique(places, places + 4); ++place) kept.push_back(run[*place]);
    begin = end;
  }
  return kept;
}

std::string tooltip(const Plot& plot, const Series& series, const Point& point) {
  const Unit y(plot.y.unit);
  std::string text = series.name.empty() ? "" : series.name + ": ";
  text += y.format(point.y);
  if (std::isfinite(point.low) && std::isfinite(point.high)) {
    text += fmt::format(" ({} … {})", y.format(point.low), y.format(point.high));
  }
  if (plot.kind == PlotKind::bar) {
    const size_t category = static_cast<size_t>(std::max(point.x, 0.0));
    if (category < plot.categories.size()) text += " at " + plot.categories[category];
  } else if (plot.x.scale == Scale::percentile) {
    text += fmt::format(" at {} %", format_number(point.x, 8));
  } else {
    text += " at " + Unit(plot.x.unit).format(point.x);
  }
  return "<title>" + escape(text) + "</title>";
}

void whisker(std::string& out, const Layout& layout, double x, const Point& point, double half_cap) {
  const double low = layout.y(point.low);
  const double high = layout.y(point.high);
  add(out, "<path class=\"whisker\" d=\"M{0:.1f} {2:.1f}H{1:.1f}M{0:.1f} {3:.1f}H{1:.1f}M{4:.1f} {2:.1f}V{3:.1f}\"/>",
      x - half_cap, x + half_cap, low, high, x);
}

std::string line_path(const Run& run, bool steps) {
  std::string path;
  for (const Mark& mark : run) {
    const bool first = path.empty();
    add(path, "{}{:.1f}{}{:.1f}", first ? 'M' : steps ? 'H' : 'L', mark.x, steps && !first ? 'V' : ' ', mark.y);
  }
  return path;
}

/// Low ends there and high ends back.
void band(std::string& out, const Layout& layout, const Run& run, bool steps) {
  Run edge[2];
  for (const Mark& mark : run) {
    if (!has_range(layout, *mark.point)) continue;
    edge[0].push_back({mark.x, layout.y(mark.point->low), mark.point});
    edge[1].push_back({mark.x, layout.y(mark.point->high), mark.point});
  }
  if (edge[0].size() < 2) return;
  std::string path = line_path(edge[0], steps);
  for (size_t i = edge[1].size(); i-- > 0;) {
    // Backwards a step goes down before it goes left.
    if (steps && i + 1 < edge[1].size()) add(path, "V{:.1f}", edge[1][i].y);
    add(path, "L{:.1f} {:.1f}", edge[1][i].x, edge[1][i].y);
  }
  out += "<path class=\"band\" d=\"" + path + "Z\"/>";
}

void dots(std::string& out, const Plot& plot, const Series& series, const std::vector<Run>& runs) {
  size_t all = 0;
  for (const Run& run : runs) all += run.size();
  const bool shown = all <= kDotsShown;
  const size_t each = shown ? 1 : all / kTooltips + 1;
  size_t i = 0;
  for (const Run& run : runs) {
    for (const Mark& mark : run) {
      // A single point between gaps has no line that shows it.
      const bool alone = run.size() == 1;
      if (i++ % each != 0 && !alone) continue;
      add(out, "<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\">{}</circle>", shown || alone ? "dot" : "hit",
          mark.x, mark.y, shown || alone ? "3" : "5", tooltip(plot, series, *mark.point));
    }
  }
}

void draw_line(std::string& out, const Plot& plot, const Layout& layout, const Series& series) {
  const std::vector<Run> runs = runs_of(plot, layout, series);
  const bool steps = plot.kind == PlotKind::step;
  for (const Run& run : runs) {
    const Run kept = thin(run);
    band(out, layout, kept, steps);
    if (run.size() == 1 && has_range(layout, *run[0].point)) whisker(out, layout, run[0].x, *run[0].point, 4);
    if (run.size() > 1) out += "<path class=\"line\" d=\"" + line_path(kept, steps) + "\"/>";
  }
  dots(out, plot, series, runs);
}

void draw_cloud(std::string& out, const Plot& plot, const Layout& layout, const Series& series, size_t index) {
  std::unordered_set<int64_t> taken;
  const bool thinned = series.points.size() > kThinFrom;
  const bool told = series.points.size() <= kSignedCloudUpTo;
  for (const Run& run : runs_of(plot, layout, series)) {
    for (const Mark& mark : run) {
      const int64_t pixel = static_cast<int64_t>(mark.y) * 10'000 + static_cast<int64_t>(mark.x);
      if (thinned && !taken.insert(pixel).second) continue;
      if (has_range(layout, *mark.point)) whisker(out, layout, mark.x, *mark.point, 3);
      out += fmt::format("<path class=\"dot\" d=\"{}\"", sign_path(index, mark.x, mark.y, told ? 3.5 : 2));
      out += told ? ">" + tooltip(plot, series, *mark.point) + "</path>" : "/>";
    }
  }
}

void draw_bars(std::string& out, const Plot& plot, const Layout& layout, size_t index) {
  const Series& series = plot.series[index];
  const double group = layout.x(1) - layout.x(0);
  const double all = static_cast<double>(plot.series.size());
  const double width = std::min(group * 0.76 / all, 72.0);
  const double base = plot.y.scale == Scale::linear ? layout.y(0) : layout.box.bottom;
  for (const Point& point : series.points) {
    if (!can_draw(plot, point) || point.x < 0 || point.x >= static_cast<double>(plot.categories.size())) continue;
    const double left = layout.x(point.x) + (static_cast<double>(index) - all / 2) * width;
    const double top = layout.y(point.y);
    add(out, "<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\">{}</rect>", left + 0.5,
        std::min(top, base), std::max(width - 1, 0.5), std::abs(base - top), tooltip(plot, series, point));
    const bool range = has_range(layout, point);
    if (range) whisker(out, layout, left + width / 2, point, std::min(width / 4, 6.0));
    const std::string value = Unit(plot.y.unit).format(point.y, 3);
    if (text_width(value) > std::max(width, all == 1 ? group : 0) + 4) continue;
    const double above = range ? std::min(layout.y(point.high), top) : top;
    add(out, "<text class=\"value\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>", left + width / 2,
        point.y < 0 ? std::max(range ? layout.y(point.low) : top, top) + 13 : above - 5, escape(value));
  }
}

}  // namespace

std::string series_class(size_t index) {
  const std::string colour = fmt::format("s{}", index % kColours);
  return index < kColours ? colour : fmt::format("{} d{}", colour, std::min<size_t>(index / kColours, 3));
}

std::string sign_path(size_t index, double x, double y, double r) {
  switch (index % 4) {
    case 1:
      return fmt::format("M{:.1f} {:.1f}h{}v{}h-{}Z", x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8, r * 1.8);
    case 2:
      return fmt::format("M{:.1f} {:.1f}l{} {}h-{}Z", x, y - r * 1.1, r * 1.15, r * 2, r * 2.3);
    case 3:
      return fmt::format("M{:.1f} {:.1f}l{} {}l-{} {}l-{} -{}Z", x, y - r * 1.3, r * 1.3, r * 1.3, r * 1.3, r * 1.3,
                         r * 1.3, r * 1.3);
    default:
      return fmt::format("M{:.1f} {:.1f}a{} {} 0 1 0 {} 0a{} {} 0 1 0 -{} 0Z", x - r, y, r, r, 2 * r, r, r, 2 * r);
  }
}

std::string draw_marks(const Plot& plot, const Layout& layout) {
  std::string out;
  for (size_t index = plot.series.size(); index-- > 0;) {
    const Series& series = plot.series[index];
    out += "<g class=\"" + series_class(index) + "\">";
    switch (plot.kind) {
      case PlotKind::line:
      case PlotKind::step:
        draw_line(out, plot, layout, series);
        break;
      case PlotKind::scatter:
        draw_cloud(out, plot, layout, series, index);
        break;
      case PlotKind::bar:
        draw_bars(out, plot, layout, index);
        break;
    }
    out += "</g>\n";
  }
  return out;
}

}  // namespace warmswap::report
