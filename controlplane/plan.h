// From two moments of the model to the plan of what lies between them, and whether it keeps the pools' limits. Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "controlplane/api/plan.h"
#include "controlplane/model.h"
#include "dataplane/contract/result.h"

namespace warmswap::controlplane {

/// Of the named pools; one that is not there before or after counts as empty then. Rings must be up to date.
std::vector<api::PoolPlan> plan_between(const Model& before, const Model& after, const std::set<std::string>& pools);

/// Fails with a sentence for the first limit of `config` that a plan breaks: limits.max_slots_moved, limits.max_load,
/// or slots dropped for want of capacity.
contract::Result<void> check_limits(const config::Config& config, const std::vector<api::PoolPlan>& plans);

}  // namespace warmswap::controlplane
