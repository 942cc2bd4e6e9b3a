// The keys that describe a stream, once for the command line (--flows 1M) and the profile (flows = "1M"): their names,
// help texts, and how their values are read. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "perf/gen/traffic.h"

namespace warmswap::gen {

struct StreamField {
  std::string_view key;          // as a profile writes it; an option has - for _
  std::string_view placeholder;  // for the help text: "RANGE"
  std::string_view help;
  std::string_view expected;  // completes "expected …"
  /// False when the text is not what is expected; the stream may then be half changed.
  bool (*read)(std::string_view text, StreamConfig& stream);
};

std::span<const StreamField> stream_fields();

/// What no single field can tell: sizes that do not fit the packets, kinds that UDP has not, and so on. A sentence, or
/// nothing.
std::optional<std::string> contradiction(const StreamConfig& stream);

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
