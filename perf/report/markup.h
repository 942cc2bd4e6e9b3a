// Text into HTML and SVG. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace warmswap::report {

/// Text safe between tags and in quoted attributes, of HTML and of XML: markup characters are escaped, what is not
/// UTF-8 becomes U+FFFD, and control characters, which XML 1.0 does not have, become spaces.
std::string escape(std::string_view text);

/// Characters, not bytes; `text` is UTF-8.
size_t length(std::string_view text) noexcept;

/// At most `max` characters, the last of them "…" when some were left out.
std::string shortened(std::string_view text, size_t max);

}  // namespace warmswap::report
