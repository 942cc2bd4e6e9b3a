// Values to text and back, as the interface writes them; durations are written as in the file (config/text.h). Pure;
// any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/contract/byte_order.h"
#include "dataplane/contract/wire.h"

namespace warmswap::api {

/// Dotted quad.
std::string format_address(contract::Be32 address);
/// Dotted quad with four decimal parts and nothing else.
std::optional<contract::Be32> parse_address(std::string_view text);

std::string format_mac(const contract::MacAddress& mac);

/// "tcp", "udp", else the number.
std::string format_protocol(uint8_t protocol);
/// "tcp" or "udp".
std::optional<uint8_t> parse_protocol(std::string_view text);

/// RFC 3339 in UTC with microseconds: 2026-03-01T12:00:00.000001Z.
std::string format_time(std::chrono::system_clock::time_point time);

/// Digits only, no sign, no space, within [0, max].
std::optional<uint64_t> parse_number(std::string_view text, uint64_t max);

/// The text with each byte that is not part of valid UTF-8 (RFC 3629) replaced by U+FFFD. Probes quote what strangers
/// sent, and JSON must be UTF-8 (RFC 8259 section 8.1).
std::string valid_utf8(std::string_view text);

/// At most `max_bytes` of the text, cut between characters and ended by "…" when something was left out.
std::string shorten(std::string_view text, size_t max_bytes);

}  // namespace warmswap::api
