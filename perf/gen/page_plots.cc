#include "perf/gen/page_plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "perf/gen/text_result.h"

namespace warmswap::gen {
namespace {

using report::Plot;
using report::PlotKind;
using report::Scale;
using report::Series;

constexpr size_t kMostSeries = 8;  // lines that can be told apart

/// `whole`: the intervals that lie within the run. The last one, cut short, would look like a fall.
Series timeline_series(const std::string& name, const std::vector<uint32_t>& counts, std::chrono::nanoseconds interval,
                       size_t whole) {
  Series series{.name = name, .points = {}};
  const double seconds = std::chrono::duration<double>(interval).count();
  for (size_t i = 0; i < std::min(counts.size(), whole); ++i) {
    series.points.push_back({.x = static_cast<double>(i) * seconds, .y = counts[i] / seconds});
  }
  return series;
}

size_t whole_intervals(const RunResult& result) {
  const auto whole = static_cast<size_t>(result.duration / std::max(result.interval, std::chrono::nanoseconds(1)));
  return std::max<size_t>(whole, 1);
}

Series percentile_series(const std::string& name, const perf::HdrHistogram& histogram) {
  Series series{.name = name, .points = {}};
  for (const perf::HdrHistogram::PercentilePoint& point : histogram.percentile_curve()) {
    series.points.push_back({.x = point.percentile, .y = static_cast<double>(std::max<uint64_t>(point.value, 1))});
  }
  return series;
}

}  // namespace

Plot throughput_plot(const RunResult& result) {
  Plot plot{.kind = PlotKind::step,
            .title = "Throughput over time",
            .note = fmt::format("counted over {}; where nothing is lost or waits, the lines lie on each other",
                                format_ns(static_cast<double>(result.interval.count()))),
            .x = {.label = "since the start", .unit = "s"},
            .y = {.label = "packets a second", .unit = "pps", .from_zero = true}};
  std::vector<uint32_t> received(result.transmitted_timeline.size(), 0);
  for (const BackendResult& backend : result.backends) {
    for (size_t i = 0; i < backend.timeline.size() && i < received.size(); ++i) received[i] += backend.timeline[i];
  }
  plot.series.push_back(
      timeline_series("transmitted", result.transmitted_timeline, result.interval, whole_intervals(result)));
  plot.series.push_back(timeline_series("received", received, result.interval, whole_intervals(result)));
  return plot;
}

Plot backend_timeline_plot(const RunResult& result) {
  Plot plot{.kind = PlotKind::step,
            .title = "Packets by backend over time",
            .note = result.backends.size() > kMostSeries
                        ? fmt::format("the {} with most packets of {}", kMostSeries, result.backends.size())
                        : std::string(),
            .x = {.label = "since the start", .unit = "s"},
            .y = {.label = "packets a second", .unit = "pps", .from_zero = true}};
  std::vector<const BackendResult*> largest;
  for (const BackendResult& backend : result.backends) largest.push_back(&backend);
  std::ranges::stable_sort(largest, std::ranges::greater(),
                           [](const BackendResult* one) { return one->tally.packets; });
  largest.resize(std::min(largest.size(), kMostSeries));
  for (const BackendResult* backend : largest) {
    plot.series.push_back(timeline_series(backend->name, backend->timeline, result.interval, whole_intervals(result)));
  }
  return plot;
}

Plot latency_plot(const RunResult& result) {
  Plot plot{
      .kind = PlotKind::line,
      .title = "Latency by percentile",
      .note = "from the scheduled departure to the arrival; waiting in the generator counts, and is shown as well",
      .x = {.label = "percentile", .scale = Scale::percentile},
      .y = {.label = "latency", .unit = "ns", .scale = Scale::log10}};
  if (result.streams.size() > 1) {
    for (const StreamResult& stream : result.streams) {
      plot.series.push_back(percentile_series(stream.name, stream.tally.latency));
    }
  } else {
    plot.series.push_back(percentile_series("latency", result.total().latency));
  }
  if (result.lateness.count() > 0) {
    plot.series.push_back(percentile_series("behind schedule", result.lateness));
  }
  return plot;
}

Plot departures_plot(const RunResult& result) {
  constexpr double kPerDecade = 10;
  Plot plot{.kind = PlotKind::step,
            .title = "Time between departures",
            .note = "ten steps for each power of ten; packets of one burst leave together, and are drawn at 1 ns",
            .x = {.label = "since the departure before", .unit = "ns", .scale = Scale::log10},
            .y = {.label = "share of the departures", .unit = "%", .from_zero = true}};
  std::map<int, uint64_t> counts;
  result.inter_departure.for_each_bucket([&counts](const perf::HdrHistogram::Bucket& bucket) {
    const auto low = static_cast<double>(std::max<uint64_t>(bucket.low, 1));
    counts[static_cast<int>(std::floor(std::log10(low) * kPerDecade))] += bucket.count;
  });
  Series series{.name = "departures", .points = {}};
  const auto total = static_cast<double>(result.inter_departure.count());
  for (int step = counts.empty() ? 0 : counts.begin()->first; !counts.empty() && step <= counts.rbegin()->first + 1;
       ++step) {
    const auto found = counts.find(step);
    const double count = found == counts.end() ? 0 : static_cast<double>(found->second);
    series.points.push_back({.x = std::pow(10, step / kPerDecade), .y = 100 * count / total});
  }
  plot.series.push_back(std::move(series));
  return plot;
}

Plot shares_plot(const RunResult& result) {
  Plot plot{.kind = PlotKind::bar, .title = "Share of each backend", .x = {}, .y = {.label = "share", .unit = "%"}};
  Series shares{.name = "share", .points = {}};
  constexpr size_t kMostBars = 64;
  for (size_t i = 0; i < result.backends.size() && i < kMostBars; ++i) {
    plot.categories.push_back(result.backends[i].name);
    shares.points.push_back({.x = static_cast<double>(i), .y = result.backends[i].share * 100});
  }
  plot.series.push_back(std::move(shares));
  if (!result.backends.empty()) {
    plot.references.push_back({.value = 100.0 / static_cast<double>(result.backends.size()), .label = "equal shares"});
  }
  return plot;
}

Plot trial_loss_plot(const std::vector<perf::Trial>& trials) {
  Plot plot{.kind = PlotKind::scatter,
            .title = "Loss of every trial",
            .note = {},
            .x = {.label = "offered", .unit = "pps"},
            .y = {.label = "loss", .unit = "%", .from_zero = true}};
  Series valid{.name = "trial", .points = {}};
  Series invalid{.name = "spoiled by the generator", .points = {}};
  for (const perf::Trial& trial : trials) {
    (trial.valid() ? valid : invalid).points.push_back({.x = trial.rate_pps, .y = trial.loss_ratio() * 100});
  }
  plot.series.push_back(std::move(valid));
  if (!invalid.points.empty()) plot.series.push_back(std::move(invalid));
  return plot;
}

Plot trial_latency_plot(const std::vector<perf::Trial>& trials) {
  Plot plot{.kind = PlotKind::scatter,
            .title = "Latency of every trial",
            .note = "median and 99th percentile",
            .x = {.label = "offered", .unit = "pps"},
            .y = {.label = "latency", .unit = "ns", .scale = Scale::log10}};
  Series p50{.name = "p50", .points = {}};
  Series p99{.name = "p99", .points = {}};
  for (const perf::Trial& trial : trials) {
    if (!trial.latency) continue;
    p50.points.push_back({.x = trial.rate_pps, .y = static_cast<double>(trial.latency->p50.count())});
    p99.points.push_back({.x = trial.rate_pps, .y = static_cast<double>(trial.latency->p99.count())});
  }
  plot.series = {std::move(p50), std::move(p99)};
  return plot;
}

}  // namespace warmswap::gen
