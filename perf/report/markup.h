// Text into HTML and SVG. Pure; any thread.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace warmswap::report {

/// Appends to `out`. Arguments that are text have been through escape().
template <typename... Arguments>
void add(std::string& out, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Arguments>(arguments)...);
}

/// Text safe between tags and in quoted attributes, of HTML and of XML: markup characters are escaped, what is not
/// UTF-8 becomes U+FFFD, and control characters, which XML 1.0 does not have, become spaces.
std::string escape(std::string_view text);

/// Characters, not bytes; `text` is UTF-8.
size_t length(std::string_view text) noexcept;

/// At most `max` characters, the last of them "…" when some were left out.
std::string shortened(std::string_view text, size_t max);

}  // namespace warmswap::report
