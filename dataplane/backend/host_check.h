// Looks for settings of the backend host under which direct server return silently fails.
#pragma once

#include <string>
#include <vector>

#include "dataplane/contract/byte_order.h"

namespace warmswap::backend {

/// One sentence per fault, each ending with the command that mends it. Empty when all is well. What cannot be read
/// (no /proc, no permission) is not reported.
std::vector<std::string> host_warnings(const std::string& interface, int ifindex,
                                       const std::vector<contract::Be32>& vips);

}  // namespace warmswap::backend
