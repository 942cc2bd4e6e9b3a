#include "controlplane/cli/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>

namespace warmswap::cli {

using namespace std::chrono;

namespace {

struct CodePoint {
  char32_t value;
  size_t bytes;
};

/// The first character of non-empty text; a stray byte counts as one character.
CodePoint decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t bytes = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (bytes == 1 || bytes > text.size()) return {lead, 1};
  char32_t value = lead & (0xffu >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) value = value << 6 | (static_cast<unsigned char>(text[i]) & 0x3fu);
  return {value, bytes};
}

struct Range {
  char32_t first;
  char32_t last;
};
constexpr Range kZeroWidth[] = {{0x300, 0x36f},   {0x200b, 0x200f}, {0x20d0, 0x20ff},
                                {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}};
constexpr Range kDoubleWidth[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},  {0xac00, 0xd7a3},
                                  {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},  {0xffe0, 0xffe6},
                                  {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

template <size_t kSize>
bool in(const Range (&ranges)[kSize], char32_t value) {
  return std::any_of(ranges, ranges + kSize, [&](Range r) { return value >= r.first && value <= r.last; });
}

}  // namespace

std::string paint(std::string_view text, Tone tone, bool colour) {
  static constexpr std::array kCodes = {"", "1", "32", "33", "31", "2"};
  if (!colour || tone == Tone::plain) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<size_t>(tone)], text);
}

Tone state_tone(std::string_view state) {
  if (state == "serving" || state == "warm" || state == "promoted") return Tone::good;
  if (state == "failed") return Tone::bad;
  if (state == "disabled" || state == "cold") return Tone::faint;
  return Tone::warning;
}

size_t display_width(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const CodePoint point = decode(text);
    width += in(kZeroWidth, point.value) ? 0 : in(kDoubleWidth, point.value) ? 2 : 1;
    text.remove_prefix(point.bytes);
  }
  return width;
}

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = decode(text);
    // C0, DEL and C1; the bidirectional controls could make a line read as another.
    const bool control = point.value < 0x20 || (point.value >= 0x7f && point.value < 0xa0) ||
                         (point.value >= 0x202a && point.value <= 0x202e) ||
                         (point.value >= 0x2066 && point.value <= 0x2069);
    result += control ? std::string_view("\xef\xbf\xbd") : text.substr(0, point.bytes);
    text.remove_prefix(point.bytes);
  }
  return result;
}

std::string human_bytes(uint64_t bytes) {
  static constexpr std::array kUnits = {"kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double amount = static_cast<double>(bytes) / 1000;
  size_t unit = 0;
  for (; amount >= 999.95 && unit + 1 < kUnits.size(); ++unit) amount /= 1000;
  return fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

std::string human_duration(milliseconds time) {
  const auto total = time.count();
  if (total < 0) return "0 s";
  if (total < 10'000) return fmt::format("{:.1f} s", static_cast<double>(total) / 1000);
  const auto whole = total / 1000;
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
  return fmt::format("{} d {} h", whole / 86400, whole / 3600 % 24);
}

std::string human_microseconds(int64_t microseconds) {
  const double amount = static_cast<double>(microseconds);
  if (microseconds < 1000) return fmt::format("{} µs", microseconds);
  if (microseconds < 10'000'000) return fmt::format("{:.1f} ms", amount / 1e3);
  return fmt::format("{:.1f} s", amount / 1e6);
}

std::string percent(double fraction) {
  return fmt::format("{:.1f} %", fraction * 100);
}

std::string human_age(std::string_view time, system_clock::time_point now) {
  std::tm utc{};
  const char* const rest = strptime(std::string(time).c_str(), "%Y-%m-%dT%H:%M:%S", &utc);
  if (rest == nullptr || utc.tm_year <= 70) return "-";
  const auto age = now - system_clock::from_time_t(timegm(&utc));
  return human_duration(floor<seconds>(duration_cast<milliseconds>(std::max(age, system_clock::duration::zero()))));
}

std::string percent_encode(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x80 && std::isalnum(byte)) || std::string_view("-._~").find(c) != std::string_view::npos) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", byte);
    }
  }
  return result;
}

}  // namespace warmswap::cli
