// IPv4 addresses and prefixes as text, for the agent's command line and messages. Pure.
#pragma once

#include <string>
#include <string_view>

#include "dataplane/backend/decap_program.h"
#include "dataplane/backend/reporter.h"

namespace warmswap::backend {

std::string to_string(Be32 address);

/// "192.0.2.1", dotted and nothing else.
Result<Be32> parse_address(std::string_view text);

/// "192.0.2.1:9101".
Result<ReportTarget> parse_report_target(std::string_view text);

/// "198.18.0.0/16" or a single address. Bits beyond the length must be zero.
Result<SourcePrefix> parse_prefix(std::string_view text);

}  // namespace warmswap::backend
