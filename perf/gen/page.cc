#include "perf/gen/page.h"

#include <fmt/format.h>

#include <cmath>

#include "perf/gen/page_plots.h"
#include "perf/gen/text.h"
#include "perf/gen/text_result.h"

namespace warmswap::gen {
namespace {

using report::Align;
using report::Document;
using report::Fact;
using report::Section;
using report::Table;

report::Verdict pill(bool ok) {
  return ok ? report::Verdict::ok : report::Verdict::fail;
}

/// With spaces at which no line breaks: a figure and its unit stay together.
std::string unbroken(std::string text) {
  constexpr std::string_view kNoBreakSpace = "\u00a0";
  for (size_t at = text.find(' '); at != std::string::npos; at = text.find(' ', at + kNoBreakSpace.size())) {
    text.replace(at, 1, kNoBreakSpace);
  }
  return text;
}
std::string count_text(uint64_t count) {
  return unbroken(format_count(count));
}
std::string latency_text(const perf::HdrHistogram& histogram, double percentile) {
  return unbroken(format_ns(static_cast<double>(histogram.value_at_percentile(percentile))));
}
std::string rate_text(double rate) {
  return std::isinf(rate) ? "no limit" : unbroken(perf::format_rate(rate));
}

std::string describe_stream(const StreamConfig& stream) {
  std::string vips = format_ip(stream.vips.front());
  if (stream.vips.size() > 1) vips += fmt::format(" and {} more", stream.vips.size() - 1);
  const std::string flows = stream.choice == Choice::fresh
                                ? "every packet another flow"
                                : count_text(stream.flows) + " flows, " + format_choice(stream);
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
  return fmt::format(
      "warmswap-gen {}, from {} to {}, CPUs {} of {}, TSC {:.3f} GHz, Linux {}, {}, bursts of up to {}, seed {}",
      WARMSWAP_VERSION, conditions.transmit_device,
      conditions.receive_device.empty() ? "nowhere" : conditions.receive_device, cores, conditions.processor,
      conditions.tsc_hz / 1e9, conditions.kernel, conditions.hugepages ? "hugepages" : "ordinary pages",
      conditions.burst, conditions.seed);
}

/// With what others took of our CPUs.
std::string footer(const RunResult& result) {
  return footer(result.conditions) +
         fmt::format(". The hypervisor had {:.1f} % of these CPUs' time, other processes {:.1f} %.",
                     result.cpu_use.steal * 100, result.waited_share() * 100);
}

Table streams_table(const RunResult& result) {
  Table table{
      .caption = "Packets by stream",
      .columns = {"stream", "transmitted", "received", "lost", "duplicated", "reordered", "misrouted flows"},
      .alignments = {Align::left, Align::right, Align::right, Align::right, Align::right, Align::right, Align::right},
      .rows = {}};
  for (const StreamResult& stream : result.streams) {
    const StreamTally& tally = stream.tally;
    const auto known = [](bool checked, uint64_t count) { return checked ? count_text(count) : std::string("–"); };
    table.rows.push_back({stream.name, count_text(stream.transmitted), count_text(tally.received),
                          count_text(stream.lost()), known(result.signed_packets, tally.duplicated),
                          known(result.follows_flows(), tally.reordered),
                          known(result.follows_flows(), tally.misrouted_flows)});
  }
  return table;
}

Table latencies_table(const RunResult& result) {
  Table table{.caption = "Latency by stream",
              .columns = {"stream", "p50", "p90", "p99", "p99.9", "max"},
              .alignments = {Align::left, Align::right, Align::right, Align::right, Align::right, Align::right},
              .rows = {}};
  for (const StreamResult& stream : result.streams) {
    const auto latency = [&](double percentile) { return latency_text(stream.tally.latency, percentile); };
    if (stream.tally.latency.count() == 0) continue;
    table.rows.push_back({stream.name, latency(50), latency(90), latency(99), latency(99.9), latency(100)});
  }
  return table;
}

std::vector<Fact> run_facts(const RunResult& result) {
  const StreamTally total = result.total();
  const auto latency = [&total](double percentile) { return latency_text(total.latency, percentile); };
  return {{"Received", rate_text(result.received_rate()), "of " + rate_text(result.offered_rate) + " offered"},
          {"Loss", fmt::format("{:.4g} %", result.loss_ratio() * 100),
           count_text(result.lost() + result.refused) + " packets", pill(result.loss_ratio() == 0)},
          {"Latency", latency(50), fmt::format("p99 {}, p99.9 {}", latency(99), latency(99.9))},
          {"Misrouted", result.follows_flows() ? count_text(total.misrouted_flows) : "not checked", "flows",
           result.follows_flows() ? pill(total.misrouted_flows == 0) : report::Verdict::none},
          {"Backends", std::to_string(result.backends.size()), "seen"}};
}

Section verdict_section(const RunResult& result, const Verdict& verdict) {
  Section section{.heading = "Verdict", .verdict = pill(verdict.ok), .verdict_text = {}, .prose = {}};
  if (verdict.ok && (!verdict.measured || verdict.generator_limited || verdict.noisy)) {
    section.verdict = report::Verdict::warn;
    section.verdict_text = !verdict.measured           ? "not measured"
                           : verdict.generator_limited ? "generator-limited"
                                                       : "noisy";
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
                .footer = footer(result)};
  Section throughput{.heading = "Throughput", .prose = {}};
  throughput.plots.push_back(throughput_plot(result));
  page.sections.push_back(std::move(throughput));
  Section latency{.heading = "Latency and pacing", .prose = {}};
  latency.plots = {latency_plot(result), departures_plot(result)};
  if (result.streams.size() > 1) latency.tables.push_back(latencies_table(result));
  latency.prose.push_back(fmt::format(
      "{} departures were late, {} skipped because the generator was, {} refused by the device, which stopped "
      "taking packets {} times.",
      count_text(result.late), count_text(result.skipped), count_text(result.refused), count_text(result.blocked)));
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
  if (result.faults.empty() && !result.conclusive()) {
    found.verdict = report::Verdict::warn;
    found.verdict_text = "did not come to its end";
  }
  if (result.mlr) {
    for (const perf::GoalResult& goal : result.mlr->goals) {
      page.facts.push_back(
          {goal.name, (result.conclusive() ? "" : "≥ ") + rate_text(goal.lower_pps), perf::describe(goal.outcome)});
      found.prose.push_back(perf::describe(goal));
    }
  } else {
    page.facts.push_back(
        {"Throughput (RFC 2544)", rate_text(result.rfc2544->throughput_pps), perf::describe(result.rfc2544->outcome)});
    found.prose.push_back(perf::describe(*result.rfc2544));
  }
  for (const std::string& fault : result.faults) found.prose.push_back(fault);
  found.plots = {trial_loss_plot(result.trials()), trial_latency_plot(result.trials())};
  page.sections.push_back(std::move(found));
  return page;
}

Document make_page(const SelfTestResult& result) {
  Document page{.title = "What the generator itself can do",
                .subtitle = "no rate near these says anything about a balancer",
                .facts = {{"Transmit only", rate_text(result.transmit_only.transmitted_rate()), "into net_null"},
                          {"Transmit and receive", rate_text(result.loop.received_rate()), "through net_ring"}},
                .sections = {},
                .footer = footer(result.half)};
  Section half{.heading = "At half of the loop's rate",
               .verdict = pill(judge(result.half, {}).ok),
               .verdict_text = {},
               .prose = {}};
  half.plots = {latency_plot(result.half), departures_plot(result.half), throughput_plot(result.half)};
  page.sections.push_back(std::move(half));
  return page;
}

}  // namespace warmswap::gen
