// Amounts and descriptions of streams as text. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "perf/gen/traffic.h"

namespace warmswap::gen {

/// "64", "1.5k", "2M", "1G": a decimal number with an optional factor of thousands.
std::optional<double> parse_amount(std::string_view text);
/// "1Mpps", "250kpps", "1000000", "max" (infinite): packets a second.
std::optional<double> parse_rate(std::string_view text);

std::string_view to_string(Kind kind);
std::string_view to_string(Transport transport);
std::string format_choice(const StreamConfig& stream);
std::string format_sizes(const StreamConfig& stream);
std::string format_kinds(const StreamConfig& stream);

}  // namespace warmswap::gen
