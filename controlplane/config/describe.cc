#include "controlplane/config/describe.h"

#include <fmt/format.h>

#include <algorithm>

#include "controlplane/config/text.h"

namespace warmswap::config {
namespace {

using Row = std::vector<std::string>;

/// Left-aligned columns, two spaces apart; the first row is the heading.
std::string table(const std::vector<Row>& rows) {
  std::vector<size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) line += fmt::format("  {:<{}}", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

template <typename T>
std::string listed(const std::vector<T>& numbers) {
  std::vector<std::string> texts;
  texts.reserve(numbers.size());
  for (const T number : numbers) texts.push_back(fmt::to_string(number));
  return join(texts, ",");
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string describe_probe(const ProbeConfig& probe) {
  if (probe.kind == ProbeKind::none) return "none: up unless disabled";
  std::string out{to_string(probe.kind)};
  if (probe.port != 0) out += fmt::format(" port {}", probe.port);
  if (probe.kind == ProbeKind::http || probe.kind == ProbeKind::https)
    out += fmt::format(" GET {} for {}", probe.path, listed(probe.expect_status));
  if (probe.kind == ProbeKind::grpc && !probe.service.empty()) out += fmt::format(" service {}", probe.service);
  if (!probe.payload.empty()) out += fmt::format(" sends {}", quote(probe.payload));
  if (!probe.expect.empty()) out += fmt::format(" expects {}", quote(probe.expect));
  if (probe.kind == ProbeKind::exec) out += fmt::format(" {}", join(probe.command, " "));
  if (probe.kind != ProbeKind::https && over_tls(probe)) out += " over TLS";
  if (probe.via == ProbeVia::tunnel) out += " through the tunnel";
  return out + fmt::format(" every {} ± {} %, timeout {}, fall {}, rise {}", format_duration(probe.interval),
                           probe.jitter_percent, format_duration(probe.timeout), probe.fall, probe.rise);
}

std::string describe_dataplane(const DataplaneConfig& dataplane) {
  std::string out = fmt::format("dataplane: {} worker{} on cores {}, idle {}, hugepages {}, {} MiB\n",
                                dataplane.cores.size(), dataplane.cores.size() == 1 ? "" : "s", listed(dataplane.cores),
                                word_for(kIdlePolicyWords, dataplane.idle),
                                word_for(kHugepagePolicyWords, dataplane.hugepages), dataplane.memory_mib);
  std::vector<Row> rows{{"port", "driver", "interface", "device", "descriptors", "mtu"}};
  for (const PortConfig& port : dataplane.ports) {
    rows.push_back({port.name, std::string(to_string(port.driver)), or_dash(port.interface), or_dash(port.device),
                    fmt::format("{}/{}", port.receive_descriptors, port.transmit_descriptors),
                    port.mtu == 0 ? "device's" : fmt::to_string(port.mtu)});
  }
  return out + table(rows);
}

/// What is done so that standbys are warm; empty where that is nothing.
std::string describe_warm(const PoolConfig& pool) {
  const WarmConfig& warm = pool.warm;
  std::vector<std::string> parts;
  if (pool.trickle > 0) parts.push_back(fmt::format("trickle of {} %", pool.trickle));
  if (!warm.requests().empty()) {
    parts.push_back(fmt::format("{} {} every {} ± {} %", to_string(warm.kind), join(warm.requests(), " "),
                                format_duration(warm.interval), warm.jitter_percent));
  }
  if (warm.rate > 0) {
    parts.push_back(fmt::format("{} requests/s within {} for {}, tried again after {}", warm.rate,
                                format_duration(warm.response_time), format_duration(warm.hold),
                                format_duration(warm.verify)));
  }
  return join(parts, ", ");
}

/// What else decides about the pool, where it is on.
std::string describe_signals(const PoolConfig& pool) {
  std::vector<std::string> parts;
  if (pool.load.balance) parts.emplace_back("balances load");
  if (pool.anomaly.eject) {
    parts.push_back(
        fmt::format("ejects anomalies for {}, at most {} %", format_duration(pool.anomaly.time), pool.anomaly.most));
  }
  if (pool.activate_below < 100) parts.push_back(fmt::format("standbys only below {} %", pool.activate_below));
  return join(parts, ", ");
}

std::string describe_guard(const GuardConfig& guard) {
  std::string out = fmt::format("fails {}", word_for(kFailWords, guard.fail));
  if (guard.panic_threshold > 0) out += fmt::format(" below {} %", guard.panic_threshold);
  out += guard.overload == Overload::shed ? ", sheds overload" : ", carries overload";
  return out + (guard.self_suspicion > 0 ? fmt::format(", suspects itself at {} %", guard.self_suspicion) : "");
}

std::string describe_pool(const PoolConfig& pool) {
  std::string out = fmt::format("pool {}: {}, ring {}, failback {}", pool.name, to_string(pool.mode), pool.ring_size,
                                to_string(pool.failback));
  if (pool.failback == Failback::automatic) {
    out += fmt::format(" after {}, up to {} when it flaps", format_duration(pool.hold_down),
                       format_duration(pool.hold_down_max));
  }
  out += fmt::format("\n  probe {}\n  guard {}\n", describe_probe(pool.probe), describe_guard(pool.guard));
  if (const std::string signals = describe_signals(pool); !signals.empty()) out += fmt::format("  pool {}\n", signals);
  if (const std::string warm = describe_warm(pool); !warm.empty()) out += fmt::format("  warm {}\n", warm);
  const uint64_t total = pool.hot_weight();
  std::vector<Row> rows{{"backend", "address", "role", "weight", "share", "capacity", "domain", "standby", "probe"}};
  for (const BackendConfig& backend : pool.backends) {
    const bool shares = backend.role == Role::hot && total > 0;
    rows.push_back({backend.name, format_address(backend.address),
                    fmt::format("{}{}", to_string(backend.role), backend.enabled ? "" : ", disabled"),
                    fmt::to_string(backend.weight),
                    shares ? fmt::format("{:.1f} %", 100.0 * backend.weight / static_cast<double>(total)) : "-",
                    backend.capacity > 0 ? fmt::to_string(backend.capacity) : "-", or_dash(backend.domain),
                    or_dash(backend.standby), backend.probe ? describe_probe(*backend.probe) : "pool's"});
  }
  return out + table(rows);
}

}  // namespace

std::string describe(const Config& config) {
  std::string out = fmt::format("instance {}: outer source {}, run directory {}\n", config.instance.name,
                                format_prefix(config.instance.outer_source), config.instance.run_dir);
  out += describe_dataplane(config.dataplane);
  out += fmt::format("controlplane: status and metrics {}, lease {}, log level {}\n",
                     config.controlplane.listen_address.empty()
                         ? "off"
                         : fmt::format("on {}:{}", config.controlplane.listen_address, config.controlplane.listen_port),
                     format_duration(config.controlplane.lease), config.controlplane.log_level);
  std::vector<Row> vips{{"vip", "service", "pool"}};
  for (const VipConfig& vip : config.vips) {
    vips.push_back({vip.name,
                    fmt::format("{} {}:{}", protocol_name(vip.protocol), format_address(vip.address),
                                vip.port == 0 ? "any" : fmt::to_string(vip.port)),
                    vip.pool});
  }
  out += fmt::format("{} vip{}\n{}", config.vips.size(), config.vips.size() == 1 ? "" : "s", table(vips));
  for (const PoolConfig& pool : config.pools) out += describe_pool(pool);
  return out;
}

}  // namespace warmswap::config
