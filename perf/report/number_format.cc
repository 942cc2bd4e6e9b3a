#include "perf/report/number_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace warmswap::report {
namespace {

constexpr std::string_view kMinus = "−";
constexpr std::string_view kNoBreakSpace = "\u00a0";

constexpr std::array kPrefixes = {
    Prefix{1e-12, "p"}, Prefix{1e-9, "n"}, Prefix{1e-6, "µ"}, Prefix{1e-3, "m"}, Prefix{1, ""},
    Prefix{1e3, "k"},   Prefix{1e6, "M"},  Prefix{1e9, "G"},  Prefix{1e12, "T"},
};
constexpr size_t kNone = 4;

std::string with_real_minus(std::string_view text) {
  if (!text.starts_with('-')) return std::string(text);
  return fmt::format("{}{}", kMinus, text.substr(1));
}

}  // namespace

Unit::Unit(std::string_view name) : base_(name) {
  if (name == "ns") factor_ = 1e-9;
  if (name == "us" || name == "µs") factor_ = 1e-6;
  if (name == "ms") factor_ = 1e-3;
  if (factor_ != 1) base_ = "s";
}

Prefix Unit::prefix_for(double value) const noexcept {
  const double size = std::abs(value) * factor_;
  if (base_ == "%" || !(size > 0) || size >= 1e15) return {};
  const bool seconds = base_ == "s";
  const size_t first = seconds ? 0 : kNone;
  const size_t last = seconds ? kNone : kPrefixes.size() - 1;
  size_t place = first;
  // A hair above, so that 1000 written as 999.9999999 in binary still takes the larger prefix.
  while (place < last && size * (1 + 1e-9) >= kPrefixes[place + 1].factor) ++place;
  return kPrefixes[place];
}

std::string Unit::format(double value, int digits) const {
  if (std::isnan(value)) return "–";
  // Rounding first: 999.96 with four digits is 1000, which may have a prefix of its own.
  const double rounded = std::isfinite(value) && value != 0
                             ? std::strtod(fmt::format("{:.{}e}", value, digits - 1).c_str(), nullptr)
                             : value;
  const Prefix prefix = prefix_for(rounded);
  const std::string number = format_number(scaled(rounded, prefix), digits);
  const std::string unit = symbol(prefix);
  return base_.empty() || unit.empty() ? number + unit : number + std::string(kNoBreakSpace) + unit;
}

std::string format_number(double value, int digits) {
  if (std::isnan(value)) return "–";
  if (std::isinf(value)) return value > 0 ? "∞" : "−∞";
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-4 || size >= 1e15)) return with_real_minus(fmt::format("{:.{}g}", value, digits));
  const int before_point = size >= 1 ? static_cast<int>(std::floor(std::log10(size))) + 1 : 1;
  const int leading_zeros = size > 0 && size < 1 ? static_cast<int>(-std::floor(std::log10(size))) - 1 : 0;
  std::string text = format_fixed(value, std::max(digits - before_point + leading_zeros + (size < 1 ? 1 : 0), 0));
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
  }
  return text;
}

std::string format_fixed(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  // What rounds to nothing has no sign.
  if (text.find_first_not_of("-0.") == std::string::npos && text.starts_with('-')) text.erase(0, 1);
  return with_real_minus(text);
}

}  // namespace warmswap::report
