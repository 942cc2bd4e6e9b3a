#include "perf/gen/search.h"

#include <fmt/format.h>

#include <algorithm>

#include "perf/gen/engine.h"
#include "perf/gen/packet_source.h"

namespace warmswap::gen {
namespace {

using contract::Error;
using contract::Result;
using std::chrono::milliseconds;

milliseconds in_milliseconds(std::chrono::nanoseconds duration) {
  return std::max(std::chrono::duration_cast<milliseconds>(duration), milliseconds(1));
}

perf::Limits limits(const SearchOptions& options, const std::atomic<bool>& interrupted) {
  perf::Limits limits;
  limits.stop = [&interrupted] { return interrupted.load(); };
  limits.min_pps = options.lowest;
  limits.max_pps = options.highest;
  limits.max_time = std::max(std::chrono::duration_cast<std::chrono::seconds>(options.most), std::chrono::seconds(1));
  return limits;
}

perf::SearchGoal goal(const SearchOptions& options, perf::SearchGoal from, double loss_ratio) {
  from.loss_ratio = loss_ratio;
  from.final_trial_duration = in_milliseconds(options.trial);
  from.duration_sum = in_milliseconds(std::max(options.decide, options.trial));
  from.initial_trial_duration = in_milliseconds(std::min(options.first_trial, options.trial));
  from.width = options.resolution;
  return from;
}

perf::Trial to_trial(const RunResult& run) {
  const perf::HdrHistogram latency = run.total().latency;
  const auto at = [&latency](double percentile) {
    return std::chrono::nanoseconds(static_cast<int64_t>(latency.value_at_percentile(percentile)));
  };
  perf::Trial trial;
  trial.duration = run.duration;
  // What the device refused is lost as much as what it took and did not deliver.
  trial.sent = run.transmitted + run.refused;
  trial.received = run.received();
  const Verdict verdict = judge(run, {});
  trial.rate_reached = verdict.measured && !verdict.generator_limited;
  trial.latency = perf::Latency{at(50), at(99), at(99.9), at(100)};
  return trial;
}

/// Does the trials and remembers what a Trial has no place for.
class Trials {
 public:
  Trials(Engine& engine, const Options& options, const TrafficConfig& traffic, const std::atomic<bool>& interrupted,
         ProgressLine& progress, SearchResult& result)
      : engine_(engine),
        options_(options),
        traffic_(traffic),
        interrupted_(interrupted),
        progress_(progress),
        result_(result) {}

  Result<perf::Trial> operator()(double rate, std::chrono::nanoseconds duration) {
    // Each trial counts its own sequence numbers from 0.
    auto source = StreamSource::make(traffic_);
    if (!source) return Error{source.error()};
    RunOptions run = options_.run;
    run.rate = rate;
    run.duration = duration;
    progress_.title(fmt::format("trial {} at {}", ++count_, perf::format_rate(rate)));
    auto done =
        engine_.run(**source, traffic_, run, interrupted_, [this](const Progress& now) { progress_.update(now); });
    if (!done) return Error{done.error()};
    note(*done);
    return to_trial(*done);
  }

 private:
  void note(const RunResult& run) {
    if (count_ == 1) result_.conditions = run.conditions;
    constexpr double kAnyLoss = 1;
    const Verdict verdict = judge(run, {.loss = kAnyLoss, .misrouted_flows = 0});
    result_.noisy_trials += verdict.noisy ? 1 : 0;
    for (const std::string& reason : verdict.reasons) {
      result_.faults.push_back(fmt::format("trial {} at {}: {}", count_, perf::format_rate(run.offered_rate), reason));
    }
  }

  Engine& engine_;
  const Options& options_;
  const TrafficConfig& traffic_;
  const std::atomic<bool>& interrupted_;
  ProgressLine& progress_;
  SearchResult& result_;
  unsigned count_ = 0;
};

Result<void> find(const SearchOptions& options, const perf::Measure& measure, const std::atomic<bool>& interrupted,
                  SearchResult& result) {
  if (options.method == SearchMethod::rfc2544) {
    auto found = perf::search_throughput(measure, {.limits = limits(options, interrupted),
                                                   .resolution = options.resolution,
                                                   .trial_duration = in_milliseconds(options.trial),
                                                   .confirm_duration = in_milliseconds(options.trial)});
    if (!found) return Error{found.error()};
    result.rfc2544 = std::move(*found);
    return {};
  }
  auto found = perf::mlrsearch(
      measure, limits(options, interrupted),
      {goal(options, perf::non_drop_rate(), 0), goal(options, perf::partial_drop_rate(), options.partial_loss)});
  if (!found) return Error{found.error()};
  result.mlr = std::move(*found);
  return {};
}

}  // namespace

Result<SearchResult> search(const Options& options, const std::atomic<bool>& interrupted, ProgressLine& progress) {
  TrafficConfig traffic = options.traffic;
  auto source = StreamSource::make(traffic);
  if (!source) return Error{source.error()};
  EngineOptions engine_options = options.engine;
  engine_options.largest_frame = (*source)->largest_frame();
  auto engine = Engine::start(engine_options, interrupted);
  if (!engine) return Error{engine.error()};
  if (!traffic.source_mac) traffic.source_mac = (*engine)->mac(options.run.transmit);

  SearchResult result;
  result.options = options.search;
  result.traffic = traffic.streams;
  Trials trials(**engine, options, traffic, interrupted, progress, result);
  if (auto found = find(options.search, std::ref(trials), interrupted, result); !found) return Error{found.error()};
  result.interrupted = interrupted.load();
  return result;
}

}  // namespace warmswap::gen
