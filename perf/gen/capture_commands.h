// The commands that only touch files: write-pcap and check. No DPDK; their clock counts nanoseconds from 0.
#pragma once

#include "dataplane/contract/result.h"
#include "perf/gen/options.h"
#include "perf/gen/result.h"

namespace warmswap::gen {

/// Writes the first `options.count` frames of the traffic, stamped and timed as they would leave at options.run.rate.
contract::Result<void> write_pcap(const Options& options);

/// Judges the capture options.file against the same frames. What a frame's time says less its departure counts as
/// latency, so that it means something only where both were taken by one clock.
contract::Result<RunResult> check_pcap(const Options& options);

}  // namespace warmswap::gen
