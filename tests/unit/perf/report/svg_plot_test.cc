#include "perf/report/svg_plot.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>

#include "perf/report/plot_layout.h"
#include "perf/report/plot_marks.h"
#include "tests/unit/perf/report/well_formed.h"

namespace warmswap::report {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Plot plot_of(PlotKind kind, std::vector<Series> series) {
  Plot plot;
  plot.kind = kind;
  plot.title = "title";
  plot.series = std::move(series);
  return plot;
}

/// Every number in the coordinates of the drawing.
std::vector<double> coordinates(const std::string& svg) {
  std::vector<double> all;
  static const std::regex attribute(R"re( (?:d|x|y|cx|cy|width|height)="([^"]*)")re");
  static const std::regex number(R"([-+]?[0-9]*\.?[0-9]+(?:e[-+]?[0-9]+)?|nan|inf)");
  for (std::sregex_iterator a(svg.begin(), svg.end(), attribute), end; a != end; ++a) {
    const std::string value = (*a)[1];
    for (std::sregex_iterator n(value.begin(), value.end(), number); n != end; ++n)
      all.push_back(std::strtod(n->str().c_str(), nullptr));
  }
  return all;
}

TEST(SvgPlot, DrawsEachPointThatCanBeDrawnAndLeavesTheOthersOut) {
  const Plot plot = plot_of(PlotKind::line, {{"a", {{1, 1}, {2, kMissing}, {3, 3}, {4, kInfinity}, {5, 2}, {6, 2}}}});
  const std::string svg = svg_plot(plot, "p");
  EXPECT_EQ(occurrences(svg, "class=\"dot\""), 4u);
  EXPECT_EQ(occurrences(draw_marks(plot, lay_out(plot)), "class=\"line\""), 1u);  // only 5 to 6 is not broken
  EXPECT_EQ(MarkupCheck::fault_of(svg), "");
}

TEST(SvgPlot, OnALogarithmicAxisOnlyWhatIsAboveZeroIsDrawn) {
  Plot plot = plot_of(PlotKind::scatter, {{"a", {{0, 1}, {-1, 1}, {1, 0}, {10, -1}, {10, 10}}}});
  plot.x.scale = Scale::log10;
  plot.y.scale = Scale::log10;
  const Layout layout = lay_out(plot);
  EXPECT_EQ(occurrences(draw_marks(plot, layout), "class=\"dot\""), 1u);
}

TEST(SvgPlot, PointsLieInsideTheBoxAndHigherValuesHigher) {
  const Plot plot = plot_of(PlotKind::line, {{"a", {{0, 10}, {7, 20}, {100, 35}}}});
  const Layout layout = lay_out(plot);
  double y_before = layout.box.bottom + 1;
  double x_before = layout.box.left - 1;
  for (const Point& point : plot.series[0].points) {
    const double x = layout.x(point.x);
    const double y = layout.y(point.y);
    EXPECT_GT(x, x_before);
    EXPECT_LT(y, y_before);
    EXPECT_LE(x, layout.box.right + 0.01);
    EXPECT_GE(y, layout.box.top - 0.01);
    x_before = x;
    y_before = y;
  }
}

TEST(SvgPlot, AHundredPercentHasItsPlaceAtTheEdge) {
  Plot plot = plot_of(PlotKind::step, {{"a", {{0, 1}, {50, 2}, {99.9, 3}, {100, 4}}}});
  plot.x.scale = Scale::percentile;
  const Layout layout = lay_out(plot);
  EXPECT_NEAR(layout.x(100), layout.box.right, 0.01);
  EXPECT_LT(layout.x(99.9), layout.box.right - 5);
  EXPECT_NEAR(layout.x(99.9) - layout.x(99), layout.x(99) - layout.x(90), 0.01);
}

TEST(SvgPlot, BarsStandOnZeroAndHangBelowIt) {
  Plot plot = plot_of(PlotKind::bar, {{"", {{0, 5}, {1, -5}, {2, kMissing}}}});
  plot.categories = {"up", "down", "nothing"};
  const Layout layout = lay_out(plot);
  const std::string marks = draw_marks(plot, layout);
  EXPECT_EQ(occurrences(marks, "class=\"bar\""), 2u);
  EXPECT_NEAR(layout.y(5) + layout.y(-5), 2 * layout.y(0), 1e-6);
  EXPECT_NE(marks.find("5 at up"), std::string::npos);
}

TEST(SvgPlot, WhatCannotBeResolvedIsLeftOutButNotThePeaks) {
  Series series{"a", {}};
  for (int i = 0; i < 200'000; ++i) series.points.push_back({i * 1.0, std::sin(i * 0.001)});
  series.points[123'456].y = 9;
  const Plot plot = plot_of(PlotKind::line, {series});
  const Layout layout = lay_out(plot);
  const std::string marks = draw_marks(plot, layout);
  EXPECT_LT(marks.size(), 200'000u);
  char peak[16];
  std::snprintf(peak, sizeof peak, " %.1f", layout.y(9));
  EXPECT_NE(marks.find(peak), std::string::npos);

  const std::string cloud = draw_marks(plot_of(PlotKind::scatter, {series}), layout);
  EXPECT_LT(cloud.size(), 20'000'000u);
}

TEST(SvgPlot, ErrorsAreBandsAroundLinesAndWhiskersElsewhere) {
  const Series series{"a", {{0, 1, 0.5, 1.5}, {1, 2, 1.5, 2.5}, {2, 3, kMissing, kMissing}}};
  const Plot line = plot_of(PlotKind::line, {series});
  EXPECT_EQ(occurrences(svg_plot(line, "p"), "class=\"band\""), 1u);
  const Plot cloud = plot_of(PlotKind::scatter, {series});
  EXPECT_EQ(occurrences(svg_plot(cloud, "p"), "class=\"whisker\""), 2u);
}

TEST(SvgPlot, NamesDoNotOverlap) {
  std::vector<Series> many;
  many.reserve(40);
  for (int i = 0; i < 40; ++i) many.push_back({"series " + std::to_string(i), {{0, 1}, {1, 1.0001}}});
  const std::string svg = svg_plot(plot_of(PlotKind::line, many), "p");
  std::vector<double> places;
  static const std::regex name(R"re(class="name" x="[^"]*" y="([^"]*)")re");
  for (std::sregex_iterator at(svg.begin(), svg.end(), name), end; at != end; ++at)
    places.push_back(std::stod((*at)[1]));
  ASSERT_EQ(places.size(), 40u);
  std::sort(places.begin(), places.end());
  for (size_t i = 1; i < places.size(); ++i) EXPECT_GE(places[i] - places[i - 1], 15) << i;
  EXPECT_GE(places.front(), 20);
}

TEST(SvgPlot, TheFiguresAreAlsoSaidInWords) {
  Plot plot = plot_of(PlotKind::line, {{"warmswap", {{0, 2e6}, {1, 6e6}}}});
  plot.y.unit = "pps";
  plot.references = {{5e6, "promise"}};
  const std::string svg = svg_plot(plot, "plot-7");
  EXPECT_NE(svg.find("role=\"img\" aria-labelledby=\"plot-7-title plot-7-desc\""), std::string::npos);
  EXPECT_NE(svg.find("warmswap: 2 points, from 2\u00a0Mpps to 6\u00a0Mpps."), std::string::npos);
  EXPECT_NE(svg.find("Line at 5\u00a0Mpps: promise."), std::string::npos);
}

TEST(SvgPlot, NothingAndOnePointAndTheEndsOfDoublesAreDrawnWithFiniteCoordinates) {
  const std::vector<std::vector<Point>> samples = {
      {},
      {{1, 1}},
      {{0, 0}},
      {{kMissing, kMissing}},
      {{1e-300, 1e-300}, {1e300, 1e300}},
      {{-1e308, -1e308}, {1e308, 1e308}},
      {{5e-324, 5e-324}},
      {{1, 1, -kInfinity, kInfinity}},
      {{99.5, 100}, {100, 100}},
  };
  for (const PlotKind kind : {PlotKind::line, PlotKind::step, PlotKind::bar, PlotKind::scatter}) {
    for (const Scale scale : {Scale::linear, Scale::log10, Scale::percentile}) {
      for (const auto& points : samples) {
        Plot plot = plot_of(kind, {{"a", points}, {"b", {}}});
        plot.x.scale = plot.y.scale = scale;
        plot.categories = {"only"};
        plot.references = {{kMissing, "nowhere"}};
        const std::string svg = svg_plot(plot, "p");
        ASSERT_EQ(MarkupCheck::fault_of(svg), "");
        for (const double number : coordinates(svg))
          ASSERT_TRUE(std::isfinite(number) && std::abs(number) < 1e6) << svg;
      }
    }
  }
  EXPECT_NE(svg_plot(plot_of(PlotKind::line, {}), "p").find("no data"), std::string::npos);
  EXPECT_EQ(svg_plot(plot_of(PlotKind::line, {{"a", {{1, 1}}}}), "p").find("no data"), std::string::npos);
}

}  // namespace
}  // namespace warmswap::report
