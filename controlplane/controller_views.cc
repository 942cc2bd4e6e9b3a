// What operators see: the model, the segment and the log as the interface's values.
#include <algorithm>
#include <cstring>

#include "controlplane/controller.h"
#include "controlplane/explain.h"

namespace warmswap::controlplane {
namespace {

using api::Microseconds;
using api::Milliseconds;

constexpr uint64_t kTickIsOldNs = 1'000'000'000;

template <size_t N>
std::string text_of(const char (&name)[N]) {
  return std::string(name, strnlen(name, N));
}

Milliseconds age_of(uint64_t monotonic) {
  const uint64_t now = contract::monotonic_ns();
  return Milliseconds(now > monotonic ? (now - monotonic) / 1'000'000 : 0);
}

std::string state_word(uint32_t state) {
  switch (static_cast<contract::DataplaneState>(state)) {
    case contract::DataplaneState::stopped:
      return "stopped";
    case contract::DataplaneState::starting:
      return "starting";
    case contract::DataplaneState::running:
      return "running";
    case contract::DataplaneState::frozen:
      return "frozen";
  }
  return "unknown";
}

api::WorkerView worker_view(const contract::Segment& segment, uint32_t index) {
  const contract::WorkerRegion& worker = segment.worker(index);
  api::WorkerView view;
  view.index = index;
  view.cpu = worker.totals.cpu.load(std::memory_order_relaxed);
  view.online =
      worker.quiescence.state.load(std::memory_order_relaxed) == static_cast<uint32_t>(contract::ReaderState::online);
  view.generation = worker.quiescence.generation.load(std::memory_order_relaxed);
  view.tick_age = age_of(worker.totals.tick_ns.load(std::memory_order_relaxed));
  view.received_packets = worker.totals.received_packets.get();
  view.received_bytes = worker.totals.received_bytes.get();
  view.forwarded_packets = worker.totals.forwarded_packets.get();
  view.passed_packets = worker.totals.passed_packets.get();
  view.loops = worker.totals.loops.get();
  view.idle_loops = worker.totals.idle_loops.get();
  return view;
}

api::DataplaneView dataplane_view(const SegmentLink& link) {
  api::DataplaneView view;
  if (!link.attached()) return view;
  const contract::Segment& segment = link.segment();
  const contract::DataplaneLine& line = segment.header().dataplane;
  const uint64_t tick = line.tick_ns.load(std::memory_order_relaxed);
  const bool process = link.dataplane_alive();
  view.alive = process && contract::monotonic_ns() - tick < kTickIsOldNs;
  view.state = process ? state_word(line.state.load(std::memory_order_relaxed)) : "stopped";
  view.epoch = line.epoch.load(std::memory_order_relaxed);
  view.pid = line.pid.load(std::memory_order_relaxed);
  for (uint32_t w = 0; process && w < link.workers(); ++w) view.workers.push_back(worker_view(segment, w));
  for (const contract::PortRecord& port : segment.header().ports) {
    if (port.present != 0) view.ports.push_back({text_of(port.name), text_of(port.interface), port.mac, port.mtu});
  }
  return view;
}

/// Slots that lead to a backend: those of all seats it holds.
uint32_t slots_of(const PoolModel& pool, uint32_t backend) {
  uint32_t slots = 0;
  for (size_t s = 0; s < pool.state.seats.size(); ++s) {
    if (pool.state.seats[s].holder == backend) slots += pool.ring->slots()[s];
  }
  return slots;
}

double share_of(uint32_t slots, uint32_t ring_size) {
  return ring_size == 0 ? 0 : static_cast<double>(slots) / ring_size;
}

Traffic since_baseline(const Traffic& now, const Traffic& baseline) {
  return {now.packets - std::min(now.packets, baseline.packets), now.bytes - std::min(now.bytes, baseline.bytes)};
}

std::string outcome_word(health::Outcome outcome) {
  if (outcome == health::Outcome::good) return "success";
  return outcome == health::Outcome::bad ? "failure" : "not run";
}

std::optional<Microseconds> micros(const std::optional<Nanoseconds>& duration) {
  if (!duration) return std::nullopt;
  return std::chrono::duration_cast<Microseconds>(*duration);
}

}  // namespace

api::Status Controller::status() const {
  api::Status status;
  status.instance = model_.running.instance.name;
  status.version = WARMSWAP_VERSION;
  status.abi = contract::kAbiVersion;
  status.uptime = std::chrono::duration_cast<Milliseconds>(steady_now() - started_);
  status.dataplane = dataplane_view(link_);
  status.lease.duration = std::chrono::duration_cast<Milliseconds>(model_.running.controlplane.lease);
  if (link_.attached()) {
    const contract::SegmentHeader& header = link_.segment().header();
    status.lease.expiries = header.dataplane.lease_expiries.load(std::memory_order_relaxed);
    const auto until = static_cast<int64_t>(header.control.lease_until_ns.load(std::memory_order_relaxed));
    status.lease.remaining =
        std::chrono::duration_cast<Milliseconds>(Nanoseconds(until - static_cast<int64_t>(contract::monotonic_ns())));
    if (const contract::SnapshotRoot* root = link_.current()) {
      status.generation = root->generation;
      status.fingerprint = root->fingerprint;
    }
  }
  status.publish = {publish_count_, micros(build_time_), micros(publish_time_), micros(ack_time_)};
  status.counts.vips = model_.running.vips.size();
  status.counts.pools = model_.running.pools.size();
  for (const config::PoolConfig& pool : model_.running.pools) status.counts.backends += pool.backends.size();
  status.counts.failovers = failovers_;
  status.counts.failbacks = failbacks_;
  add_warnings(status.warnings);
  return status;
}

void Controller::add_warnings(std::vector<std::string>& warnings) const {
  if (!link_.attached()) warnings.push_back(link_.obstacle());
  if (!publish_error_.empty()) warnings.push_back("the last publish failed: " + publish_error_);
  if (!model_.overlay.empty()) {
    warnings.push_back(std::to_string(model_.overlay.size()) +
                       " run-time change(s) are not in the configuration file; a reload would undo them");
  }
  add_route_warnings(warnings);
  for (const auto& [id, target] : targets_) {
    if (!target.last || target.last->outcome != health::Outcome::not_run) continue;
    warnings.push_back("the probe of " + target.pool + "/" + target.backend +
                       " could not be made: " + target.last->detail);
    break;  // it is a fault of this host, so one tells of all
  }
}

void Controller::add_route_warnings(std::vector<std::string>& warnings) const {
  constexpr size_t kMostShown = 10;
  constexpr uint16_t kFullPacketInIpip = 1520;
  size_t unresolved = 0;
  uint16_t least_mtu = kFullPacketInIpip;
  for (const config::PoolConfig& pool : model_.running.pools) {
    for (const config::BackendConfig& backend : pool.backends) {
      const auto found = published_routes_.find(backend.address);
      if (found == published_routes_.end()) continue;
      if (found->second) {
        least_mtu = std::min(least_mtu, found->second->mtu);
      } else if (++unresolved <= kMostShown) {
        warnings.push_back(pool.name + "/" + backend.name +
                           ": no next hop through a port of the dataplane, or its MAC is not known yet");
      }
    }
  }
  if (unresolved > kMostShown) {
    warnings.push_back("and " + std::to_string(unresolved - kMostShown) + " more backends without a next hop");
  }
  if (least_mtu < kFullPacketInIpip) {
    warnings.push_back("the way to a backend carries " + std::to_string(least_mtu) + " bytes: clients' packets above " +
                       std::to_string(least_mtu - 20) +
                       " are dropped as too_big; raise the MTU to 1520 or lower the MSS");
  }
}

std::vector<api::VipView> Controller::vips() const {
  std::vector<api::VipView> views;
  for (const config::VipConfig& vip : model_.running.vips) {
    api::VipView view;
    view.name = vip.name;
    view.address = vip.address;
    view.protocol = vip.protocol;
    view.port = vip.port;
    view.pool = vip.pool;
    if (const auto entry = vip_ids_.find(vip.name); entry && link_.attached()) {
      const Traffic traffic = since_baseline(link_.vip_traffic(entry->id), entry->baseline);
      view.packets = traffic.packets;
      view.bytes = traffic.bytes;
    }
    views.push_back(std::move(view));
  }
  return views;
}

std::vector<api::PoolView> Controller::pools() const {
  std::vector<api::PoolView> views;
  for (const config::PoolConfig& config : model_.running.pools) {
    const PoolModel& pool = pool_model(config.name);
    api::PoolView view;
    view.name = config.name;
    view.mode = config.mode;
    view.encapsulation = config.encapsulation;
    view.ring_size = config.ring_size;
    view.failback = config.failback;
    view.slots_without_backend = pool.ring->slots_without_seat();
    for (uint32_t s = 0; s < pool.state.seats.size(); ++s) {
      const failover::SeatState& seat = pool.state.seats[s];
      api::SeatView row;
      row.index = s;
      row.owner = pool.state.backends[seat.owner].name;
      if (seat.holder) row.holder = pool.state.backends[*seat.holder].name;
      row.weight = config.backends[seat.owner].weight;
      row.slots = pool.ring->slots()[s];
      row.share = share_of(row.slots, config.ring_size);
      const auto since = pool.seat_since.find(row.owner);
      row.since = to_wall(since != pool.seat_since.end() ? since->second : pool.state.backends[seat.owner].since);
      view.seats.push_back(std::move(row));
    }
    for (const failover::BackendState& backend : pool.state.backends) {
      view.backends.push_back({backend.name, backend.role, std::string(to_string(backend.state))});
    }
    views.push_back(std::move(view));
  }
  return views;
}

api::BackendView Controller::backend_view(const config::PoolConfig& pool, uint32_t index) const {
  const config::BackendConfig& config = pool.backends[index];
  const PoolModel& model = pool_model(pool.name);
  const failover::BackendState& state = model.state.backends[index];
  api::BackendView view;
  view.pool = pool.name;
  view.name = config.name;
  view.address = config.address;
  view.role = config.role;
  view.state = to_string(state.state);
  view.weight = config.weight;
  view.domain = config.domain;
  view.standby = config.standby;
  view.enabled = state.admin == failover::Admin::enabled;
  for (const failover::SeatState& seat : model.state.seats) {
    if (seat.holder == index) view.holds_seat_of = model.state.backends[seat.owner].name;
  }
  view.slots = slots_of(model, index);
  view.share = share_of(view.slots, pool.ring_size);
  const std::string key = backend_key(pool.name, config.name);
  if (const auto entry = backend_ids_.find(key); entry && link_.attached()) {
    const Traffic traffic = since_baseline(link_.backend_traffic(entry->id), entry->baseline);
    view.packets = traffic.packets;
    view.bytes = traffic.bytes;
  }
  if (const auto route = route_to(config.address)) {
    view.next_hop.resolved = true;
    view.next_hop.mac = *route->next_hop_mac;
    view.next_hop.interface = text_of(link_.port(route->port).interface);
  }
  const auto id = target_ids_.find(key);
  const auto target = id == target_ids_.end() ? targets_.end() : targets_.find(id->second);
  if (target != targets_.end() && target->second.last) {
    const health::ProbeResult& last = *target->second.last;
    view.last_probe = api::ProbeView{
        outcome_word(last.outcome), last.detail, std::chrono::duration_cast<Microseconds>(last.finished - last.started),
        std::chrono::duration_cast<Milliseconds>(steady_now() - last.finished.time_since_epoch())};
  }
  view.since = to_wall(state.since);
  view.failures = state.failures;
  view.reason = state.reason;
  return view;
}

std::vector<api::BackendView> Controller::backends(std::optional<std::string_view> only) const {
  std::vector<api::BackendView> views;
  for (const config::PoolConfig& pool : model_.running.pools) {
    if (only && pool.name != *only) continue;
    for (uint32_t b = 0; b < pool.backends.size(); ++b) views.push_back(backend_view(pool, b));
  }
  return views;
}

api::EventPage Controller::events(std::optional<uint64_t> since, size_t limit) const {
  return events_.page(since, limit);
}

api::Explanation Controller::explain(const contract::FlowKey& flow) const {
  if (!link_.attached()) return explain_flow(nullptr, nullptr, flow);
  return explain_flow(link_.segment().base(), link_.current(), flow);
}

std::vector<api::DropView> Controller::drops() const {
  std::vector<api::DropView> views;
  for (size_t reason = 0; reason < contract::kDropReasonCount; ++reason) {
    api::DropView view;
    view.reason = static_cast<contract::DropReason>(reason);
    if (link_.attached()) {
      view.per_worker = link_.drops_per_worker(reason);
      view.packets = link_.drops(reason);
    }
    views.push_back(std::move(view));
  }
  return views;
}

api::VersionView Controller::version() const {
  return {WARMSWAP_VERSION, contract::kAbiVersion};
}

std::optional<config::ProbeConfig> Controller::pool_probe(std::string_view pool) const {
  const config::PoolConfig* found = model_.running.find_pool(pool);
  if (found == nullptr) return std::nullopt;
  return found->probe;
}

}  // namespace warmswap::controlplane
