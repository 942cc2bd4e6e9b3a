// The data of a plot as SVG elements: lines, bands, bars, dots and whiskers, with a tooltip at each point. Colours are
// classes (s0…s7, d1… for the dashes of later rounds); html.cc gives them their looks. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>

#include "perf/report/document.h"
#include "perf/report/plot_layout.h"

namespace warmswap::report {

inline constexpr size_t kColours = 8;

/// "s3", and from the ninth series on "s0 d1": the same colours, dashed.
std::string series_class(size_t index);

/// The sign of series `index` on scatter plots, about `radius` pixels around (x, y): circle, square, triangle, diamond.
std::string sign_path(size_t index, double x, double y, double radius);

/// All series of `plot` inside the layout's box, the first one on top. Points beyond what the drawing can resolve are
/// left out: of a line the first, last, lowest and highest in each pixel column stay, of a cloud one in each pixel.
std::string draw_marks(const Plot& plot, const Layout& layout);

}  // namespace warmswap::report
