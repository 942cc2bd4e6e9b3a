// How warmswapctl shows what a change does, or would do.
#pragma once

#include <boost/json/object.hpp>

#include "controlplane/cli/session.h"

namespace warmswap::cli {

/// The pools of an answer's plan: seats that change hands, and shares and loads before and after.
void print_plan(const Session& session, const boost::json::object& answer);

}  // namespace warmswap::cli
