// What is wrong, read off the status: one sentence each for `warnings` of /v1/status and `warmswapctl status`.
// Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "controlplane/api/model.h"

namespace warmswap::api {

std::vector<std::string> derive_warnings(const Status& status, const std::vector<PoolView>& pools);

}  // namespace warmswap::api
