#include "controlplane/config/report.h"

#include <fmt/format.h>

#include <algorithm>

namespace warmswap::config {

void Report::add(const Finding& finding, const Node& node) {
  store(finding, &node);
}

void Report::add(Finding finding) {
  const auto known_wrong = [this](const std::string& key) { return failed_.contains(key); };
  if (known_wrong(finding.key) || std::any_of(finding.depends.begin(), finding.depends.end(), known_wrong)) return;
  std::string key = finding.key;
  for (;;) {
    if (const auto place = places_.find(key); place != places_.end()) return store(finding, &place->second);
    const size_t dot = key.rfind('.');
    if (dot == key.npos) return store(finding, nullptr);
    key.resize(dot);
  }
}

void Report::store(const Finding& finding, const Node* place) {
  if (!finding.warning) failed_.insert(finding.key);
  size_t file = 0;
  if (place != nullptr) {
    const auto at = std::ranges::find(files_, place->file());
    if (at != files_.end()) file = static_cast<size_t>(at - files_.begin());
  }
  lines_.push_back({file, place != nullptr ? place->line() : 0, to_string(finding), finding.warning});
}

std::vector<std::string> Report::lines(bool warning) const {
  std::vector<Line> chosen;
  std::ranges::copy_if(lines_, std::back_inserter(chosen), [&](const Line& line) { return line.warning == warning; });
  std::ranges::stable_sort(chosen, {}, [](const Line& line) { return std::pair(line.file, line.number); });
  std::vector<std::string> out;
  for (const Line& line : chosen) {
    const std::string& file = files_.at(line.file);
    out.push_back(line.number == 0 ? fmt::format("{}: {}", file, line.text)
                                   : fmt::format("{}:{}: {}", file, line.number, line.text));
  }
  return out;
}

}  // namespace warmswap::config
