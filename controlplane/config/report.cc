#include "controlplane/config/report.h"

#include <fmt/format.h>

#include <algorithm>

namespace warmswap::config {

void Report::add(Finding finding, const Node& node) {
  store(finding, node.line());
}

void Report::add(Finding finding) {
  const auto known_wrong = [this](const std::string& key) { return failed_.contains(key); };
  if (known_wrong(finding.key) || std::any_of(finding.depends.begin(), finding.depends.end(), known_wrong)) return;
  std::string key = finding.key;
  for (;;) {
    if (const auto place = places_.find(key); place != places_.end()) return store(finding, place->second.line());
    const size_t dot = key.rfind('.');
    if (dot == key.npos) return store(finding, 0);
    key.resize(dot);
  }
}

void Report::store(const Finding& finding, uint32_t line) {
  if (!finding.warning) failed_.insert(finding.key);
  lines_.push_back({line, to_string(finding), finding.warning});
}

std::vector<std::string> Report::lines(bool warning) const {
  std::vector<Line> chosen;
  std::ranges::copy_if(lines_, std::back_inserter(chosen), [&](const Line& line) { return line.warning == warning; });
  std::ranges::stable_sort(chosen, {}, &Line::number);
  std::vector<std::string> out;
  for (const Line& line : chosen) {
    out.push_back(line.number == 0 ? fmt::format("{}: {}", file_, line.text)
                                   : fmt::format("{}:{}: {}", file_, line.number, line.text));
  }
  return out;
}

}  // namespace warmswap::config
