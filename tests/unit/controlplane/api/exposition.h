// A strict reader of the Prometheus text exposition format 0.0.4, written from its specification
// (prometheus.io/docs/instrumenting/exposition_formats) and not from the renderer: it refuses what a scraper might
// forgive, such as a family without HELP or TYPE, samples apart from their family, or a series given twice.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace warmswap::api {

using LabelSet = std::map<std::string, std::string>;

struct Family {
  std::string help;
  std::string type;
  std::map<LabelSet, double> samples;
};

struct ParsedExposition {
  std::map<std::string, Family> families;
  std::string fault;  // empty = well-formed
};

ParsedExposition parse_exposition(std::string_view text);

}  // namespace warmswap::api
