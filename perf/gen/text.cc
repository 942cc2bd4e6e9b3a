#include "perf/gen/text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace warmswap::gen {
namespace {

constexpr std::array kKindNames = {std::string_view{"syn"}, std::string_view{"ack"}, std::string_view{"data"},
                                   std::string_view{"fin"}};

}  // namespace

std::optional<double> parse_amount(std::string_view text) {
  double factor = 1;
  if (!text.empty()) {
    const size_t known = std::string_view("kMG").find(text.back());
    constexpr std::array kFactors = {1e3, 1e6, 1e9};
    if (known != std::string_view::npos) {
      factor = kFactors[known];
      text.remove_suffix(1);
    }
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(value) || value < 0) return std::nullopt;
  return value * factor;
}

std::optional<double> parse_rate(std::string_view text) {
  if (text == "max") return std::numeric_limits<double>::infinity();
  constexpr std::string_view kUnit = "pps";
  if (text.ends_with(kUnit)) text.remove_suffix(kUnit.size());
  const auto rate = parse_amount(text);
  constexpr double kMostRate = 1e9;
  if (!rate || *rate < 1 || *rate > kMostRate) return std::nullopt;
  return rate;
}

std::string_view to_string(Kind kind) {
  return kKindNames[static_cast<size_t>(kind)];
}

std::string_view to_string(Transport transport) {
  return transport == Transport::tcp ? "tcp" : "udp";
}

std::string format_choice(const StreamConfig& stream) {
  switch (stream.choice) {
    case Choice::uniform:
      return "uniform";
    case Choice::zipf:
      return fmt::format("zipf:{:g}", stream.zipf_exponent);
    case Choice::sequential:
      return "sequential";
    case Choice::fresh:
      return "fresh";
  }
  return "?";
}

std::string format_sizes(const StreamConfig& stream) {
  std::string text;
  for (const SizeWeight& size : stream.sizes) {
    if (!text.empty()) text += ',';
    text += stream.sizes.size() == 1 ? std::to_string(size.bytes) : fmt::format("{}:{}", size.bytes, size.weight);
  }
  return text;
}

std::string format_kinds(const StreamConfig& stream) {
  if (stream.life_cycle) return fmt::format("life-cycle:{}", *stream.life_cycle);
  std::string text;
  for (const KindWeight& kind : stream.kinds) {
    if (!text.empty()) text += ',';
    text += stream.kinds.size() == 1 ? std::string(to_string(kind.kind))
                                     : fmt::format("{}:{}", to_string(kind.kind), kind.weight);
  }
  return text;
}

}  // namespace warmswap::gen
