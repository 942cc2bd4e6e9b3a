#include "perf/report/html.h"

#include <fmt/format.h>

#include <algorithm>

#include "perf/report/markup.h"
#include "perf/report/style.h"
#include "perf/report/svg_plot.h"

namespace warmswap::report {
namespace {

constexpr size_t kContentsFrom = 4;  // sections; fewer are found without a list of them

const char* class_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::none:
      return "none";
    case Verdict::ok:
      return "ok";
    case Verdict::warn:
      return "warn";
    case Verdict::fail:
      return "fail";
  }
  return "none";
}

/// A verdict is never told by colour alone.
std::string pill(Verdict verdict, const std::string& text) {
  static constexpr const char* kWords[] = {"", "ok", "warning", "failed"};
  static constexpr const char* kSigns[] = {"", "✓", "!", "✕"};
  if (verdict == Verdict::none && text.empty()) return "";
  const int place = static_cast<int>(verdict);
  return fmt::format("<span class=\"pill {}\"><b aria-hidden=\"true\">{}</b>{}</span>", class_of(verdict),
                     kSigns[place], escape(text.empty() ? kWords[place] : text));
}

void add_facts(std::string& out, const std::vector<Fact>& facts) {
  if (facts.empty()) return;
  out += "<dl class=\"facts\">\n";
  for (const Fact& fact : facts) {
    add(out, "<div class=\"fact {}\"><dt>{}</dt><dd class=\"value\">{}</dd>", class_of(fact.verdict),
        escape(fact.label), escape(fact.value));
    if (!fact.note.empty()) add(out, "<dd class=\"note\">{}</dd>", escape(fact.note));
    if (fact.verdict != Verdict::none) out += "<dd>" + pill(fact.verdict, "") + "</dd>";
    out += "</div>\n";
  }
  out += "</dl>\n";
}

void add_contents(std::string& out, const std::vector<Section>& sections) {
  if (sections.size() < kContentsFrom) return;
  out += "<nav aria-label=\"Contents\"><ul>\n";
  for (size_t i = 0; i < sections.size(); ++i) {
    add(out, "<li><a href=\"#section-{}\">{}</a>{}</li>\n", i + 1, escape(sections[i].heading),
        sections[i].verdict == Verdict::none ? "" : " " + pill(sections[i].verdict, ""));
  }
  out += "</ul></nav>\n";
}

const char* class_of(const Table& table, size_t column) {
  const Align align = column < table.alignments.size() ? table.alignments[column] : Align::left;
  return align == Align::right ? " class=\"right\"" : align == Align::center ? " class=\"center\"" : "";
}

void add_table(std::string& out, const Table& table) {
  out += "<div class=\"scroll\" tabindex=\"0\"><table>\n";
  if (!table.caption.empty()) add(out, "<caption>{}</caption>\n", escape(table.caption));
  out += "<thead><tr>";
  for (size_t column = 0; column < table.columns.size(); ++column) {
    add(out, "<th scope=\"col\"{}>{}</th>", class_of(table, column), escape(table.columns[column]));
  }
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (size_t column = 0; column < row.size(); ++column) {
      add(out, "<td{}>{}</td>", class_of(table, column), escape(row[column]));
    }
    out += "</tr>\n";
  }
  out += "</tbody></table></div>\n";
}

void add_plot(std::string& out, const Plot& plot, size_t number) {
  add(out, "<figure><figcaption><b>{}</b>", escape(plot.title));
  if (!plot.note.empty()) add(out, " <span>{}</span>", escape(plot.note));
  out += "</figcaption>\n<div class=\"scroll\" tabindex=\"0\">" + svg_plot(plot, fmt::format("plot-{}", number));
  out += "</div></figure>\n";
}

void add_section(std::string& out, const Section& section, size_t number, size_t& plots) {
  add(out, "<section id=\"section-{}\">\n<h2>{} {}</h2>\n", number, escape(section.heading),
      pill(section.verdict, section.verdict_text));
  for (const std::string& paragraph : section.prose) add(out, "<p>{}</p>\n", escape(paragraph));
  for (const Plot& plot : section.plots) add_plot(out, plot, ++plots);
  for (const Table& table : section.tables) add_table(out, table);
  out += "</section>\n";
}

}  // namespace

std::string html_page(const Document& document) {
  std::string out;
  add(out,
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n",
      escape(document.title), kStyleSheet);
  add(out, "<header>\n<h1>{}</h1>\n", escape(document.title));
  if (!document.subtitle.empty()) add(out, "<p class=\"subtitle\">{}</p>\n", escape(document.subtitle));
  out += "</header>\n<main>\n";
  add_facts(out, document.facts);
  add_contents(out, document.sections);
  size_t plots = 0;
  for (size_t i = 0; i < document.sections.size(); ++i) add_section(out, document.sections[i], i + 1, plots);
  out += "</main>\n";
  if (!document.footer.empty()) add(out, "<footer>{}</footer>\n", escape(document.footer));
  out += "</body>\n</html>\n";
  return out;
}

}  // namespace warmswap::report
