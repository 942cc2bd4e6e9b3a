#include "perf/report/html.h"

#include <gtest/gtest.h>

#include "perf/report/markup.h"
#include "tests/unit/perf/report/well_formed.h"

namespace warmswap::report {
namespace {

/// A document with `text` wherever text can be.
Document full_of(const std::string& text) {
  Document document{text, text, {{text, text, text, Verdict::ok}}, {}, text};
  Section section{text, Verdict::warn, text, {text, text}, {}, {}};
  section.tables.push_back({text, {text, text}, {Align::right}, {{text, text}, {text}, {}}});
  for (const PlotKind kind : {PlotKind::line, PlotKind::step, PlotKind::bar, PlotKind::scatter}) {
    Plot plot{kind, text, text, {text, text}, {text, text}, {{text, {{0, 1}, {1, 2}}}}, {text, text}, {{1.5, text}}};
    plot.categories = {text, text};
    section.plots.push_back(plot);
  }
  document.sections.assign(5, section);
  return document;
}

TEST(Html, WhateverTheTextThePageIsWellFormedAndTheTextStaysText) {
  for (const std::string& text :
       {std::string("plain"), std::string("<script>alert('x')</script>"), std::string("\"><b x='"),
        std::string("&amp; &#0; ]]> -->"), std::string("\xff\xc0\x80 bad \xe2\x82"), std::string("nul\0 bell\a", 10),
        std::string(500, 'w'), std::string()}) {
    const std::string page = html_page(full_of(text));
    EXPECT_EQ(MarkupCheck::fault_of(page), "") << text;
    EXPECT_EQ(page.find("<script"), std::string::npos);
    for (const char byte : page) ASSERT_TRUE(byte == '\n' || static_cast<unsigned char>(byte) >= 0x20) << text;
  }
}

TEST(Html, NothingIsLoadedFromElsewhere) {
  const std::string page = html_page(full_of("text"));
  for (const char* part : {"http:", "https:", "src=", "url(", "@import", "<link", "<script", "onload"}) {
    EXPECT_EQ(page.find(part), std::string::npos) << part;
  }
}

TEST(Html, IdsAreUnique) {
  const std::string page = html_page(full_of("text"));
  std::set<std::string> ids;
  size_t count = 0;
  for (size_t at = page.find(" id=\""); at != std::string::npos; at = page.find(" id=\"", at + 1), ++count) {
    ids.insert(page.substr(at + 5, page.find('"', at + 5) - at - 5));
  }
  EXPECT_EQ(count, 5 + 2 * 20u);  // sections, and title and description of each plot
  EXPECT_EQ(ids.size(), count);
}

TEST(Html, AVerdictIsToldInWords) {
  Document document{
      "title", "", {}, {{"one", Verdict::fail, "", {}, {}, {}}, {"two", Verdict::none, "", {}, {}, {}}}, ""};
  const std::string page = html_page(document);
  EXPECT_NE(page.find("failed</span>"), std::string::npos);
  EXPECT_EQ(occurrences(page, "class=\"pill"), 1u);
}

TEST(Html, AnEmptyDocumentIsAPage) {
  EXPECT_EQ(MarkupCheck::fault_of(html_page({})), "");
}

TEST(Markup, ShorteningCountsCharactersAndCutsBetweenThem) {
  EXPECT_EQ(length("äöü"), 3u);
  EXPECT_EQ(shortened("äöü", 3), "äöü");
  EXPECT_EQ(shortened("äöüß", 3), "äö…");
  EXPECT_EQ(shortened("", 3), "");
}

}  // namespace
}  // namespace warmswap::report
