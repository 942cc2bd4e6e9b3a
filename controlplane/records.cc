#include "controlplane/records.h"

#include <algorithm>

#include "controlplane/pending.h"

namespace warmswap::controlplane {
namespace {

using contract::Error;
using contract::Result;

uint64_t wall_ns(Nanoseconds steady) {
  return static_cast<uint64_t>(std::chrono::duration_cast<Nanoseconds>(to_wall(steady).time_since_epoch()).count());
}

/// The steady-clock time of a wall-clock one; a clock that was set back makes it now at the latest.
Nanoseconds steady_ns(uint64_t wall) {
  const auto now = std::chrono::duration_cast<Nanoseconds>(std::chrono::system_clock::now().time_since_epoch());
  const Nanoseconds ago = now - Nanoseconds(static_cast<int64_t>(wall));
  return steady_now() - std::max(ago, Nanoseconds(0));
}

/// The distance between the two clocks wavers, and unchanged records are shared with the snapshot before.
uint64_t to_the_millisecond(uint64_t ns) {
  return ns / 1'000'000 * 1'000'000;
}

template <size_t N>
void copy_name(const std::string& name, char (&to)[N]) {
  name.copy(to, N - 1);
}

/// A record is written once per state change, so that unchanged pools share their directory with the snapshot before.
contract::BackendInfo info_of(const config::BackendConfig& config, const failover::PoolState& pool, uint32_t index,
                              const CounterIds::Entry& counter) {
  const failover::BackendState& state = pool.backends[index];
  contract::BackendInfo info{};
  copy_name(config.name, info.name);
  info.address = config.address;
  info.id = static_cast<uint16_t>(counter.id);
  info.role = static_cast<uint8_t>(config.role);
  info.state = static_cast<uint8_t>(state.state);
  info.admin = static_cast<uint8_t>(state.admin);
  info.held = state.held ? 1 : 0;
  info.flaps = static_cast<uint16_t>(std::min<uint32_t>(state.flaps, UINT16_MAX));
  info.failures = state.failures;
  info.since_ns = to_the_millisecond(wall_ns(state.since));
  info.failed_ns = state.failures == 0 ? 0 : to_the_millisecond(wall_ns(state.failed_at));
  info.drain_ns = state.drain ? to_the_millisecond(wall_ns(state.drain->until)) : 0;
  info.base_packets = counter.baseline.packets;
  info.base_bytes = counter.baseline.bytes;
  return info;
}

Result<std::shared_ptr<const table::PoolRow>> make_pool(const RecordSources& sources,
                                                        const config::PoolConfig& config) {
  const PoolModel& model = sources.model.pools.at(config.name);
  auto shared = std::make_shared<table::PoolRow>();
  table::PoolRow& row = *shared;
  row.name = config.name;
  row.ring = model.ring;
  for (const failover::SeatState& seat : model.state.seats) row.owners.push_back(static_cast<uint16_t>(seat.owner));
  for (const std::optional<uint32_t>& sitter : sitters_of(model.state.seats)) {
    row.holders.push_back(sitter ? static_cast<uint16_t>(*sitter) : table::kNobody);
  }
  for (uint32_t b = 0; b < config.backends.size(); ++b) {
    const config::BackendConfig& backend = config.backends[b];
    const auto counter = sources.backend_ids.get(backend_key(config.name, backend.name), sources.backend_sum);
    if (!counter) return Error{"no counter is left for backend " + backend.name + ": raise dataplane.limits.backends"};
    row.backends.push_back(info_of(backend, model.state, b, *counter));
    row.routes.push_back(sources.route(backend.address));
  }
  return std::shared_ptr<const table::PoolRow>(std::move(shared));
}

/// The next hop that a seat's ready-made header was written for.
void read_routes(const std::byte* base, const contract::PoolRecord& pool,
                 std::map<contract::Be32, table::Route>& routes) {
  const auto* seats = reinterpret_cast<const contract::Seat*>(base + pool.seats);
  for (uint32_t s = 0; s < pool.seat_count; ++s) {
    const contract::Seat& seat = seats[s];
    if (seat.backend == contract::kNoBackend || (seat.flags & contract::kSeatResolved) == 0) continue;
    const auto ethernet = contract::load<contract::EthernetHeader>(seat.header);
    const auto ip = contract::load<contract::Ipv4Header>(seat.header + sizeof(contract::EthernetHeader));
    routes[ip.destination] = {seat.port, ethernet.source, ethernet.destination, seat.mtu};
  }
}

std::string text_of(const char (&name)[contract::kNameBytes]) {
  return std::string(name, strnlen(name, sizeof(name)));
}

/// Who holds which seat, and how much of its own seat a failback under way has given to an owner.
void read_seats(const contract::PoolInfo& info, const contract::BackendInfo* backends,
                std::vector<FoundBackend>& list) {
  const auto* seats = reinterpret_cast<const contract::SeatInfo*>(backends + info.backend_count);
  std::vector<bool> seen(info.backend_count, false);
  for (uint32_t s = 0; s < info.seat_count; ++s) {
    const contract::SeatInfo& seat = seats[s];
    const bool guest = seen[seat.owner];  // the first record of a seat is its holder's
    seen[seat.owner] = true;
    if (seat.holder == contract::kNoBackend) continue;
    failover::AdoptedBackend& holder = list[seat.holder].state;
    if (!guest) holder.seats.push_back(text_of(backends[seat.owner].name));
    if (guest && seat.holder == seat.owner) holder.returned = seat.share;
  }
}

}  // namespace

std::string backend_key(const std::string& pool, const std::string& backend) {
  return pool + "/" + backend;
}

Result<table::SnapshotRows> make_rows(const RecordSources& sources) {
  const config::Config& config = sources.model.running;
  table::SnapshotRows rows;
  rows.hash_key = config.instance.hash_key;
  rows.outer_source = config.instance.outer_source.address;
  rows.entropy_bits = static_cast<uint8_t>(32 - config.instance.outer_source.length);
  rows.handshake_sampling = config.controlplane.handshake_sampling;
  for (const config::PoolConfig& pool : config.pools) {
    auto row = make_pool(sources, pool);
    if (!row) return Error{row.error()};
    rows.pools.push_back(std::move(*row));
  }
  for (const config::VipConfig& vip : config.vips) {
    const auto counter = sources.vip_ids.get(vip.name, sources.vip_sum);
    if (!counter) return Error{"no counter is left for vip " + vip.name + ": raise dataplane.limits.vips"};
    const auto pool = std::find_if(config.pools.begin(), config.pools.end(),
                                   [&vip](const config::PoolConfig& other) { return other.name == vip.pool; });
    table::VipRow row;
    copy_name(vip.name, row.info.name);
    row.info.address = vip.address;
    row.info.port = contract::Be16(vip.port);
    row.info.protocol = vip.protocol;
    row.info.id = counter->id;
    row.info.pool = static_cast<uint32_t>(pool - config.pools.begin());
    row.info.base_packets = counter->baseline.packets;
    row.info.base_bytes = counter->baseline.bytes;
    rows.vips.push_back(row);
  }
  rows.overlay = render_overlay(sources.model);
  return rows;
}

Result<table::SnapshotRows> renew_rows(const RecordSources& sources, const table::SnapshotRows& before,
                                       const std::set<std::string>& pools) {
  table::SnapshotRows rows = before;
  for (std::shared_ptr<const table::PoolRow>& row : rows.pools) {
    if (!pools.contains(row->name)) continue;
    auto renewed = make_pool(sources, *sources.model.running.find_pool(row->name));
    if (!renewed) return Error{renewed.error()};
    row = std::move(*renewed);
  }
  return rows;
}

Found read_snapshot(const std::byte* base, const contract::SnapshotRoot& root) {
  Found found;
  const auto* pools = reinterpret_cast<const contract::PoolRecord*>(base + root.pools);
  for (uint32_t p = 0; p < root.pool_count; ++p) {
    read_routes(base, pools[p], found.routes);
    if (pools[p].directory == 0) continue;
    const auto& info = *reinterpret_cast<const contract::PoolInfo*>(base + pools[p].directory);
    const auto* backends = reinterpret_cast<const contract::BackendInfo*>(&info + 1);
    std::vector<FoundBackend>& list = found.pools[text_of(info.name)];
    for (uint32_t b = 0; b < info.backend_count; ++b) {
      const contract::BackendInfo& record = backends[b];
      FoundBackend backend;
      backend.state.name = text_of(record.name);
      backend.state.state = failover::state_from_byte(record.state).value_or(failover::State::unknown);
      backend.state.admin = record.admin == static_cast<uint8_t>(failover::Admin::disabled) ? failover::Admin::disabled
                                                                                            : failover::Admin::enabled;
      backend.state.held = record.held != 0;
      backend.state.failures = record.failures;
      backend.state.flaps = record.flaps;
      backend.state.failed_at = record.failures == 0 ? Nanoseconds(0) : steady_ns(record.failed_ns);
      backend.state.since = steady_ns(record.since_ns);
      if (record.drain_ns != 0) {
        const Nanoseconds length(static_cast<int64_t>(record.drain_ns - std::min(record.drain_ns, record.since_ns)));
        backend.state.drain = failover::Drain{backend.state.since, backend.state.since + length};
      }
      backend.counter = {record.id, {record.base_packets, record.base_bytes}};
      list.push_back(std::move(backend));
    }
    read_seats(info, backends, list);
  }
  const auto* vips = reinterpret_cast<const contract::VipInfo*>(base + root.vip_directory);
  for (uint32_t v = 0; root.vip_directory != 0 && v < root.vip_count; ++v) {
    found.vips[text_of(vips[v].name)] = {vips[v].id, {vips[v].base_packets, vips[v].base_bytes}};
  }
  if (root.overlay != 0) {
    const auto& header =
        *reinterpret_cast<const contract::BlockHeader*>(base + root.overlay - sizeof(contract::BlockHeader));
    found.overlay.assign(reinterpret_cast<const char*>(base + root.overlay), header.bytes);
  }
  return found;
}

}  // namespace warmswap::controlplane
