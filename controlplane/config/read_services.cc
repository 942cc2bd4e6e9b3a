// [[pool]], its backends and probes, and [[vip]].
#include <fmt/format.h>

#include <algorithm>

#include "controlplane/config/read_sections.h"
#include "controlplane/config/rules.h"

namespace warmswap::config {
namespace {

/// Of keys that say nothing to a probe of this kind.
void warn_of_idle_keys(Section& section, const ProbeConfig& probe) {
  const ProbeKind kind = probe.kind;
  const bool tls = over_tls(probe), http = kind == ProbeKind::http || kind == ProbeKind::https;
  const bool text = kind == ProbeKind::udp || kind == ProbeKind::tcp, grpc = kind == ProbeKind::grpc,
             exec = kind == ProbeKind::exec;
  const auto counts = [&](std::string_view key, bool does, std::string_view without = "") {
    if (does || !section.has(key)) return;
    section.warn_about(key, fmt::format("has no effect on a probe of kind \"{}\"{}", to_string(kind), without));
  };
  const std::string_view without_tls = takes_tls(kind) ? " without tls" : "";
  counts("path", http);
  counts("host", http || grpc || tls, without_tls);
  counts("expect_status", http);
  counts("tls", takes_tls(kind) || kind == ProbeKind::http);  // http: a rule
  counts("verify", tls, without_tls);
  counts("ca_file", tls, without_tls);
  counts("payload", text);
  counts("expect", text || http);
  counts("service", grpc);
  counts("command", exec);
  counts("port", kind != ProbeKind::icmp);
  counts("via", kind != ProbeKind::icmp && !exec);
}

/// `out` holds what applies to keys that are not there: the defaults, or the pool's probe for one of its backends.
void read_probe(Section section, ProbeConfig& out) {
  ProbeKind kind = out.kind;
  section.word("kind", kind, kProbeKindWords);
  out = inherited_probe(out, kind);
  section.integer("port", out.port, kPort);
  section.duration("interval", out.interval, kInterval);
  section.duration("timeout", out.timeout, kTimeout);
  if (!section.has("timeout")) out.timeout = std::min(out.timeout, out.interval);
  section.integer("jitter", out.jitter_percent, kJitterPercent);
  section.integer("fall", out.fall, kFallRise);
  section.integer("rise", out.rise, kFallRise);
  section.string("path", out.path);
  section.string("host", out.host);
  section.integers("expect_status", out.expect_status, kHttpStatus);
  section.boolean("tls", out.tls);
  section.boolean("verify", out.verify);
  section.string("ca_file", out.ca_file);
  section.string("payload", out.payload);
  section.string("expect", out.expect);
  section.string("service", out.service);
  section.strings("command", out.command);
  section.word("via", out.via, kProbeViaWords);
  warn_of_idle_keys(section, out);
  section.reject_unknown_keys();
}

/// False for one that a file takes out again.
bool read_backend(Section& section, const ProbeConfig& pool_probe, BackendConfig& out) {
  section.address("address", out.address);
  section.word("role", out.role, kRoleWords);
  section.integer("weight", out.weight, kWeight);
  section.integer("capacity", out.capacity, kCapacity);
  section.string("domain", out.domain);
  section.string("standby", out.standby);
  section.boolean("enabled", out.enabled);
  if (Section probe = section.table("probe"); probe.present())
    read_probe(std::move(probe), out.probe.emplace(pool_probe));
  bool removed = false;
  section.boolean("removed", removed);
  if (!removed) section.require("address", "expected an IPv4 address such as \"192.0.2.1\"");
  section.reject_unknown_keys();
  return !removed;
}

void read_guard(Section section, GuardConfig& out) {
  section.word("fail", out.fail, kFailWords);
  section.word("overload", out.overload, kOverloadWords);
  section.integer("panic_threshold", out.panic_threshold, kPercent);
  section.integer("self_suspicion", out.self_suspicion, kPercent);
  section.duration("self_suspicion_hold", out.self_suspicion_hold, kDoubt);
  section.reject_unknown_keys();
}

void read_slow_start(Section section, SlowStartConfig& out) {
  section.duration("window", out.window, kRamp);
  section.integer("aggression", out.aggression, kAggression);
  section.integer("least", out.least, kSharePercent);
  section.reject_unknown_keys();
}

void read_heartbeat(Section section, HeartbeatConfig& out) {
  section.integer("missed", out.missed, kMissed);
  section.reject_unknown_keys();
}

void read_warm(Section section, WarmConfig& out) {
  section.word("kind", out.kind, kWarmKindWords);
  section.strings("paths", out.paths);
  section.strings("payloads", out.payloads);
  section.string("expect", out.expect);
  section.duration("interval", out.interval, kInterval);
  section.integer("jitter", out.jitter_percent, kJitterPercent);
  section.integer("rate", out.rate, kRate);
  section.duration("response_time", out.response_time, kResponseTime);
  section.duration("hold", out.hold, kWarmHold);
  section.duration("verify", out.verify, kVerify);
  section.integer("budget", out.budget, kBudget);
  section.reject_unknown_keys();
}

void read_pool_limits(Section section, LimitsConfig& out) {
  section.integer("max_slots_moved", out.max_slots_moved, kSharePercent);
  section.integer("max_load", out.max_load, kThresholdOfCapacity);
  section.reject_unknown_keys();
}

void read_anomaly(Section section, AnomalyConfig& out) {
  section.boolean("eject", out.eject);
  section.integer("deviations", out.deviations, kDeviations);
  section.integer("ratio", out.ratio, kDeviations);
  section.duration("floor", out.floor, kFloor);
  section.integer("errors", out.errors, kSharePercent);
  section.integer("probes", out.probes, kFallRise);
  section.duration("time", out.time, kEjection);
  section.duration("time_max", out.time_max, kEjection);
  if (!section.has("time_max")) out.time_max = std::max(out.time_max, out.time);
  section.integer("most", out.most, kPercent);
  section.reject_unknown_keys();
}

void read_load(Section section, LoadConfig& out) {
  section.boolean("balance", out.balance);
  section.integer("cpu", out.cpu, kLoadWeight);
  section.integer("memory", out.memory, kLoadWeight);
  section.integer("disk", out.disk, kLoadWeight);
  section.integer("network", out.network, kLoadWeight);
  section.integer("run_queue", out.run_queue, kLoadWeight);
  section.integer("connections", out.connections, kLoadWeight);
  section.integer("threshold", out.threshold, kThreshold);
  section.duration("interval", out.interval, kLoadInterval);
  section.duration("half_life", out.half_life, kLoadTime);
  section.integer("step", out.step, kStep);
  section.integer("least", out.least, kSharePercent);
  section.duration("hold", out.hold, kLoadTime);
  section.reject_unknown_keys();
}

void read_pool(Section& section, PoolConfig& out) {
  section.word("mode", out.mode, kModeWords);
  section.word("encapsulation", out.encapsulation, kEncapsulationWords);
  section.integer("ring_size", out.ring_size, kRingSize);
  // In a hot-hot pool a backend that stays out is only missing capacity.
  if (out.mode == Mode::hot_hot) out.failback = Failback::automatic;
  section.word("failback", out.failback, kFailbackWords);
  section.duration("hold_down", out.hold_down, kHoldDown);
  section.duration("hold_down_max", out.hold_down_max, kHoldDown);
  if (!section.has("hold_down_max")) out.hold_down_max = std::max(out.hold_down_max, out.hold_down);
  section.duration("flap_half_life", out.flap_half_life, kFlapHalfLife);
  section.integer("failback_step", out.failback_step, kSharePercent);
  section.duration("failback_pause", out.failback_pause, kRamp);
  section.duration("promotion_ramp", out.promotion_ramp, kRamp);
  section.integer("activate_below", out.activate_below, kSharePercent);
  section.integer("trickle", out.trickle, kTrickle);
  read_guard(section.table("guard"), out.guard);
  read_slow_start(section.table("slow_start"), out.slow_start);
  read_heartbeat(section.table("heartbeat"), out.heartbeat);
  read_load(section.table("load"), out.load);
  read_anomaly(section.table("anomaly"), out.anomaly);
  read_pool_limits(section.table("limits"), out.limits);
  read_warm(section.table("warm"), out.warm);
  read_probe(section.table("probe"), out.probe);
  for (Section::Named& item : section.named_tables("backend")) {
    BackendConfig backend{.name = item.name};
    const bool there = read_backend(item.section, out.probe, backend);
    if (there && !item.name.empty()) out.backends.push_back(std::move(backend));
  }
  std::ranges::sort(out.backends, {}, &BackendConfig::name);
  section.reject_unknown_keys();
}

}  // namespace

void read_pools(Section& root, std::vector<PoolConfig>& out) {
  for (Section::Named& item : root.named_tables("pool")) {
    PoolConfig pool{.name = item.name};
    read_pool(item.section, pool);
    if (!item.name.empty()) out.push_back(std::move(pool));
  }
  std::ranges::sort(out, {}, &PoolConfig::name);
}

void read_vips(Section& root, std::vector<VipConfig>& out) {
  for (Section::Named& item : root.named_tables("vip")) {
    VipConfig vip{.name = item.name};
    Section& section = item.section;
    section.require("address", "expected an IPv4 address such as \"192.0.2.1\"");
    section.address("address", vip.address);
    section.word("protocol", vip.protocol, kProtocolWords);
    section.require("port", "expected a port, or 0 for any port");
    section.integer("port", vip.port, kVipPort);
    section.require("pool", "expected the name of a [[pool]]");
    section.string("pool", vip.pool);
    section.reject_unknown_keys();
    if (!item.name.empty()) out.push_back(std::move(vip));
  }
  std::ranges::sort(out, {}, &VipConfig::name);
}

}  // namespace warmswap::config
