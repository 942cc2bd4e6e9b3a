#include "controlplane/config/config.h"

#include <algorithm>

namespace warmswap::config {
namespace {

template <typename T>
const T* find_by_name(const std::vector<T>& sorted, std::string_view name) noexcept {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), name,
                                   [](const T& item, std::string_view wanted) { return item.name < wanted; });
  return at != sorted.end() && at->name == name ? &*at : nullptr;
}

}  // namespace

const BackendConfig* PoolConfig::find_backend(std::string_view backend) const noexcept {
  return find_by_name(backends, backend);
}

uint64_t PoolConfig::hot_weight() const noexcept {
  uint64_t weights = 0;
  for (const BackendConfig& backend : backends) weights += backend.role == Role::hot ? backend.weight : 0;
  return weights;
}

const PoolConfig* Config::find_pool(std::string_view pool) const noexcept {
  return find_by_name(pools, pool);
}

ProbeConfig inherited_probe(const ProbeConfig& pool, ProbeKind kind) {
  const auto speaks_http = [](ProbeKind one) { return one == ProbeKind::http || one == ProbeKind::https; };
  ProbeConfig probe = pool;
  probe.kind = kind;
  if (kind == pool.kind || (speaks_http(kind) && speaks_http(pool.kind))) return probe;
  probe.payload.clear();
  probe.expect.clear();
  probe.tls = false;
  return probe;
}

const ProbeConfig& probe_of(const PoolConfig& pool, const BackendConfig& backend) noexcept {
  return backend.probe ? *backend.probe : pool.probe;
}

uint16_t probe_port(const Config& config, const PoolConfig& pool, const ProbeConfig& probe) noexcept {
  if (probe.port != 0) return probe.port;
  for (const VipConfig& vip : config.vips) {
    if (vip.pool == pool.name && vip.port != 0) return vip.port;
  }
  return 0;
}

const VipConfig* probed_vip(const Config& config, const PoolConfig& pool, const ProbeConfig& probe) noexcept {
  const uint8_t protocol = probe.kind == ProbeKind::udp ? contract::kProtoUdp : contract::kProtoTcp;
  for (const VipConfig& vip : config.vips) {
    if (vip.pool == pool.name && vip.protocol == protocol) return &vip;
  }
  return nullptr;
}

}  // namespace warmswap::config
