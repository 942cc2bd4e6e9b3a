// A configuration in a screenful for people: what `warmswap-controlplane --check` prints.
#pragma once

#include <string>

#include "controlplane/config/config.h"

namespace warmswap::config {

/// Ends with a newline. Never contains the hash key.
std::string describe(const Config& config);

}  // namespace warmswap::config
