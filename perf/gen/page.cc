#include "perf/gen/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "perf/gen/fields.h"
#include "perf/gen/text_result.h"

namespace warmswap::gen {
namespace {

using report::Align;
using report::Document;
using report::Fact;
using report::Plot;
using report::PlotKind;
using report::Scale;
using report::Section;
using report::Series;
using report::Table;

constexpr size_t kMostSeries = 8;  // lines that can be told apart

report::Verdict pill(bool ok) {
  return ok ? report::Verdict::ok : report::Verdict::fail;
}

std::string describe_stream(const StreamConfig& stream) {
  std::string vips = format_ip(stream.vips.front());
  if (stream.vips.size() > 1) vips += fmt::format(" and {} more", stream.vips.size() - 1);
  const std::string flows = stream.choice == Choice::fresh
                                ? "every packet another flow"
                                : format_count(stream.flows) + " flows, " + format_choice(stream);
  return fmt::format("{}: {} to {} port {}, {}, frames {}, {}", stream.name, to_string(stream.transport), vips,
                     format_port_range(stream.ports), flows, format_sizes(stream), format_kinds(stream));
}

std::string describe(const std::vector<StreamConfig>& streams) {
  std::string text;
  for (const StreamConfig& stream : streams) text += (text.empty() ? "" : "; ") + describe_stream(stream);
  return text;
}

std::string footer(const Conditions& conditions) {
  std::string cores;
  for (const uint32_t core : conditions.cores) cores += fmt::format("{}{}", cores.empty() ? "" : ", ", core);
  return fmt::format("warmswap-gen {}, from {} to {}, CPUs {}, {}, bursts of up to {}, seed {}", WARMSWAP_VERSION,
                     conditions.transmit_device,
                     conditions.receive_device.empty() ? "nowhere" : conditions.receive_device, cores,
                     conditions.hugepages ? "hugepages" : "ordinary pages", conditions.burst, conditions.seed);
}

Series timeline_series(const std::string& name, const std::vector<uint32_t>& counts,
                       std::chrono::nanoseconds interval) {
  Series series{.name = name, .points = {}};
  const double seconds = std::chrono::duration<double>(interval).count();
  for (size_t i = 0; i < counts.size(); ++i) {
    series.points.push_back({.x = static_cast<double>(i) * seconds, .y = counts[i] / seconds});
  }
  return series;
}

Plot throughput_plot(const RunResult& result) {
  Plot plot{.kind = PlotKind::step,
            .title = "Throughput over time",
            .note = fmt::format("counted over {}", format_ns(static_cast<double>(result.interval.count()))),
            .x = {.label = "since the start", .unit = "s"},
            .y = {.label = "packets a second", .unit = "pps", .from_zero = true}};
  std::vector<uint32_t> received(result.transmitted_timeline.size(), 0);
  for (const BackendResult& backend : result.backends) {
    for (size_t i = 0; i < backend.timeline.size() && i < received.size(); ++i) received[i] += backend.timeline[i];
  }
  plot.series.push_back(timeline_series("transmitted", result.transmitted_timeline, result.interval));
  plot.series.push_back(timeline_series("received", received, result.interval));
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
    plot.series.push_back(timeline_series(backend->name, backend->timeline, result.interval));
  }
  return plot;
}

Series percentile_series(const std::string& name, const perf::HdrHistogram& histogram) {
  Series series{.name = name, .points = {}};
  for (const perf::HdrHistogram::PercentilePoint& point : histogram.percentile_curve()) {
    series.points.push_back({.x = point.percentile, .y = static_cast<double>(std::max<uint64_t>(point.value, 1))});
  }
  return series;
}

Plot latency_plot(const RunResult& result) {
  Plot plot{.kind = PlotKind::line,
            .title = "Latency by percentile",
            .note = "from the scheduled departure to the arrival; waiting in the generator counts",
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
    plot.series.push_back(percentile_series("of that, behind schedule in the generator", result.lateness));
  }
  return plot;
}

Plot departures_plot(const RunResult& result) {
  Plot plot{.kind = PlotKind::line,
            .title = "Time between departures",
            .note = "packets of one burst leave together: 0 ns is drawn as 1 ns",
            .x = {.label = "percentile", .scale = Scale::percentile},
            .y = {.label = "time", .unit = "ns", .scale = Scale::log10}};
  plot.series.push_back(percentile_series("between departures", result.inter_departure));
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

Table streams_table(const RunResult& result) {
  Table table{.caption = "Packets by stream",
              .columns = {"stream", "transmitted", "received", "lost", "duplicated", "reordered", "misrouted flows",
                          "p50", "p99", "p99.9", "max"},
              .alignments = {Align::left, Align::right, Align::right, Align::right, Align::right, Align::right,
                             Align::right, Align::right, Align::right, Align::right, Align::right},
              .rows = {}};
  for (const StreamResult& stream : result.streams) {
    const StreamTally& tally = stream.tally;
    const auto latency = [&tally](double percentile) {
      return format_ns(static_cast<double>(tally.latency.value_at_percentile(percentile)));
    };
    table.rows.push_back({stream.name, format_count(stream.transmitted), format_count(tally.received),
                          format_count(stream.lost()), format_count(tally.duplicated), format_count(tally.reordered),
                          format_count(tally.misrouted_flows), latency(50), latency(99), latency(99.9), latency(100)});
  }
  return table;
}

std::vector<Fact> run_facts(const RunResult& result) {
  const StreamTally total = result.total();
  const auto latency = [&total](double percentile) {
    return format_ns(static_cast<double>(total.latency.value_at_percentile(percentile)));
  };
  return {{"Received", perf::format_rate(result.received_rate()),
           "of " + perf::format_rate(result.offered_rate) + " offered"},
          {"Loss", fmt::format("{:.4g} %", result.loss_ratio() * 100), format_count(result.lost()) + " packets",
           pill(result.lost() == 0)},
          {"Latency", latency(50), fmt::format("p99 {}, p99.9 {}", latency(99), latency(99.9))},
          {"Misrouted", result.flow_table ? format_count(total.misrouted_flows) : "not checked", "flows",
           result.flow_table ? pill(total.misrouted_flows == 0) : report::Verdict::none},
          {"Backends", std::to_string(result.backends.size()), "seen"}};
}

Section verdict_section(const RunResult& result, const Verdict& verdict) {
  Section section{.heading = "Verdict", .verdict = pill(verdict.ok), .verdict_text = {}, .prose = {}};
  if (verdict.ok && (verdict.generator_limited || verdict.noisy)) {
    section.verdict = report::Verdict::warn;
    section.verdict_text = verdict.generator_limited ? "generator-limited" : "noisy";
  }
  for (const std::string& reason : verdict.reasons) section.prose.push_back(reason);
  for (const std::string& warning : verdict.warnings) section.prose.push_back(warning);
  section.tables.push_back(streams_table(result));
  return section;
}

}  // namespace

Document make_page(const RunResult& result, const Verdict& verdict) {
  Document page{.title = "Traffic through the balancer",
                .subtitle = fmt::format("{:.1f} s. {}", result.seconds(),
                                        result.conditions.replay.empty() ? describe(result.traffic)
                                                                         : "replay of " + result.conditions.replay),
                .facts = run_facts(result),
                .sections = {verdict_section(result, verdict)},
                .footer = footer(result.conditions)};
  Section throughput{.heading = "Throughput", .prose = {}};
  throughput.plots.push_back(throughput_plot(result));
  page.sections.push_back(std::move(throughput));
  Section latency{.heading = "Latency and pacing", .prose = {}};
  latency.plots = {latency_plot(result), departures_plot(result)};
  latency.prose.push_back(fmt::format("{} departures were late, {} skipped; the device blocked {} times.",
                                      format_count(result.late), format_count(result.skipped),
                                      format_count(result.blocked)));
  page.sections.push_back(std::move(latency));
  if (!result.backends.empty()) {
    Section backends{.heading = "Backends", .prose = {}};
    backends.plots = {shares_plot(result), backend_timeline_plot(result)};
    page.sections.push_back(std::move(backends));
  }
  return page;
}

Document make_page(const SearchResult& result) {
  Document page{.title = "Highest rate",
                .subtitle = describe(result.traffic),
                .facts = {},
                .sections = {},
                .footer = footer(result.conditions)};
  Section found{.heading = "Result", .verdict = pill(result.faults.empty()), .verdict_text = {}, .prose = {}};
  if (result.mlr) {
    for (const perf::GoalResult& goal : result.mlr->goals) {
      page.facts.push_back({goal.name, perf::format_rate(goal.lower_pps), perf::describe(goal.outcome)});
      found.prose.push_back(perf::describe(goal));
    }
  } else {
    page.facts.push_back({"Throughput (RFC 2544)", perf::format_rate(result.rfc2544->throughput_pps),
                          perf::describe(result.rfc2544->outcome)});
    found.prose.push_back(perf::describe(*result.rfc2544));
  }
  for (const std::string& fault : result.faults) found.prose.push_back(fault);
  Plot losses{.kind = PlotKind::scatter,
              .title = "Loss of every trial",
              .note = {},
              .x = {.label = "offered", .unit = "pps"},
              .y = {.label = "loss", .unit = "%", .from_zero = true}};
  Plot latencies{.kind = PlotKind::scatter,
                 .title = "Latency of every trial",
                 .note = "median and 99th percentile",
                 .x = {.label = "offered", .unit = "pps"},
                 .y = {.label = "latency", .unit = "ns", .scale = Scale::log10}};
  Series valid{.name = "trial", .points = {}};
  Series invalid{.name = "spoiled by the generator", .points = {}};
  Series p50{.name = "p50", .points = {}};
  Series p99{.name = "p99", .points = {}};
  for (const perf::Trial& trial : result.trials()) {
    (trial.valid() ? valid : invalid).points.push_back({.x = trial.rate_pps, .y = trial.loss_ratio() * 100});
    if (!trial.latency) continue;
    p50.points.push_back({.x = trial.rate_pps, .y = static_cast<double>(trial.latency->p50.count())});
    p99.points.push_back({.x = trial.rate_pps, .y = static_cast<double>(trial.latency->p99.count())});
  }
  losses.series.push_back(std::move(valid));
  if (!invalid.points.empty()) losses.series.push_back(std::move(invalid));
  latencies.series = {std::move(p50), std::move(p99)};
  found.plots = {std::move(losses), std::move(latencies)};
  page.sections.push_back(std::move(found));
  return page;
}

Document make_page(const SelfTestResult& result) {
  Document page{
      .title = "What the generator itself can do",
      .subtitle = "no rate near these says anything about a balancer",
      .facts = {{"Transmit only", perf::format_rate(result.transmit_only.transmitted_rate()), "into net_null"},
                {"Transmit and receive", perf::format_rate(result.loop.received_rate()), "through net_ring"}},
      .sections = {},
      .footer = footer(result.half.conditions)};
  Section half{.heading = "At half of the loop's rate",
               .verdict = pill(judge(result.half, {}).ok),
               .verdict_text = {},
               .prose = {}};
  half.plots = {latency_plot(result.half), departures_plot(result.half), throughput_plot(result.half)};
  page.sections.push_back(std::move(half));
  return page;
}

}  // namespace warmswap::gen
