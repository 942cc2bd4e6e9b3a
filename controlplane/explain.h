// Where a flow goes, asked of the published snapshot with the functions the workers use. Pure.
#pragma once

#include <cstddef>

#include "controlplane/api/model.h"
#include "dataplane/contract/layout.h"

namespace warmswap::controlplane {

/// `root` nullptr: nothing is published. The snapshot must have been verified. Says what happens to a whole,
/// well-formed packet of usual size; the egress port is taken to exist.
api::Explanation explain_flow(const std::byte* base, const contract::SnapshotRoot* root, const contract::FlowKey& flow);

}  // namespace warmswap::controlplane
