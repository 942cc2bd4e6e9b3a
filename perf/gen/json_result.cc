#include "perf/gen/json_result.h"

#include <boost/json/array.hpp>
#include <cmath>

#include "perf/gen/fields.h"

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

json::object conditions(const RunResult& result) {
  const Conditions& from = result.conditions;
  return {{"transmit_device", from.transmit_device},
          {"receive_device", from.receive_device},
          {"replay", from.replay},
          {"cores", numbers(from.cores)},
          {"hugepages", from.hugepages},
          {"tsc_hz", from.tsc_hz},
          {"burst", from.burst},
          {"seed", from.seed},
          {"steal", result.cpu_use.steal},
          {"waited", result.waited_share()},
          {"start_realtime_ns", from.start_realtime.count()},
          {"start_monotonic_ns", from.start_monotonic.count()}};
}

void add_tally(json::object& out, const StreamTally& tally, bool flow_table) {
  out["received"] = tally.received;
  out["duplicated"] = tally.duplicated;
  out["too_old"] = tally.too_old;
  const auto known = [flow_table](uint64_t value) { return flow_table ? json::value(value) : json::value(nullptr); };
  out["reordered"] = known(tally.reordered);
  out["misrouted_flows"] = known(tally.misrouted_flows);
  out["backend_changes"] = known(tally.backend_changes);
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
  return {{"count", histogram.count()},
          {"min", histogram.min()},
          {"mean", histogram.mean()},
          {"p50", histogram.value_at_percentile(50)},
          {"p90", histogram.value_at_percentile(90)},
          {"p99", histogram.value_at_percentile(99)},
          {"p99_9", histogram.value_at_percentile(99.9)},
          {"p99_99", histogram.value_at_percentile(99.99)},
          {"max", histogram.max()},
          {"overflow", histogram.overflow()}};
}

json::object json_head(std::string_view command) {
  return {{"program", "warmswap-gen"}, {"version", WARMSWAP_VERSION}, {"schema", 1}, {"command", command}};
}

json::object to_json(const RunResult& result, const Verdict& verdict) {
  json::object out = json_head("run");
  out["verdict"] = {{"ok", verdict.ok},
                    {"generator_limited", verdict.generator_limited},
                    {"noisy", verdict.noisy},
                    {"reasons", strings(verdict.reasons)},
                    {"warnings", strings(verdict.warnings)}};
  out["conditions"] = conditions(result);
  json::array traffic;
  for (const StreamConfig& stream : result.traffic) traffic.emplace_back(stream_description(stream));
  out["traffic"] = std::move(traffic);
  out["interrupted"] = result.interrupted;
  out["duration_s"] = result.seconds();
  out["offered_pps"] = std::isinf(result.offered_rate) ? json::value(nullptr) : json::value(result.offered_rate);
  out["transmitted_pps"] = result.transmitted_rate();
  out["received_pps"] = result.received_rate();
  out["offered"] = result.offered;
  out["transmitted"] = result.transmitted;
  out["transmitted_bytes"] = result.transmitted_bytes;
  out["skipped"] = result.skipped;
  out["late"] = result.late;
  out["blocked"] = result.blocked;
  out["unsent"] = result.unsent;
  add_tally(out, result.total(), result.flow_table);
  out["lost"] = result.lost();
  out["loss_ratio"] = result.loss_ratio();
  out["frames"] = result.frames;
  out["corrupt"] = result.corrupt;
  out["foreign"] = result.foreign;
  out["stale"] = result.stale;
  out["device_drops"] = result.device_drops;
  out["inter_departure_ns"] = to_json(result.inter_departure);
  out["lateness_ns"] = to_json(result.lateness);
  json::array streams;
  for (const StreamResult& stream : result.streams) {
    json::object one{{"name", stream.name}, {"transmitted", stream.transmitted}, {"lost", stream.lost()}};
    add_tally(one, stream.tally, result.flow_table);
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

json::object to_json(const SelfTestResult& result) {
  json::object out = json_head("self-test");
  out["transmit_only"] = to_json(result.transmit_only, judge(result.transmit_only, {}));
  out["loop"] = to_json(result.loop, judge(result.loop, {}));
  out["half"] = to_json(result.half, judge(result.half, {}));
  return out;
}

}  // namespace warmswap::gen
