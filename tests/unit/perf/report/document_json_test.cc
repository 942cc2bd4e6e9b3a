#include "perf/report/document_json.h"

#include <gtest/gtest.h>

#include <cmath>

namespace warmswap::report {
namespace {

constexpr std::string_view kWhole = R"json({
  "title": "T", "subtitle": "S", "footer": "F",
  "facts": [{"label": "L", "value": "V", "note": "N", "verdict": "fail"}],
  "sections": [{
    "heading": "H", "verdict": "warn", "verdict_text": "noisy", "prose": ["one", "two"],
    "tables": [{"caption": "C", "columns": ["a", "b", "c"], "alignments": ["left", "right", "center"],
                "rows": [["x", 4.25, null], ["y", -3, 18446744073709551615]]}],
    "plots": [
      {"kind": "step", "title": "P", "note": "why",
       "x": {"label": "X", "scale": "percentile"}, "y": {"label": "Y", "unit": "ns", "scale": "log10", "from_zero": true},
       "series": [{"name": "s", "points": [[1, 2], [1e6, null], [3, 4, 3.5, 4.5]]}],
       "references": [{"value": 40, "label": "promise"}]},
      {"kind": "bar", "title": "B", "categories": ["p", "q", "r"], "series": [{"values": [1, null, [2, 1, 3]]}]}
    ]
  }]
})json";

TEST(DocumentJson, EveryFieldArrives) {
  const auto read = read_document(kWhole);
  ASSERT_TRUE(read.ok()) << read.error();
  const Document& document = *read;
  EXPECT_EQ(document.title + document.subtitle + document.footer, "TSF");
  ASSERT_EQ(document.facts.size(), 1u);
  EXPECT_EQ(document.facts[0].label + document.facts[0].value + document.facts[0].note, "LVN");
  EXPECT_EQ(document.facts[0].verdict, Verdict::fail);
  const Section& section = document.sections.at(0);
  EXPECT_EQ(section.heading, "H");
  EXPECT_EQ(section.verdict, Verdict::warn);
  EXPECT_EQ(section.verdict_text, "noisy");
  EXPECT_EQ(section.prose, (std::vector<std::string>{"one", "two"}));
  const Table& table = section.tables.at(0);
  EXPECT_EQ(table.caption, "C");
  EXPECT_EQ(table.alignments, (std::vector<Align>{Align::left, Align::right, Align::center}));
  EXPECT_EQ(table.rows.at(0), (std::vector<std::string>{"x", "4.25", ""}));
  EXPECT_EQ(table.rows.at(1), (std::vector<std::string>{"y", "-3", "18446744073709551615"}));
}

TEST(DocumentJson, PlotsArrive) {
  const auto read = read_document(kWhole);
  ASSERT_TRUE(read.ok()) << read.error();
  const Plot& step = read->sections.at(0).plots.at(0);
  EXPECT_EQ(step.kind, PlotKind::step);
  EXPECT_EQ(step.title + step.note + step.x.label + step.y.label + step.y.unit, "PwhyXYns");
  EXPECT_EQ(step.x.scale, Scale::percentile);
  EXPECT_EQ(step.y.scale, Scale::log10);
  EXPECT_TRUE(step.y.from_zero);
  const auto& points = step.series.at(0).points;
  ASSERT_EQ(points.size(), 3u);
  EXPECT_EQ(points[0].x, 1);
  EXPECT_EQ(points[0].y, 2);
  EXPECT_TRUE(std::isnan(points[0].low));
  EXPECT_EQ(points[1].x, 1e6);
  EXPECT_TRUE(std::isnan(points[1].y));
  EXPECT_EQ(points[2].low, 3.5);
  EXPECT_EQ(points[2].high, 4.5);
  EXPECT_EQ(step.references.at(0).value, 40);
  EXPECT_EQ(step.references.at(0).label, "promise");

  const Plot& bar = read->sections.at(0).plots.at(1);
  EXPECT_EQ(bar.kind, PlotKind::bar);
  EXPECT_EQ(bar.categories.size(), 3u);
  EXPECT_EQ(bar.series.at(0).points.at(2).x, 2);
  EXPECT_EQ(bar.series.at(0).points.at(2).y, 2);
  EXPECT_EQ(bar.series.at(0).points.at(2).high, 3);
  EXPECT_TRUE(std::isnan(bar.series.at(0).points.at(1).y));
}

TEST(DocumentJson, OnlyTheTitleIsNeeded) {
  const auto read = read_document(R"({"title": "T"})");
  ASSERT_TRUE(read.ok()) << read.error();
  EXPECT_TRUE(read->sections.empty());
}

/// What is put in place of the plots of a document, and the sentence it must be refused with.
struct Refusal {
  const char* json;
  const char* sentence;
};

std::string with_plot(const std::string& plot) {
  return R"({"title": "T", "sections": [{"heading": "H", "plots": [)" + plot + "]}]}";
}

TEST(DocumentJson, APlotIsRefusedWithThePathToItsFault) {
  const Refusal refusals[] = {
      {R"({"title": "P"})", "sections[0].plots[0].kind: is missing"},
      {R"({"kind": "pie", "title": "P"})",
       "sections[0].plots[0].kind: expected one of line, step, bar, scatter, got \"pie\""},
      {R"({"kind": "line", "title": "P", "x": {"scale": "log"}})",
       "sections[0].plots[0].x.scale: expected one of linear, log10, percentile, got \"log\""},
      {R"({"kind": "line", "title": "P", "x": 7})", "sections[0].plots[0].x: expected an object, got 7"},
      {R"({"kind": "line", "title": "P", "series": [{"points": [[1, 2], [1, 2, 3]]}]})",
       "sections[0].plots[0].series[0].points[1]: expected [x, y] or [x, y, low, high], got a list of 3"},
      {R"({"kind": "line", "title": "P", "series": [{"points": [[1, "2"]]}]})",
       "sections[0].plots[0].series[0].points[0][1]: expected a number or null, got \"2\""},
      {R"({"kind": "line", "title": "P", "series": [{"values": [1]}]})",
       "sections[0].plots[0].series[0].points: is missing"},
      {R"({"kind": "line", "title": "P", "categories": ["a"]})",
       "sections[0].plots[0].categories: goes with bar plots only"},
      {R"({"kind": "bar", "title": "P"})",
       "sections[0].plots[0].categories: is missing: a bar plot names its categories"},
      {R"({"kind": "bar", "title": "P", "categories": ["a", "b"], "series": [{"values": [1]}]})",
       "sections[0].plots[0].series[0].values: has 1 entries for 2 categories"},
      {R"({"kind": "bar", "title": "P", "categories": ["a"], "series": [{"values": [[1, 2]]}]})",
       "sections[0].plots[0].series[0].values[0]: expected y, null or [y, low, high], got a list of 2"},
      {R"({"kind": "line", "title": "P", "references": [{"label": "l"}]})",
       "sections[0].plots[0].references[0].value: is missing"},
      {R"({"kind": "line", "title": "P", "y": {"colour": 1}})",
       "sections[0].plots[0].y: unknown field \"colour\", expected one of: label, unit, scale, from_zero"},
  };
  for (const Refusal& refusal : refusals) {
    const auto read = read_document(with_plot(refusal.json));
    ASSERT_FALSE(read.ok()) << refusal.json;
    EXPECT_EQ(read.error(), refusal.sentence);
  }
}

TEST(DocumentJson, TheRestIsRefusedByNameToo) {
  const Refusal refusals[] = {
      {R"([])", "expected an object, got a list of 0"},
      {R"({"title": 5})", "title: expected a string, got 5"},
      {R"({})", "title: is missing"},
      {R"({"title": "T", "titel": "T"})",
       "unknown field \"titel\", expected one of: title, subtitle, footer, facts, sections"},
      {R"({"title": "T", "facts": {}})", "facts: expected a list, got an object"},
      {R"({"title": "T", "facts": [1]})", "facts[0]: expected an object, got 1"},
      {R"({"title": "T", "facts": [{"label": "l", "value": "v", "verdict": "good"}]})",
       "facts[0].verdict: expected one of none, ok, warn, fail, got \"good\""},
      {R"({"title": "T", "sections": [{"heading": "H", "prose": [7]}]})",
       "sections[0].prose[0]: expected a string, got 7"},
      {R"({"title": "T", "sections": [{"heading": "H", "tables": [{"columns": ["a"], "rows": [["1", "2"]]}]}]})",
       "sections[0].tables[0].rows[0]: expected a list of 1, one for each column, got a list of 2"},
      {R"({"title": "T", "sections": [{"heading": "H", "tables": [{"columns": ["a"], "rows": [[true]]}]}]})",
       "sections[0].tables[0].rows[0][0]: expected a string, a number or null, got true"},
      {R"({"title": "T", "sections": [{"heading": "H", "tables": [{"columns": ["a"], "alignments": ["middle"]}]}]})",
       "sections[0].tables[0].alignments[0]: expected one of left, right, center, got \"middle\""},
      {R"({"title": "T", "title": "U"})", "the JSON has the field \"title\" twice in one object"},
  };
  for (const Refusal& refusal : refusals) {
    const auto read = read_document(refusal.json);
    ASSERT_FALSE(read.ok()) << refusal.json;
    EXPECT_EQ(read.error(), refusal.sentence);
  }
  EXPECT_NE(read_document("{\"title\": NaN}").error().find("not valid JSON at byte"), std::string::npos);
}

}  // namespace
}  // namespace warmswap::report
