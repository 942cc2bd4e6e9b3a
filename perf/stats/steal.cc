#include "perf/stats/steal.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

namespace warmswap::perf {
namespace {

// user nice system idle iowait irq softirq steal; what follows (guest, guest_nice) is contained in user and nice.
constexpr size_t kColumns = 8;
constexpr size_t kIdle = 3;
constexpr size_t kIoWait = 4;
constexpr size_t kSteal = 7;

std::optional<CpuTicks> parse_columns(std::string_view line) {
  std::array<uint64_t, kColumns> columns{};
  for (uint64_t& column : columns) {
    const size_t begin = line.find_first_not_of(' ');
    if (begin == std::string_view::npos) return std::nullopt;
    line.remove_prefix(begin);
    const auto [end, fault] = std::from_chars(line.data(), line.data() + line.size(), column);
    if (fault != std::errc{}) return std::nullopt;
    line.remove_prefix(static_cast<size_t>(end - line.data()));
  }
  CpuTicks ticks{columns[kSteal], columns[kIdle] + columns[kIoWait], 0};
  for (const uint64_t column : columns) ticks.all += column;
  return ticks;
}

/// What follows `label` and a space at the beginning of a line.
std::optional<std::string_view> line_of(std::string_view text, std::string_view label) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.size() > label.size() && line.starts_with(label) && line[label.size()] == ' ') {
      return line.substr(label.size());
    }
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return std::nullopt;
}

contract::Result<CpuTicks> ticks_of(std::string_view text, const std::string& label) {
  const auto line = line_of(text, label);
  if (!line) return contract::Error{fmt::format("/proc/stat has no line for {}; expected a CPU that is online", label)};
  if (const auto ticks = parse_columns(*line)) return *ticks;
  return contract::Error{
      fmt::format("/proc/stat says \"{}{}\"; expected {} numbers or more", label, line->substr(0, 100), kColumns)};
}

uint64_t grown(uint64_t before, uint64_t after) {
  return after > before ? after - before : 0;
}

}  // namespace

contract::Result<CpuTicks> parse_cpu_ticks(std::string_view text, std::span<const unsigned> cpus) {
  if (cpus.empty()) return ticks_of(text, "cpu");
  CpuTicks sum;
  for (const unsigned cpu : cpus) {
    const auto ticks = ticks_of(text, fmt::format("cpu{}", cpu));
    if (!ticks) return contract::Error{ticks.error()};
    sum.steal += ticks->steal;
    sum.idle += ticks->idle;
    sum.all += ticks->all;
  }
  return sum;
}

contract::Result<CpuTicks> read_cpu_ticks(std::span<const unsigned> cpus) {
  std::ifstream file("/proc/stat");
  if (!file) return contract::Error{"cannot read /proc/stat; expected a mounted proc file system"};
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return parse_cpu_ticks(text, cpus);
}

CpuUse use_between(const CpuTicks& before, const CpuTicks& after) noexcept {
  const uint64_t steal = grown(before.steal, after.steal);
  const uint64_t idle = grown(before.idle, after.idle);
  // The sum may have lost what idle lost.
  const uint64_t all = std::max(grown(before.all, after.all), steal + idle);
  if (all == 0) return {};
  const double whole = static_cast<double>(all);
  return {static_cast<double>(steal) / whole, static_cast<double>(idle) / whole,
          static_cast<double>(all - steal - idle) / whole, all};
}

}  // namespace warmswap::perf
