// A report as a value: what was measured, without a word on how it looks. html.h makes a page of it, document_json.h
// reads it from JSON. All text is plain UTF-8, never markup. Plain structs; any thread.
#pragma once

#include <limits>
#include <string>
#include <vector>

namespace warmswap::report {

/// Nothing is known here: the point, error bar or bar is not drawn.
inline constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

enum class Verdict { none, ok, warn, fail };

/// A key figure in a tile at the top: "Throughput", "12.4 Mpps", "median of 10 runs, MAD 0.8 %".
struct Fact {
  std::string label;
  std::string value;
  std::string note;
  Verdict verdict = Verdict::none;
};

enum class Align { left, right, center };

struct Table {
  std::string caption;
  std::vector<std::string> columns;
  std::vector<Align> alignments;  // one for each column; those that are missing are left
  std::vector<std::vector<std::string>> rows;
};

enum class PlotKind { line, step, bar, scatter };

/// `percentile`: the value is in percent below 100 and its distance to 100 is drawn as a logarithm, so that 99.99 has
/// as much room as 90; what is not below 100 is drawn at the edge.
enum class Scale { linear, log10, percentile };

struct Axis {
  std::string label;
  /// What the values are in. Ticks get SI prefixes: with "pps" 2000000 is "2 Mpps", with "ns" (or "us", "ms", "s") 1500
  /// is "1.5 µs", with "%" there is no prefix, and without a unit 20000 is "20k".
  std::string unit;
  Scale scale = Scale::linear;
  /// Whether 0 must be on a linear axis. Bars always have it.
  bool from_zero = false;
};

/// `low` and `high` are the ends of an error bar (or of a band around a line); both or neither. On bar plots x is the
/// index of the category.
struct Point {
  double x = kMissing;
  double y = kMissing;
  double low = kMissing;
  double high = kMissing;
};

struct Series {
  std::string name;
  std::vector<Point> points;  // lines connect them in this order; a missing one breaks the line
};

/// A horizontal line across the plot: a bound, a promise, a peer's figure.
struct Reference {
  double value = kMissing;
  std::string label;
};

struct Plot {
  PlotKind kind = PlotKind::line;
  std::string title;
  std::string note;  // a sentence below the title: conditions, how to read it
  Axis x;            // bars: only the label is used
  Axis y;
  std::vector<Series> series;
  std::vector<std::string> categories;  // bars only
  std::vector<Reference> references;
};

struct Section {
  std::string heading;
  Verdict verdict = Verdict::none;
  std::string verdict_text;        // in the pill; empty = "ok", "warning", "failed" by verdict
  std::vector<std::string> prose;  // paragraphs
  std::vector<Table> tables;
  std::vector<Plot> plots;
};

struct Document {
  std::string title;
  std::string subtitle;
  std::vector<Fact> facts;
  std::vector<Section> sections;
  std::string footer;  // conditions of the whole run: machine, versions, time
};

}  // namespace warmswap::report
