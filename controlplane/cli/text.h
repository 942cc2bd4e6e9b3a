// Text for people: colours, widths, amounts. Pure but for `now`; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace warmswap::cli {

enum class Tone { plain, strong, good, warning, bad, faint };

/// Text in a colour, or as it is where colours are not wanted.
std::string paint(std::string_view text, Tone tone, bool colour);

/// The tone a backend's state is shown in.
Tone state_tone(std::string_view state);

/// Terminal columns of UTF-8 text: 2 for East Asian wide characters and emoji, 0 for combining marks, else 1.
/// Source: the ranges of Unicode's EastAsianWidth W and F, coarsely.
size_t display_width(std::string_view text);

/// Control characters as U+FFFD: what the control plane quotes from strangers must not steer the terminal.
std::string printable(std::string_view text);

std::string human_bytes(uint64_t bytes);                     // 1.5 GB
std::string human_duration(std::chrono::milliseconds time);  // 3 h 12 min
std::string human_microseconds(int64_t microseconds);        // 60.2 ms
std::string percent(double fraction);                        // 33.3 %

/// How long ago an RFC 3339 time in UTC was; "-" when it is no such time.
std::string human_age(std::string_view time, std::chrono::system_clock::time_point now);

/// For a value in a URL's query (RFC 3986 section 2.3: all but the unreserved characters).
std::string percent_encode(std::string_view text);

}  // namespace warmswap::cli
