// What a self-test found out. Plain values.
#pragma once

#include "perf/gen/result.h"

namespace warmswap::gen {

struct SelfTestResult {
  RunResult transmit_only;  // into net_null, as fast as it goes
  RunResult loop;           // through net_ring back into the receiver, as fast as it goes without loss
  RunResult half;  // the loop at half of that rate, paced: the latency and the pacing that are the generator's own
};

}  // namespace warmswap::gen
