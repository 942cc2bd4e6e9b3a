// What the program on an interface did, read from its maps.
#pragma once

#include <string>

#include "dataplane/contract/result.h"

namespace warmswap::backend {

/// A table for people, or one JSON object. Works without a running agent. Needs CAP_SYS_ADMIN: to nobody else does the
/// kernel give descriptors of programs and maps that another process loaded.
contract::Result<std::string> describe_statistics(const std::string& interface, bool json);

}  // namespace warmswap::backend
