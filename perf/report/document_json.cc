#include "perf/report/document_json.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "controlplane/api/strict_json.h"
#include "perf/report/json_fields.h"

namespace warmswap::report {
namespace {

namespace json = boost::json;

constexpr std::string_view kVerdicts[] = {"none", "ok", "warn", "fail"};
constexpr std::string_view kAlignments[] = {"left", "right", "center"};
constexpr std::string_view kScales[] = {"linear", "log10", "percentile"};
constexpr std::string_view kKinds[] = {"line", "step", "bar", "scatter"};

Fact read_fact(Reader& in) {
  Fact fact;
  in.required_text("label", fact.label);
  in.required_text("value", fact.value);
  in.text("note", fact.note);
  in.choice("verdict", kVerdicts, fact.verdict);
  return fact;
}

std::string read_cell(Reader& in, const json::value& value, const std::string& path) {
  if (value.is_null()) return {};
  if (value.is_double()) return fmt::format("{:.6g}", value.get_double());
  if (value.is_number()) return json::serialize(value);
  if (value.is_string()) return in.text_of(value, path);
  in.expected(path, "a string, a number or null", value);
  return {};
}

Table read_table(Reader& in) {
  Table table;
  in.text("caption", table.caption);
  const auto text = [&in](const json::value& value, const std::string& path) { return in.text_of(value, path); };
  in.required_list("columns", table.columns, text);
  in.list("alignments", table.alignments, [&in](const json::value& value, const std::string& path) {
    return in.choice_of(value, path, kAlignments, Align::left);
  });
  if (table.alignments.size() > table.columns.size()) {
    in.fault("alignments", fmt::format("has {} entries for {} columns", table.alignments.size(), table.columns.size()));
  }
  const size_t width = table.columns.size();
  in.list("rows", table.rows, [&in, width](const json::value& value, const std::string& path) {
    std::vector<std::string> row;
    const json::array* cells = value.if_array();
    if (cells == nullptr || cells->size() != width) {
      in.expected(path, fmt::format("a list of {}, one for each column", width), value);
      return row;
    }
    for (const json::value& cell : *cells) row.push_back(read_cell(in, cell, fmt::format("{}[{}]", path, row.size())));
    return row;
  });
  return table;
}

Axis read_axis(Reader& in) {
  Axis axis;
  in.text("label", axis.label);
  in.text("unit", axis.unit);
  in.choice("scale", kScales, axis.scale);
  in.flag("from_zero", axis.from_zero);
  return axis;
}

Point read_point(Reader& in, const json::value& value, const std::string& path) {
  Point point;
  const json::array* parts = value.if_array();
  if (parts == nullptr || (parts->size() != 2 && parts->size() != 4)) {
    in.expected(path, "[x, y] or [x, y, low, high]", value);
    return point;
  }
  double* const targets[] = {&point.x, &point.y, &point.low, &point.high};
  for (size_t i = 0; i < parts->size(); ++i) *targets[i] = in.number((*parts)[i], fmt::format("{}[{}]", path, i));
  return point;
}

Point read_bar(Reader& in, const json::value& value, const std::string& path) {
  Point point;
  const json::array* parts = value.if_array();
  if (parts == nullptr && (value.is_number() || value.is_null())) {
    point.y = in.number(value, path);
    return point;
  }
  if (parts == nullptr || parts->size() != 3) {
    in.expected(path, "y, null or [y, low, high]", value);
    return point;
  }
  double* const targets[] = {&point.y, &point.low, &point.high};
  for (size_t i = 0; i < parts->size(); ++i) *targets[i] = in.number((*parts)[i], fmt::format("{}[{}]", path, i));
  return point;
}

Series read_point_series(Reader& in) {
  Series series;
  in.text("name", series.name);
  in.required_list("points", series.points,
                   [&in](const json::value& value, const std::string& path) { return read_point(in, value, path); });
  return series;
}

Series read_bar_series(Reader& in) {
  Series series;
  in.text("name", series.name);
  in.required_list("values", series.points,
                   [&in](const json::value& value, const std::string& path) { return read_bar(in, value, path); });
  for (size_t i = 0; i < series.points.size(); ++i) series.points[i].x = static_cast<double>(i);
  return series;
}

Reference read_reference(Reader& in) {
  Reference reference;
  in.required_number("value", reference.value);
  in.text("label", reference.label);
  return reference;
}

Plot read_plot(Reader& in) {
  Plot plot;
  in.required_choice("kind", kKinds, plot.kind);
  in.required_text("title", plot.title);
  in.text("note", plot.note);
  in.object("x", plot.x, read_axis);
  in.object("y", plot.y, read_axis);
  const bool bars = plot.kind == PlotKind::bar;
  in.objects("series", plot.series, bars ? read_bar_series : read_point_series);
  in.objects("references", plot.references, read_reference);
  in.list("categories", plot.categories,
          [&in](const json::value& value, const std::string& path) { return in.text_of(value, path); });
  if (bars == plot.categories.empty()) {
    in.fault("categories", bars ? "is missing: a bar plot names its categories" : "goes with bar plots only");
  }
  for (size_t i = 0; bars && i < plot.series.size(); ++i) {
    const size_t values = plot.series[i].points.size();
    if (values != plot.categories.size()) {
      in.fault(fmt::format("series[{}].values", i),
               fmt::format("has {} entries for {} categories", values, plot.categories.size()));
    }
  }
  return plot;
}

Section read_section(Reader& in) {
  Section section;
  in.required_text("heading", section.heading);
  in.choice("verdict", kVerdicts, section.verdict);
  in.text("verdict_text", section.verdict_text);
  in.list("prose", section.prose,
          [&in](const json::value& value, const std::string& path) { return in.text_of(value, path); });
  in.objects("tables", section.tables, read_table);
  in.objects("plots", section.plots, read_plot);
  return section;
}

void read_top(Reader& in, Document& document) {
  in.required_text("title", document.title);
  in.text("subtitle", document.subtitle);
  in.text("footer", document.footer);
  in.objects("facts", document.facts, read_fact);
  in.objects("sections", document.sections, read_section);
}

}  // namespace

contract::Result<Document> read_document(std::string_view text) {
  const auto root = api::parse_strict(text);
  if (!root) return contract::Error{root.error()};
  const json::object* object = root->if_object();
  if (object == nullptr) return contract::Error{"expected an object, got " + api::quote_value(*root)};
  Document document;
  std::string error;
  {
    Reader reader(*object, "", error);
    read_top(reader, document);
  }
  if (!error.empty()) return contract::Error{error};
  return document;
}

}  // namespace warmswap::report
