#include "controlplane/config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "controlplane/config/text.h"

namespace warmswap::config {

void append(Findings& out, Findings more) {
  std::ranges::move(more, std::back_inserter(out));
}

std::string expected(const Range& range) {
  return fmt::format("expected {} from {} to {}", range.what, range.least, range.most);
}
std::string expected(const DurationRange& range) {
  return fmt::format("expected a duration from {} to {}", format_duration(range.least), format_duration(range.most));
}

Finding wrong(std::string key, std::string_view shown, std::string_view expectation) {
  return Finding{std::move(key), fmt::format(" = {}: {}", shown, expectation)};
}
Finding warn(std::string key, std::string_view sentence) {
  return Finding{std::move(key), fmt::format(": {}", sentence), true};
}

void check_number(Findings& out, const std::string& key, int64_t value, const Range& range) {
  if (!range.holds(value)) out.push_back(wrong(key, fmt::to_string(value), expected(range)));
}

void check_duration(Findings& out, const std::string& key, Nanoseconds value, const DurationRange& range) {
  if (!range.holds(value)) out.push_back(wrong(key, quote(format_duration(value)), expected(range)));
}

void check_unique_names(Findings& out, const std::vector<std::string_view>& names, const std::string& parent) {
  for (size_t i = 1; i < names.size(); ++i) {
    if (names[i] != names[i - 1]) continue;
    out.push_back(wrong(item_key(parent, names[i]) + ".name", quote(names[i]), "expected a name used once"));
  }
}

}  // namespace warmswap::config
