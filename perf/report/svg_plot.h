// A plot as one SVG element to stand in a page made by html.h, whose style sheet it needs. Pure; any thread.
//
// It has a <title> and a <desc> with the figures in words, and a tooltip at each point. Whatever cannot be drawn (NaN,
// infinity, on a logarithmic axis what is not above zero) is left out; a plot without anything to draw says so.
#pragma once

#include <string>
#include <string_view>

#include "perf/report/document.h"

namespace warmswap::report {

/// `id` is unique in the page and a valid XML name: "plot-3".
std::string svg_plot(const Plot& plot, std::string_view id);

}  // namespace warmswap::report
