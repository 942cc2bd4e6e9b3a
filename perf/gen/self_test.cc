#include "perf/gen/self_test.h"

#include <limits>

#include "perf/gen/engine.h"
#include "perf/gen/packet_source.h"

namespace warmswap::gen {

using contract::Error;
using contract::Result;

Result<SelfTestResult> self_test(const Options& options, const std::atomic<bool>& interrupted, ProgressLine& progress) {
  constexpr size_t kNull = 0;
  constexpr size_t kRing = 1;
  auto source = StreamSource::make(options.traffic);
  if (!source) return Error{source.error()};
  EngineOptions engine_options = options.engine;
  engine_options.devices = {{"net_null0", false}, {"net_ring0", false}};
  engine_options.largest_frame = (*source)->largest_frame();
  auto engine = Engine::start(engine_options, interrupted);
  if (!engine) return Error{engine.error()};

  const auto measure = [&](const char* title, size_t device, bool receiving, double rate) -> Result<RunResult> {
    RunOptions run = options.run;
    run.transmit = device;
    run.receive = device;
    run.receiving = receiving;
    run.rate = rate;
    // Each part counts its own sequence numbers from 0.
    auto fresh = StreamSource::make(options.traffic);
    if (!fresh) return Error{fresh.error()};
    progress.title(title);
    auto result =
        (*engine)->run(**fresh, options.traffic, run, interrupted, [&](const Progress& now) { progress.update(now); });
    if (interrupted.load()) return Error{"interrupted: nothing was found out"};
    return result;
  };
  constexpr double kUnlimited = std::numeric_limits<double>::infinity();
  auto transmit_only = measure("transmit only", kNull, false, kUnlimited);
  if (!transmit_only) return Error{transmit_only.error()};
  auto loop = measure("loop", kRing, true, kUnlimited);
  if (!loop) return Error{loop.error()};
  auto half = measure("loop at half the rate", kRing, true, std::max(loop->transmitted_rate() / 2, 1.0));
  if (!half) return Error{half.error()};
  return SelfTestResult{std::move(*transmit_only), std::move(*loop), std::move(*half)};
}

}  // namespace warmswap::gen
