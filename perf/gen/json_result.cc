#include "perf/gen/json_result.h"

#include <boost/json/array.hpp>
#include <cmath>

#include "perf/gen/text.h"

namespace warmswap::gen {
namespace {

namespace json = boost::json;

json::array strings(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

json::array numbers(const std::vector<uint32_t>& values) {
  json::array out;
  for (const uint32_t value : values) out.emplace_back(value);
  return out;
}

json::object stream_description(const StreamConfig& stream) {
  json::array vips;
  for (const IpAddress& vip : stream.vips) vips.emplace_back(format_ip(vip));
  json::array sources;
  for (const AddressPrefix& source : stream.sources.empty() ? default_sources(stream.v6()) : stream.sources) {
    sources.emplace_back(format_address_prefix(source));
  }
  json::object out{{"name", stream.name},           {"protocol", to_string(stream.transport)},
                   {"vips", std::move(vips)},       {"ports", format_port_range(stream.ports)},
                   {"sources", std::move(sources)}, {"choice", format_choice(stream)},
                   {"sizes", format_sizes(stream)}, {"kinds", format_kinds(stream)}};
  if (stream.choice != Choice::fresh) out["flows"] = stream.flows;
  if (stream.fixed_rate) {
    out["fixed_rate_pps"] = *stream.fixed_rate;
  } else {
    out["weight"] = stream.weight;
  }
  return out;
}

json::object conditions_of(const Conditions& from) {
  return {{"transmit_device", from.transmit_device},
          {"receive_device", from.receive_device},
          {"replay", from.replay},
          {"cores", numbers(from.cores)},
          {"hugepages", from.hugepages},
          {"tsc_hz", from.tsc_hz},
          {"processor", from.processor},
          {"kernel", from.kernel},
          {"burst", from.burst},
          {"seed", from.seed},
          {"start_realtime_ns", from.start_realtime.count()},
          {"start_monotonic_ns", from.start_monotonic.count()}};
}

json::object conditions(const RunResult& result) {
  json::object out = conditions_of(result.conditions);
  out["steal"] = result.cpu_use.steal;
  out["waited"] = result.waited_share();
  return out;
}

json::array descriptions(const std::vector<StreamConfig>& streams) {
  json::array out;
  for (const StreamConfig& stream : streams) out.emplace_back(stream_description(stream));
  return out;
}

json::value rate(double pps) {
  return std::isfinite(pps) ? json::value(pps) : json::value(nullptr);
}

std::string_view word(perf::Outcome outcome) {
  switch (outcome) {
    case perf::Outcome::found:
      return "found";
    case perf::Outcome::no_loss_at_max:
      return "no-loss-at-max";
    case perf::Outcome::loss_at_min:
      return "loss-at-min";
    case perf::Outcome::generator_limit:
      return "generator-limit";
    case perf::Outcome::unfinished:
      break;
  }
  return "unfinished";
}

json::array search_goals(const SearchResult& result) {
  json::array out;
  if (result.rfc2544) {
    const perf::ThroughputResult& found = *result.rfc2544;
    out.emplace_back(json::object{{"name", "NDR"},
                                  {"loss_ratio", 0},
                                  {"outcome", word(found.outcome)},
                                  {"lower_pps", rate(found.throughput_pps)},
                                  {"upper_pps", rate(found.failed_pps)},
                                  {"throughput_pps", rate(found.throughput_pps)},
                                  {"confirmed", found.confirmed}});
    return out;
  }
  for (size_t i = 0; i < result.mlr->goals.size(); ++i) {
    const perf::GoalResult& goal = result.mlr->goals[i];
    out.emplace_back(json::object{{"name", goal.name},
                                  {"loss_ratio", i == 0 ? 0 : result.options.partial_loss},
                                  {"outcome", word(goal.outcome)},
                                  {"lower_pps", rate(goal.lower_pps)},
                                  {"upper_pps", rate(goal.upper_pps)},
                                  {"throughput_pps", rate(goal.throughput_pps)},
                                  {"irregular", goal.irregular}});
  }
  return out;
}

json::object search_trial(const perf::Trial& trial) {
  json::object out{{"rate_pps", trial.rate_pps},
                   {"duration_s", std::chrono::duration<double>(trial.duration).count()},
                   {"sent", trial.sent},
                   {"received", trial.received},
                   {"loss_ratio", trial.loss_ratio()},
                   {"valid", trial.valid()}};
  if (trial.latency) {
    out["latency_ns"] = {{"p50", trial.latency->p50.count()},
                         {"p99", trial.latency->p99.count()},
                         {"p99_9", trial.latency->p999.count()},
                         {"max", trial.latency->max.count()}};
  }
  return out;
}

void add_tally(json::object& out, const StreamTally& tally, const RunResult& result) {
  const auto known = [](bool checked, uint64_t value) { return checked ? json::value(value) : json::value(nullptr); };
  out["received"] = tally.received;
  out["received_bytes"] = tally.frame_bytes;
  out["duplicated"] = known(result.signed_packets, tally.duplicated);
  out["too_old"] = known(result.signed_packets, tally.too_old);
  out["reordered"] = known(result.follows_flows(), tally.reordered);
  out["misrouted_flows"] = known(result.follows_flows(), tally.misrouted_flows);
  out["backend_changes"] = known(result.follows_flows(), tally.backend_changes);
  out["latency_ns"] = to_json(tally.latency);
}

json::object timeline(const RunResult& result) {
  json::object backends;
  std::vector<uint32_t> received(result.transmitted_timeline.size(), 0);
  for (const BackendResult& backend : result.backends) {
    for (size_t i = 0; i < backend.timeline.size() && i < received.size(); ++i) received[i] += backend.timeline[i];
    backends[backend.name] = numbers(backend.timeline);
  }
  return {{"interval_ns", result.interval.count()},
          {"transmitted", numbers(result.transmitted_timeline)},
          {"received", numbers(received)},
          {"backends", std::move(backends)}};
}

}  // namespace

json::object to_json(const perf::HdrHistogram& histogram) {
  json::array buckets;
  histogram.for_each_bucket([&buckets](const perf::HdrHistogram::Bucket& bucket) {
    buckets.emplace_back(json::array{bucket.low, bucket.count});
  });
  return {{"count", histogram.count()},
          {"min", histogram.min()},
          {"mean", histogram.mean()},
          {"p50", histogram.value_at_percentile(50)},
          {"p90", histogram.value_at_percentile(90)},
          {"p99", histogram.value_at_percentile(99)},
          {"p99_9", histogram.value_at_percentile(99.9)},
          {"p99_99", histogram.value_at_percentile(99.99)},
          {"max", histogram.max()},
          {"overflow", histogram.overflow()},
          {"buckets", std::move(buckets)}};
}

json::object json_head(std::string_view command) {
  return {{"program", "warmswap-gen"}, {"version", WARMSWAP_VERSION}, {"schema", 1}, {"command", command}};
}

json::object to_json(const RunResult& result, const Verdict& verdict, std::string_view command) {
  json::object out = json_head(command);
  out["verdict"] = {
      {"ok", verdict.ok},       {"measured", verdict.measured},        {"generator_limited", verdict.generator_limited},
      {"noisy", verdict.noisy}, {"reasons", strings(verdict.reasons)}, {"warnings", strings(verdict.warnings)}};
  out["conditions"] = conditions(result);
  out["traffic"] = descriptions(result.traffic);
  out["interrupted"] = result.interrupted;
  out["duration_s"] = result.seconds();
  out["offered_pps"] = rate(result.offered_rate);
  out["transmitted_pps"] = result.transmitted_rate();
  out["received_pps"] = result.received_rate();
  out["offered"] = result.offered;
  out["transmitted"] = result.transmitted;
  out["transmitted_bytes"] = result.transmitted_bytes;
  out["refused"] = result.refused;
  out["skipped"] = result.skipped;
  out["late"] = result.late;
  out["blocked"] = result.blocked;
  add_tally(out, result.total(), result);
  out["lost"] = result.lost();
  out["loss_ratio"] = result.loss_ratio();
  out["frames"] = result.frames;
  out["corrupt"] = result.corrupt;
  out["foreign"] = result.foreign;
  out["stale"] = result.stale;
  out["beyond"] = result.beyond;
  out["device_drops"] = result.device_drops;
  out["overruns"] = result.overruns;
  out["inter_departure_ns"] = to_json(result.inter_departure);
  out["lateness_ns"] = to_json(result.lateness);
  json::array streams;
  for (const StreamResult& stream : result.streams) {
    json::object one{{"name", stream.name}, {"transmitted", stream.transmitted}, {"lost", stream.lost()}};
    add_tally(one, stream.tally, result);
    streams.emplace_back(std::move(one));
  }
  out["streams"] = std::move(streams);
  json::array backends;
  for (const BackendResult& backend : result.backends) {
    backends.emplace_back(json::object{{"name", backend.name},
                                       {"packets", backend.tally.packets},
                                       {"bytes", backend.tally.bytes},
                                       {"share", backend.share},
                                       {"first_ns", backend.first.count()},
                                       {"last_ns", backend.last.count()}});
  }
  out["backends"] = std::move(backends);
  out["timeline"] = timeline(result);
  return out;
}

json::object to_json(const SearchResult& result) {
  json::object out = json_head("search");
  out["method"] = result.rfc2544 ? "rfc2544" : "mlr";
  out["conditions"] = conditions_of(result.conditions);
  out["traffic"] = descriptions(result.traffic);
  out["goals"] = search_goals(result);
  json::array trials;
  for (const perf::Trial& trial : result.trials()) trials.emplace_back(search_trial(trial));
  out["trials"] = std::move(trials);
  out["time_spent_s"] = std::chrono::duration<double>(result.time_spent()).count();
  out["noisy_trials"] = result.noisy_trials;
  out["faults"] = strings(result.faults);
  out["conclusive"] = result.conclusive();
  out["interrupted"] = result.interrupted;
  return out;
}

json::object to_json(const SelfTestResult& result) {
  constexpr std::string_view kSelfTest = "self-test";
  json::object out = json_head(kSelfTest);
  out["transmit_only"] = to_json(result.transmit_only, judge(result.transmit_only, {}), kSelfTest);
  out["loop"] = to_json(result.loop, judge(result.loop, {}), kSelfTest);
  out["half"] = to_json(result.half, judge(result.half, {}), kSelfTest);
  return out;
}

}  // namespace warmswap::gen
