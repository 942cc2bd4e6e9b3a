// Rules between parts of a configuration: vips and their pools, addresses, capacities.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "controlplane/config/rules.h"
#include "controlplane/config/text.h"

namespace warmswap::config {
namespace {

/// Two vips of one address, protocol and port, or an address that is a vip and a backend at once.
void check_addresses(Findings& out, const Config& config) {
  std::map<std::tuple<Be32, uint8_t, uint16_t>, std::string_view> services;
  std::map<Be32, std::string_view> vip_addresses;
  for (const VipConfig& vip : config.vips) {
    const std::string key = item_key("vip", vip.name);
    vip_addresses.emplace(vip.address, vip.name);
    const auto [first, fresh] = services.emplace(std::tuple(vip.address, vip.protocol, vip.port), vip.name);
    if (fresh) continue;
    const std::string service =
        fmt::format("{} {}:{}", protocol_name(vip.protocol), format_address(vip.address), vip.port);
    out.push_back(wrong(
        key, service,
        fmt::format("expected a protocol, address and port of its own, and vip {} has them", quote(first->second))));
    out.back().depends = {key + ".address", key + ".protocol", key + ".port"};
  }
  const Prefix& source = config.instance.outer_source;
  const uint32_t mask = prefix_mask(source.length);
  for (const PoolConfig& pool : config.pools) {
    for (const BackendConfig& backend : pool.backends) {
      const std::string key = item_key(item_key("pool", pool.name) + ".backend", backend.name) + ".address";
      if (const auto vip = vip_addresses.find(backend.address); vip != vip_addresses.end()) {
        out.push_back(wrong(key, quote(format_address(backend.address)),
                            fmt::format("expected the backend's own address, not that of vip {}", quote(vip->second))));
      }
      if ((backend.address.host() & mask) == (source.address.host() & mask)) {
        out.push_back(warn(key, fmt::format("lies in instance.outer_source, {}, whose addresses no host may own",
                                            format_prefix(source))));
        out.back().depends = {"instance.outer_source"};
      }
    }
  }
}

void check_vip_pools(Findings& out, const Config& config) {
  std::vector<std::string> names;
  for (const PoolConfig& pool : config.pools) names.push_back(pool.name);
  for (const VipConfig& vip : config.vips) {
    if (config.find_pool(vip.pool) != nullptr) continue;
    out.push_back(wrong(item_key("vip", vip.name) + ".pool", quote(vip.pool),
                        "expected the name of a [[pool]]" + did_you_mean(vip.pool, names)));
  }
}

/// The pool's vips decide which port its probes go to when the configuration names none.
void check_pool_vips(Findings& out, const Config& config, const PoolConfig& pool) {
  const std::string key = item_key("pool", pool.name);
  const auto uses = [&](const VipConfig& vip) { return vip.pool == pool.name; };
  const auto first = std::find_if(config.vips.begin(), config.vips.end(), uses);
  if (first == config.vips.end()) {
    out.push_back(warn(key, "no vip leads to it"));
    return;
  }
  const bool only_udp = std::none_of(config.vips.begin(), config.vips.end(), [&](const VipConfig& vip) {
    return uses(vip) && vip.protocol == contract::kProtoTcp;
  });
  const auto check = [&](const ProbeConfig& probe, const std::string& probe_key) {
    if (probe.via == ProbeVia::tunnel && probed_vip(config, pool, probe) == nullptr) {
      out.push_back(wrong(probe_key + ".via", "\"tunnel\"",
                          fmt::format("expected a {} vip of the pool, which the probe could go to",
                                      probe.kind == ProbeKind::udp ? "UDP" : "TCP")));
      out.back().depends = {item_key("vip", first->name) + ".protocol"};
    }
    if (!needs_port(probe.kind) || probe.port != 0) return;
    if (probe_port(config, pool, probe) == 0) {
      out.push_back(
          {probe_key + ".port", " is missing: expected a port to probe, because no vip of the pool names one"});
      out.back().depends = {item_key("vip", first->name) + ".port"};
    } else if (only_udp && probe.kind != ProbeKind::udp) {
      out.push_back(warn(probe_key + ".port",
                         fmt::format("not set, so {} probes go to the port of a UDP vip", to_string(probe.kind))));
    }
  };
  bool inherited = pool.backends.empty();
  for (const BackendConfig& backend : pool.backends) {
    if (backend.probe) check(*backend.probe, item_key(key + ".backend", backend.name) + ".probe");
    inherited = inherited || !backend.probe;
  }
  if (inherited) check(pool.probe, key + ".probe");
}

/// Bytes a snapshot needs at least: rings, seats, records and the directories.
uint64_t snapshot_bytes(const Config& config) {
  uint64_t bytes = sizeof(contract::SnapshotRoot) +
                   config.vips.size() * (sizeof(contract::VipEntry) * 2 + sizeof(contract::VipInfo));
  for (const PoolConfig& pool : config.pools) {
    const uint64_t backends = pool.backends.size();
    bytes += uint64_t{pool.ring_size} * sizeof(uint16_t) +
             backends * (sizeof(contract::Seat) + sizeof(contract::BackendInfo)) + sizeof(contract::PoolRecord) +
             sizeof(contract::PoolInfo) + 3 * sizeof(contract::BlockHeader);
  }
  return bytes;
}

void check_capacity(Findings& out, const Config& config) {
  const contract::Geometry& limits = config.dataplane.geometry;
  const auto most = [&](const char* limit, uint64_t value, uint64_t needed, const char* what) {
    if (needed <= value) return;
    out.push_back(wrong(fmt::format("dataplane.limits.{}", limit), fmt::to_string(value),
                        fmt::format("expected at least {}, because of {}", needed, what)));
  };
  const uint64_t backends =
      std::accumulate(config.pools.begin(), config.pools.end(), uint64_t{0},
                      [](uint64_t n, const PoolConfig& pool) { return n + pool.backends.size(); });
  most("vips", limits.vip_capacity, config.vips.size(), "the number of vips");
  most("backends", limits.backend_capacity, backends, "the number of backends in all pools");
  constexpr uint64_t kMib = uint64_t{1} << 20;
  const uint64_t needed = (snapshot_bytes(config) + kMib - 1) / kMib;
  most("arena_mb", limits.arena_bytes / kMib, needed, "the size of one snapshot (rings, seats, vips)");
  if (needed <= limits.arena_bytes / kMib && 2 * needed > limits.arena_bytes / kMib) {
    out.push_back(
        warn("dataplane.limits.arena_mb", fmt::format("a snapshot takes about {} MiB of it: a change that rebuilds all "
                                                      "rings may not fit beside the old one; {} is enough",
                                                      needed, 2 * needed)));
  }
}

std::vector<std::string> lines(const Findings& findings, bool warning) {
  std::vector<std::string> out;
  for (const Finding& finding : findings) {
    if (finding.warning == warning) out.push_back(to_string(finding));
  }
  return out;
}

}  // namespace

Findings check_config(const Config& config) {
  Findings out = check_instance(config.instance);
  append(out, check_dataplane(config.dataplane));
  append(out, check_controlplane(config.controlplane));
  check_unique_names(out, names_of(config.pools), "pool");
  for (const PoolConfig& pool : config.pools) {
    append(out, check_pool(pool));
    check_pool_vips(out, config, pool);
  }
  check_unique_names(out, names_of(config.vips), "vip");
  for (const VipConfig& vip : config.vips) append(out, check_vip(vip));
  check_vip_pools(out, config);
  check_addresses(out, config);
  check_capacity(out, config);
  return out;
}

contract::Result<void> validate(const Config& config) {
  const std::vector<std::string> errors = lines(check_config(config), false);
  if (errors.empty()) return {};
  return contract::Error{join(errors, "\n")};
}

std::vector<std::string> warnings(const Config& config) {
  return lines(check_config(config), true);
}

}  // namespace warmswap::config
