#include "controlplane/config/text.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace warmswap::config {
namespace {

struct Unit {
  std::string_view text;
  int64_t nanoseconds;
};
// Largest first: the order in which format_duration tries them.
constexpr std::array kUnits{Unit{"h", 3'600'000'000'000}, Unit{"m", 60'000'000'000}, Unit{"s", 1'000'000'000},
                            Unit{"ms", 1'000'000},        Unit{"us", 1'000},         Unit{"ns", 1}};

std::optional<int64_t> parse_digits(std::string_view text) {
  int64_t value = 0;
  if (text.empty() || text.front() == '-') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Optimal string alignment distance: insert, delete, replace, swap neighbours.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::optional<Be32> parse_address(std::string_view text) {
  in_addr address{};
  if (text.find('\0') != text.npos || inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return Be32::from_raw(address.s_addr);
}

std::string format_address(Be32 address) {
  const uint32_t host = address.host();
  return fmt::format("{}.{}.{}.{}", host >> 24, host >> 16 & 0xff, host >> 8 & 0xff, host & 0xff);
}

std::optional<Prefix> parse_prefix(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const auto address = parse_address(text.substr(0, slash));
  const auto length = parse_digits(text.substr(slash + 1));
  if (!address || !length || *length > 32) return std::nullopt;
  return Prefix{*address, static_cast<uint8_t>(*length)};
}

std::string format_prefix(const Prefix& prefix) {
  return fmt::format("{}/{}", format_address(prefix.address), prefix.length);
}

std::optional<Nanoseconds> parse_duration(std::string_view text) {
  const size_t number_end = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view number = text.substr(0, number_end);
  const std::string_view unit_text = text.substr(number_end);
  const auto unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) { return u.text == unit_text; });
  if (unit == kUnits.end()) return std::nullopt;

  const size_t dot = number.find('.');
  const auto whole = parse_digits(number.substr(0, dot));
  if (!whole || *whole > std::numeric_limits<int64_t>::max() / unit->nanoseconds - 1) return std::nullopt;
  int64_t total = *whole * unit->nanoseconds;
  if (dot == number.npos) return Nanoseconds(total);

  const std::string_view fraction = number.substr(dot + 1);
  if (fraction.empty() || fraction.size() > 12) return std::nullopt;
  int64_t scale = unit->nanoseconds;
  for (const char digit : fraction) {
    if (digit < '0' || digit > '9' || (digit != '0' && scale % 10 != 0)) return std::nullopt;
    scale /= 10;
    total += (digit - '0') * scale;
  }
  return Nanoseconds(total);
}

std::string format_duration(Nanoseconds duration) {
  if (duration.count() == 0) return "0s";
  const auto unit =
      std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) { return duration.count() % u.nanoseconds == 0; });
  return fmt::format("{}{}", duration.count() / unit->nanoseconds, unit->text);
}

std::optional<contract::HashKey> parse_hash_key(std::string_view text) {
  if (text.size() != 32) return std::nullopt;
  contract::HashKey key;
  for (size_t i = 0; i < 32; ++i) {
    const int digit = hex_value(text[i]);
    if (digit < 0) return std::nullopt;
    uint64_t& word = i < 16 ? key.k0 : key.k1;
    const size_t byte = i % 16 / 2;
    word |= static_cast<uint64_t>(digit) << (8 * byte + (i % 2 == 0 ? 4 : 0));
  }
  return key;
}

std::optional<std::string> parse_payload(std::string_view text) {
  constexpr std::string_view kHex = "hex:";
  if (!text.starts_with(kHex)) return std::string(text);
  text.remove_prefix(kHex.size());
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]), low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  if (text.empty()) return Endpoint{};
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  const auto address = parse_address(text.substr(0, colon));
  const auto port = parse_digits(text.substr(colon + 1));
  if (!address || !port || *port < 1 || *port > 65535) return std::nullopt;
  return Endpoint{format_address(*address), static_cast<uint16_t>(*port)};
}

std::string hide_keys(std::string_view text) {
  constexpr size_t kSuspicious = 24;  // of a key's 32; the longest integer has 20
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && hex_value(text[end]) >= 0) ++end;
    if (end - i >= kSuspicious) {
      out += "<hidden>";
    } else {
      end = std::max(end, i + 1);
      out += text.substr(i, end - i);
    }
    i = end;
  }
  return out;
}

std::string quote(std::string_view text) {
  constexpr size_t kShown = 80;
  const std::string shown = hide_keys(text);
  size_t length = std::min(shown.size(), kShown);
  while (length < shown.size() && (static_cast<unsigned char>(shown[length]) & 0xc0) == 0x80) --length;  // whole UTF-8
  std::string out = "\"";
  for (const char c : std::string_view(shown).substr(0, length)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  if (shown.size() > length) out += "…";
  return out + '"';
}

std::string join(const std::vector<std::string>& texts, std::string_view separator) {
  std::string out;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += separator;
    out += texts[i];
  }
  return out;
}

std::string list_choices(std::span<const std::string_view> choices) {
  std::string out;
  for (size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) out += i + 1 == choices.size() ? " or " : ", ";
    out += fmt::format("\"{}\"", choices[i]);
  }
  return out;
}

std::optional<std::string> closest(std::string_view text, const std::vector<std::string>& candidates) {
  constexpr size_t kLongest = 64;  // bounds the work for hostile input
  if (text.size() > kLongest) return std::nullopt;
  const size_t limit = text.size() <= 4 ? 1 : 2;
  size_t best = limit + 1;
  std::optional<std::string> result;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > text.size() + limit || text.size() > candidate.size() + limit) continue;
    const size_t distance = edit_distance(text, candidate);
    if (distance < best) {
      best = distance;
      result = candidate;
    }
  }
  return result;
}

std::string did_you_mean(std::string_view text, const std::vector<std::string>& candidates) {
  const auto close = closest(text, candidates);
  return close ? fmt::format("; did you mean {}?", quote(*close)) : std::string();
}

}  // namespace warmswap::config
