// What the packet path costs: TSC cycles a packet from the received frame to the encapsulated one, over real tables,
// with all counters, beside a loop that only forwards (path_timing.h). Google Benchmark's own times are those of the
// path's windows; the figures to look at are the counters.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "perf/micro/path_timing.h"
#include "perf/micro/tsc.h"
#include "perf/stats/summary.h"

namespace warmswap::perf {
namespace {

using balance::VectorLevel;

constexpr uint64_t kManyFlows = 1'000'000;

void add_figures(benchmark::State& state, const std::vector<double>& above, const std::vector<double>& path,
                 const std::vector<double>& baseline) {
  const Summary summary = summarise(above);
  const std::vector<double> ordered = sorted(path);
  state.counters["cycles_per_packet"] = percentile(ordered, 50);
  state.counters["p10"] = percentile(ordered, 10);
  state.counters["p90"] = percentile(ordered, 90);
  state.counters["baseline"] = summarise(baseline).median;
  state.counters["above_baseline"] = summary.median;
  state.counters["above_baseline_mad"] = summary.mad;
}

void steady(benchmark::State& state, const BalancerShape& shape, uint64_t flows, VectorLevel level) {
  PathTiming timing(shape, flows, level);
  for ([[maybe_unused]] auto _ : state) state.SetIterationTime(timing.pair() / tsc_hz());
  if (!timing.forwarded_all()) return state.SkipWithError("not every packet was forwarded");
  add_figures(state, timing.above(), timing.path(), timing.baseline());
  state.SetItemsProcessed(state.iterations() * int64_t{kWindowPackets});
}

void stages(benchmark::State& state, VectorLevel level) {
  PathTiming timing({}, kManyFlows, level);
  for ([[maybe_unused]] auto _ : state) timing.stages();
  if (!timing.forwarded_all()) return state.SkipWithError("not every packet was forwarded");
  for (size_t stage = 0; stage < kStages.size(); ++stage) {
    state.counters[kStages[stage]] = summarise(timing.stage(stage)).median;
  }
}

void tail(benchmark::State& state, VectorLevel level) {
  PathTiming timing({}, kManyFlows, level);
  for ([[maybe_unused]] auto _ : state) timing.bursts();
  if (!timing.forwarded_all()) return state.SkipWithError("not every packet was forwarded");
  const PathTiming::Tail found = timing.tail();
  state.counters["burst_cycles"] = found.median;
  state.counters["p9999_cycles"] = found.p9999;
  state.counters["p9999_to_median"] = found.p9999 / found.median;
  state.counters["interrupted"] = found.interrupted;
}

void add_steady(const std::string& name, const BalancerShape& shape, uint64_t flows, VectorLevel level) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { steady(state, shape, flows, level); })
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

void register_all() {
  const VectorLevel best = balance::best_vector_level();
  for (const uint64_t flows : {uint64_t{1}, uint64_t{1'000}, uint64_t{10'000}, kManyFlows, uint64_t{10'000'000}}) {
    add_steady("flows/" + std::to_string(flows), {}, flows, best);
  }
  for (const uint32_t backends : {10u, 100u, 1000u}) {
    add_steady("backends/" + std::to_string(backends), {.backends = backends}, kManyFlows, best);
  }
  for (const uint32_t vips : {1u, 100u, 10'000u}) {
    add_steady("vips/" + std::to_string(vips), {.vips = vips}, kManyFlows, best);
  }
  for (const uint32_t one_in : {0u, 256u, 64u, 1u}) {
    add_steady("sampling/" + std::to_string(one_in), {.handshake_sampling = one_in}, kManyFlows, best);
  }
  for (const VectorLevel level : balance::kVectorLevels) {
    if (level > best) continue;
    const std::string name = balance::name_of(level);
    add_steady("level/" + name, {}, kManyFlows, level);
    benchmark::RegisterBenchmark(("stages/" + name).c_str(), [=](benchmark::State& state) { stages(state, level); });
  }
  // Enough bursts that p99.99 has some hundred behind it.
  benchmark::RegisterBenchmark("tail/burst", [=](benchmark::State& state) { tail(state, best); })->Iterations(16'384);
}

}  // namespace
}  // namespace warmswap::perf

int main(int argc, char** argv) {
  warmswap::perf::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
