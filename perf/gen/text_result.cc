#include "perf/gen/text_result.h"

#include <fmt/format.h>

#include "controlplane/cli/table.h"
#include "perf/search/trial.h"

namespace warmswap::gen {
namespace {

void print_rates(std::ostream& out, const RunResult& result) {
  // Bits as they occupy an Ethernet link: with FCS, preamble and gap (RFC 2544's 24 bytes beside the frame's own).
  constexpr double kOnWire = kFcsBytes + 20;
  const auto mean = [](uint64_t bytes, uint64_t packets) {
    return packets > 0 ? static_cast<double>(bytes) / static_cast<double>(packets) : 0;
  };
  const double sent = mean(result.transmitted_bytes, result.transmitted);
  const double back = mean(result.total().frame_bytes, result.received());
  const auto bits = [&](double rate, double frame) {
    return fmt::format("{:.3f}", rate * (frame + kOnWire) * 8 / 1e9);
  };
  cli::Table table({{"", false}, {"PACKETS", true}, {"RATE", true}, {"GBIT/S ON THE WIRE", true}});
  const double offered_rate = result.seconds() > 0 ? static_cast<double>(result.offered) / result.seconds() : 0;
  table.add({"offered", format_count(result.offered), perf::format_rate(offered_rate), bits(offered_rate, sent)});
  table.add({"transmitted", format_count(result.transmitted), perf::format_rate(result.transmitted_rate()),
             bits(result.transmitted_rate(), sent)});
  if (result.refused > 0) table.add({"refused", format_count(result.refused), "", ""});
  if (!result.streams.empty()) {
    table.add({"received", format_count(result.received()), perf::format_rate(result.received_rate()),
               bits(result.received_rate(), back)});
    table.add({"lost", format_count(result.lost()), fmt::format("{:.4g} %", result.loss_ratio() * 100), ""});
  }
  table.print(out, false);
}

void print_histograms(std::ostream& out, const RunResult& result) {
  cli::Table table(
      {{"", false}, {"MIN", true}, {"P50", true}, {"P90", true}, {"P99", true}, {"P99.9", true}, {"MAX", true}});
  const auto add = [&table](const std::string& name, const perf::HdrHistogram& histogram) {
    if (histogram.count() == 0) return;
    std::vector<cli::Cell> row{name, format_ns(static_cast<double>(histogram.min()))};
    for (const double percentile : {50.0, 90.0, 99.0, 99.9}) {
      row.emplace_back(format_ns(static_cast<double>(histogram.value_at_percentile(percentile))));
    }
    row.emplace_back(format_ns(static_cast<double>(histogram.max())));
    table.add(std::move(row));
  };
  add("latency", result.total().latency);
  if (result.streams.size() > 1) {
    for (const StreamResult& stream : result.streams) add("  of " + stream.name, stream.tally.latency);
  }
  add("behind schedule", result.lateness);
  add("between departures", result.inter_departure);
  if (table.empty()) return;
  out << '\n';
  table.print(out, false);
}

void print_checks(std::ostream& out, const RunResult& result) {
  if (result.streams.empty()) return;
  const StreamTally total = result.total();
  const auto known = [](bool checked, uint64_t value) {
    return checked ? format_count(value) : std::string("not checked");
  };
  const auto flows = [&](uint64_t value) { return known(result.follows_flows(), value); };
  out << fmt::format("\nmisrouted flows {}   duplicated {}   corrupt {}   reordered {}\n", flows(total.misrouted_flows),
                     known(result.signed_packets, total.duplicated), format_count(result.corrupt),
                     flows(total.reordered));
  std::string rest;
  const auto add = [&rest](uint64_t value, std::string_view what) {
    if (value > 0) rest += fmt::format("{}{} {}", rest.empty() ? "" : "   ", what, format_count(value));
  };
  add(total.too_old, "too old");
  add(result.foreign, "foreign");
  add(result.stale, "stale");
  add(result.beyond, "beyond --count");
  add(result.device_drops, "dropped by the receiving device");
  add(result.overruns, "receiver behind by a whole queue");
  if (!rest.empty()) out << rest << '\n';
}

void print_backends(std::ostream& out, const RunResult& result) {
  if (result.backends.empty()) return;
  constexpr size_t kMost = 32;
  cli::Table table({{"BACKEND", false}, {"PACKETS", true}, {"SHARE", true}, {"FIRST", true}, {"LAST", true}});
  for (size_t i = 0; i < result.backends.size() && i < kMost; ++i) {
    const BackendResult& backend = result.backends[i];
    const auto time = [](std::chrono::nanoseconds since) {
      return fmt::format("{:.6f} s", std::chrono::duration<double>(since).count());
    };
    table.add({backend.name, format_count(backend.tally.packets), fmt::format("{:.2f} %", backend.share * 100),
               time(backend.first), time(backend.last)});
  }
  out << '\n';
  table.print(out, false);
  if (result.backends.size() > kMost)
    out << fmt::format("and {} more (--json has all)\n", result.backends.size() - kMost);
}

}  // namespace

std::string format_ns(double nanoseconds) {
  if (nanoseconds < 1e3) return fmt::format("{:.0f} ns", nanoseconds);
  if (nanoseconds < 1e6) return fmt::format("{:.3g} µs", nanoseconds / 1e3);
  if (nanoseconds < 1e9) return fmt::format("{:.3g} ms", nanoseconds / 1e6);
  return fmt::format("{:.3g} s", nanoseconds / 1e9);
}

std::string format_count(uint64_t count) {
  std::string digits = std::to_string(count);
  for (size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, " ");
  }
  return digits;
}

void print_result(std::ostream& out, const RunResult& result, const Verdict& verdict) {
  out << fmt::format("{:.2f} s, transmitting on {}{}\n\n", result.seconds(), result.conditions.transmit_device,
                     result.conditions.receive_device.empty()
                         ? ""
                         : fmt::format(", receiving on {}", result.conditions.receive_device));
  print_rates(out, result);
  print_histograms(out, result);
  if (result.late > 0 || result.skipped > 0 || result.blocked > 0) {
    out << fmt::format("\nlate departures {}   skipped {}   device blocked {}\n", format_count(result.late),
                       format_count(result.skipped), format_count(result.blocked));
  }
  print_checks(out, result);
  print_backends(out, result);
  out << '\n';
  for (const std::string& warning : verdict.warnings) out << "warning: " << warning << '\n';
  if (verdict.ok && !verdict.measured) {
    out << "verdict: none: this says nothing about the balancer\n";
  } else if (verdict.ok) {
    const char* doubt = verdict.generator_limited ? " as far as the generator went" : "";
    out << "verdict: ok" << doubt << (verdict.noisy ? ", on a noisy machine" : "") << '\n';
  } else {
    out << "verdict: failed";
    for (size_t i = 0; i < verdict.reasons.size(); ++i) out << (i == 0 ? ": " : "; ") << verdict.reasons[i];
    out << '\n';
  }
}

void print_search(std::ostream& out, const SearchResult& result) {
  if (result.mlr) {
    cli::Table table(
        {{"GOAL", false}, {"LOSS ALLOWED", true}, {"LOWER BOUND", true}, {"UPPER BOUND", true}, {"THROUGHPUT", true}});
    for (size_t i = 0; i < result.mlr->goals.size(); ++i) {
      const perf::GoalResult& goal = result.mlr->goals[i];
      table.add({goal.name, fmt::format("{:.3g} %", i == 0 ? 0 : result.options.partial_loss * 100),
                 perf::format_rate(goal.lower_pps), perf::format_rate(goal.upper_pps),
                 perf::format_rate(goal.throughput_pps)});
    }
    table.print(out, false);
    out << '\n';
    for (const perf::GoalResult& goal : result.mlr->goals) out << perf::describe(goal) << '\n';
  } else {
    out << perf::describe(*result.rfc2544) << '\n';
  }
  size_t invalid = 0;
  for (const perf::Trial& trial : result.trials()) invalid += trial.valid() ? 0 : 1;
  out << fmt::format("\n{} trials, {:.1f} s of traffic, {} spoiled by the generator, {} on a disturbed machine\n",
                     result.trials().size(), std::chrono::duration<double>(result.time_spent()).count(), invalid,
                     result.noisy_trials);
  if (result.interrupted) out << "warning: interrupted before its end\n";
  for (const std::string& fault : result.faults) out << "fault: " << fault << '\n';
  if (!result.faults.empty()) {
    out << "verdict: failed\n";
  } else if (!result.conclusive()) {
    out << "verdict: none: the search did not come to its end, so the rates above are no figure of the balancer\n";
  } else {
    out << "verdict: ok\n";
  }
}

void print_self_test(std::ostream& out, const SelfTestResult& result) {
  cli::Table table({{"WHAT THE GENERATOR ITSELF CAN DO", false}, {"RATE", true}, {"LATENCY P50", true}, {"P99", true}});
  const auto percentile = [](const RunResult& run, double percent) {
    return format_ns(static_cast<double>(run.total().latency.value_at_percentile(percent)));
  };
  table.add({"transmit only, into net_null", perf::format_rate(result.transmit_only.transmitted_rate()), "", ""});
  table.add({"transmit and receive, through net_ring", perf::format_rate(result.loop.received_rate()), "", ""});
  table.add({"the same at half the rate", perf::format_rate(result.half.received_rate()), percentile(result.half, 50),
             percentile(result.half, 99)});
  table.print(out, false);
  out << "\nNo rate near these says anything about a balancer, and no latency below these can be seen.\n";
  const auto doubts = [&out](const char* part, const RunResult& run) {
    const Verdict verdict = judge(run, {});
    for (const std::string& warning : verdict.warnings) out << "warning: " << part << ": " << warning << '\n';
    for (const std::string& reason : verdict.reasons) out << "fault: " << part << ": " << reason << '\n';
  };
  doubts("transmit only", result.transmit_only);
  doubts("transmit and receive", result.loop);
  doubts("half the rate", result.half);
}

}  // namespace warmswap::gen
