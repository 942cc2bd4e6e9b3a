// The plots of result pages. Pure; any thread.
#pragma once

#include <vector>

#include "perf/gen/result.h"
#include "perf/report/document.h"
#include "perf/search/trial.h"

namespace warmswap::gen {

report::Plot throughput_plot(const RunResult& result);
report::Plot backend_timeline_plot(const RunResult& result);
report::Plot latency_plot(const RunResult& result);
report::Plot departures_plot(const RunResult& result);
report::Plot shares_plot(const RunResult& result);
report::Plot trial_loss_plot(const std::vector<perf::Trial>& trials);
report::Plot trial_latency_plot(const std::vector<perf::Trial>& trials);

}  // namespace warmswap::gen
