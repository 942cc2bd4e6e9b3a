#include "controlplane/api/target.h"

#include <fmt/format.h>

#include <algorithm>

#include "controlplane/api/text.h"

namespace warmswap::api {

namespace {

constexpr size_t kMaxParameters = 32;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decode(std::string_view raw, bool plus_is_space) {
  std::string text;
  text.reserve(raw.size());
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '+' && plus_is_space) {
      text += ' ';
    } else if (raw[i] != '%') {
      text += raw[i];
    } else {
      const int high = raw.size() - i > 2 ? hex_digit(raw[i + 1]) : -1;
      const int low = raw.size() - i > 2 ? hex_digit(raw[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      text += static_cast<char>(high << 4 | low);
      i += 2;
    }
  }
  return text;
}

contract::Error bad_encoding(std::string_view part) {
  return {fmt::format("\"{}\" in the request target has a '%' that two hexadecimal digits do not follow",
                      shorten(part, 48))};
}

}  // namespace

std::optional<std::string_view> Target::find(std::string_view name) const noexcept {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

contract::Result<Target> parse_target(std::string_view raw) {
  if (const size_t scheme = raw.find("://"); scheme != std::string_view::npos && raw.find('/') > scheme) {
    raw.remove_prefix(scheme + 3);
    raw.remove_prefix(std::min(raw.find_first_of("/?"), raw.size()));
  }
  raw = raw.substr(0, raw.find('#'));
  const size_t mark = raw.find('?');
  const std::string_view path = raw.substr(0, mark);
  Target target;
  auto decoded = decode(path, false);
  if (!decoded) return bad_encoding(path);
  target.path = decoded->empty() ? "/" : *std::move(decoded);
  if (mark == std::string_view::npos) return target;

  std::string_view rest = raw.substr(mark + 1);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    auto name = decode(pair.substr(0, equals), true);
    auto value = decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return bad_encoding(pair);
    if (target.find(*name)) {
      return contract::Error{fmt::format("the parameter \"{}\" is given twice", shorten(*name, 48))};
    }
    if (target.query.size() == kMaxParameters) {
      return contract::Error{fmt::format("more than {} parameters in the request target", kMaxParameters)};
    }
    target.query.emplace_back(*std::move(name), *std::move(value));
  }
  return target;
}

}  // namespace warmswap::api
