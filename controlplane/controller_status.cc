// The whole at a glance: processes, workers, ports, the last publish, and what is wrong.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "controlplane/controller.h"

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
  status.failover = statistics_.figures();
  status.journal_lines_lost = journal_.lost();
  if (model_.pending) {
    status.pending = {model_.pending->what, std::chrono::duration_cast<Milliseconds>(model_.pending->until -
                                                                                     std::chrono::system_clock::now())};
  }
  if (receiver_) {
    const auto counts = receiver_->counts();
    for (size_t v = 0; v < counts.size(); ++v) {
      status.heartbeats.push_back({std::string(to_string(static_cast<heartbeat::Verdict>(v))), counts[v]});
    }
  }
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
  if (!journal_.trouble().empty()) warnings.push_back("the event journal is not written: " + journal_.trouble());
  if (!heartbeat_trouble_.empty()) warnings.push_back(heartbeat_trouble_);
  add_guard_warnings(warnings);
  add_route_warnings(warnings);
  for (const auto& [id, target] : targets_) {
    if (!target.last || target.last->outcome != health::Outcome::not_run) continue;
    warnings.push_back("the probe of " + target.pool + "/" + target.backend +
                       " could not be made: " + target.last->detail);
    break;  // it is a fault of this host, so one tells of all
  }
}

void Controller::add_guard_warnings(std::vector<std::string>& warnings) const {
  for (const auto& [name, pool] : model_.pools) {
    if (pool.state.panic) {
      warnings.push_back("pool " + name + " fails open: too few backends are healthy, and all get traffic");
    }
    if (pool.state.overloaded) {
      const config::PoolConfig& config = *model_.running.find_pool(name);
      const failover::Burden burden = failover::burden(config, pool.state);
      const bool sheds = config.guard.overload == config::Overload::shed;
      warnings.push_back(
          fmt::format("pool {}: {:.1f} of weight is left over and the others have capacity for {:.1f}: {}", name,
                      burden.orphans, burden.room, sheds ? "what does not fit is dropped" : "they are overloaded"));
    }
    if (pool.state.doubt_until && steady_now() < *pool.state.doubt_until) {
      warnings.push_back(
          "pool " + name +
          ": most backends turned bad together, which speaks against this host; nobody is taken out yet");
    }
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

}  // namespace warmswap::controlplane
