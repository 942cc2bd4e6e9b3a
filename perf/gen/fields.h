// The keys that describe a stream, once for the command line (--flows 1M) and the profile (flows = "1M"): their names,
// help texts, and how their values are read. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "perf/gen/text.h"
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

}  // namespace warmswap::gen
