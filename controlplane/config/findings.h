// What a check has to say, and the checks that every kind of value shares. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/config/config.h"

namespace warmswap::config {

/// One thing to say about a configuration.
struct Finding {
  std::string key;   // "pool.web.probe.interval"
  std::string text;  // follows the key: ` = "5ms": expected a duration from 10ms to 1h`
  bool warning = false;
  /// Other keys the judgement rests on: the loader stays silent when one of them was already found wrong.
  std::vector<std::string> depends = {};
};
using Findings = std::vector<Finding>;
void append(Findings& out, Findings more);
/// `key = shown: expectation`, the form of every error about a value.
Finding wrong(std::string key, std::string_view shown, std::string_view expectation);
Finding warn(std::string key, std::string_view sentence);
inline std::string to_string(const Finding& finding) {
  return finding.key + finding.text;
}

/// "pool.web"; a name that is no valid name is quoted, so that a message stays one line.
std::string item_key(std::string_view parent, std::string_view name);

/// Bounds of a number, both included, and the words a message uses: "expected <what> from <least> to <most>".
struct Range {
  int64_t least;
  int64_t most;
  std::string_view what = "an integer";
  constexpr bool holds(int64_t value) const noexcept { return value >= least && value <= most; }
};
struct DurationRange {
  Nanoseconds least;
  Nanoseconds most;
  constexpr bool holds(Nanoseconds value) const noexcept { return value >= least && value <= most; }
};
std::string expected(const Range& range);
std::string expected(const DurationRange& range);

void check_number(Findings& out, const std::string& key, int64_t value, const Range& range);
void check_duration(Findings& out, const std::string& key, Nanoseconds value, const DurationRange& range);

/// Reports names that occur twice under `parent`. `names` are sorted, so equal ones are neighbours.
void check_unique_names(Findings& out, const std::vector<std::string_view>& names, const std::string& parent);
template <typename T>
std::vector<std::string_view> names_of(const std::vector<T>& items) {
  std::vector<std::string_view> names;
  names.reserve(items.size());
  for (const T& item : items) names.push_back(item.name);
  return names;
}

}  // namespace warmswap::config
