// The model in the Prometheus text exposition format 0.0.4. Pure; any thread.
// Units are base units (seconds, bytes); counters end in _total and only grow while what they count exists.
#pragma once

#include <string>
#include <vector>

#include "controlplane/api/model.h"

namespace warmswap::api {

struct MetricsInput {
  Status status;
  std::vector<VipView> vips;
  std::vector<PoolView> pools;
  std::vector<BackendView> backends;
  std::vector<DropView> drops;
};

std::string render_metrics(const MetricsInput& input);

}  // namespace warmswap::api
