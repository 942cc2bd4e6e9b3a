#include "controlplane/controller.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "controlplane/pending.h"

namespace warmswap::controlplane {
namespace {

using namespace std::chrono_literals;

constexpr auto kSegmentPoll = 50ms;

/// How long the first publish waits for backends nobody has heard of yet: as long as the slowest probe needs to tell.
Nanoseconds first_evidence_time(const config::Config& config) {
  Nanoseconds longest{0};
  for (const config::PoolConfig& pool : config.pools) {
    for (const config::BackendConfig& backend : pool.backends) {
      const config::ProbeConfig& probe = config::probe_of(pool, backend);
      longest = std::max(longest, probe.interval * probe.fall + probe.timeout);
    }
  }
  return longest;
}

/// Where a probe goes that travels the clients' way.
std::optional<health::TunnelPath> tunnel_path(const config::Config& config, const config::PoolConfig& pool,
                                              const config::ProbeConfig& probe) {
  const config::VipConfig* vip = config::probed_vip(config, pool, probe);
  if (probe.via != config::ProbeVia::tunnel || vip == nullptr) return std::nullopt;
  const uint16_t port = vip->port != 0 ? vip->port : config::probe_port(config, pool, probe);
  return health::TunnelPath{vip->address, port, config.instance.outer_source};
}

}  // namespace

Controller::Controller(boost::asio::io_context& context, std::string file, config::Config config,
                       nexthop::Resolver resolver)
    : context_(context),
      file_(std::move(file)),
      link_(config.instance.name, config.controlplane.lease),
      vip_ids_(config.dataplane.geometry.vip_capacity),
      backend_ids_(config.dataplane.geometry.backend_capacity),
      resolver_(std::move(resolver)),
      prober_(context, [this](const health::ProbeResult& result) { on_probe(result); }),
      warmer_(context, [this](uint64_t id, bool warmed, const std::string& why) { on_warm_up(id, warmed, why); }),
      journal_({.path = config.controlplane.journal,
                .max_bytes = uint64_t{config.controlplane.journal_max_mib} << 20,
                .files = config.controlplane.journal_files}),
      events_([this](const api::EventView& event) { write_to_journal(event); }),
      segment_timer_(context),
      deadline_timer_(context),
      ack_timer_(context),
      rollback_timer_(context),
      handshake_timer_(context) {
  events_.continue_after(journal_.last_seq());
  model_.file = config;
  model_.running = std::move(config);
}

Controller::~Controller() = default;

void Controller::start() {
  first_publish_until_ = started_ + first_evidence_time(model_.running);
  for (const config::PoolConfig& pool : model_.running.pools) {
    model_.pools[pool.name].state = failover::start(pool, steady_now()).state;
    refresh_ring(pool, model_.pools[pool.name]);
  }
  listen_for_heartbeats();
  poll_segment();
  watch_handshakes();
  if (!link_.attached()) spdlog::warn("{}; trying again", link_.obstacle());
  configure_outside();
}

void Controller::stop() {
  segment_timer_.cancel();
  deadline_timer_.cancel();
  ack_timer_.cancel();
  rollback_timer_.cancel();
  handshake_timer_.cancel();
  events_.give_up_all();
  prober_.set_targets({});
  warmer_.set_targets({});
  if (receiver_) receiver_->stop();
  comparisons_.clear();
}

void Controller::poll_segment() {
  // Armed before anything can go wrong: the lease depends on it.
  segment_timer_.expires_after(kSegmentPoll);
  segment_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) poll_segment();
  });
  switch (link_.poll()) {
    case SegmentLink::Change::none:
      break;
    case SegmentLink::Change::attached:
      on_attached();
      break;
    case SegmentLink::Change::lost:
      builder_.reset();
      published_rows_.reset();
      awaited_.clear();
      publish_error_.clear();
      spdlog::warn("{}; trying again", link_.obstacle());
      note("dataplane", "the segment is gone: nothing is published until there is one again");
      break;
    case SegmentLink::Change::restarted:
      note("dataplane", "the dataplane was started");
      if (routes_changed()) publish();
      break;
  }
  watch_dataplane();
  if (unpublished_) publish();
}

void Controller::watch_dataplane() {
  const bool alive = link_.attached() && link_.dataplane_alive();
  if (dataplane_was_alive_ && !alive) note("dataplane", "the dataplane ended: nothing is balanced until it is back");
  dataplane_was_alive_ = alive;
}

void Controller::on_attached() {
  builder_ = std::make_unique<table::SnapshotBuilder>(link_.publisher());
  published_rows_.reset();
  unpublished_ = true;
  const contract::Geometry& geometry = link_.segment().geometry();
  vip_ids_ = CounterIds(geometry.vip_capacity);
  backend_ids_ = CounterIds(geometry.backend_capacity);
  for (auto& [pool, comparison] : comparisons_) comparison.handshakes.start_anew();
  spdlog::info("attached to {}", link_.segment().path().string());
  if (link_.current() == nullptr) {
    note("dataplane", "attached to a segment without a snapshot");
    return;
  }
  const Found found = read_snapshot(link_.segment().base(), *link_.current());
  adopt_counters(found);
  for (const auto& [address, route] : found.routes) published_routes_.emplace(address, route);
  // Later on our own evidence is newer than what the segment says.
  if (publish_count_ == 0) adopt(found);
  first_publish_done_ = true;
  publish();
}

void Controller::adopt_counters(const Found& found) {
  for (const auto& [vip, entry] : found.vips) vip_ids_.adopt(vip, entry);
  for (const auto& [pool, backends] : found.pools) {
    for (const FoundBackend& backend : backends) {
      backend_ids_.adopt(backend_key(pool, backend.state.name), backend.counter);
    }
  }
}

void Controller::adopt(const Found& found) {
  if (!found.overlay.empty()) {
    const auto probe_of_pool = [this](std::string_view pool) { return pool_probe(pool); };
    auto kept = parse_overlay(found.overlay, probe_of_pool);
    if (!kept) {
      note("change", "the run-time changes found in the segment cannot be read and are dropped: " + kept.error());
    } else {
      model_.pending = std::move(kept->pending);
      Laid laid = lay_over(model_.file, kept->overlay);
      for (const std::string& dropped : laid.dropped) note("change", "a run-time change no longer fits: " + dropped);
      model_.running = std::move(laid.running);
      model_.overlay = std::move(laid.overlay);
    }
  }
  size_t adopted = 0;
  std::vector<PoolOutcome> outcomes;
  for (const config::PoolConfig& pool : model_.running.pools) {
    PoolModel& model = model_.pools[pool.name];
    std::vector<failover::AdoptedBackend> records;
    if (const auto at = found.pools.find(pool.name); at != found.pools.end()) {
      for (const FoundBackend& backend : at->second) records.push_back(backend.state);
    }
    failover::Outcome outcome = failover::adopt(pool, records, steady_now());
    adopted += records.size();
    model.state = outcome.state;
    refresh_ring(pool, model);
    set_deadline(pool.name, outcome.deadline);
    outcomes.push_back({pool.name, std::move(outcome)});
  }
  log_outcomes(outcomes, {}, false);  // what of the records could not be kept
  schedule_deadline();
  schedule_rollback();
  configure_outside();  // the overlay may have brought backends that the file does not name
  note("adopted", "adopted the state of " + std::to_string(adopted) + " backends from generation " +
                      std::to_string(link_.current()->generation));
}

void Controller::configure_outside() {
  std::vector<health::Target> targets;
  std::vector<contract::Be32> destinations;
  std::map<uint64_t, ProbeTarget> known;
  for (const config::PoolConfig& pool : model_.running.pools) {
    for (const config::BackendConfig& backend : pool.backends) {
      destinations.push_back(backend.address);
      const std::string key = backend_key(pool.name, backend.name);
      const auto [at, fresh] = target_ids_.emplace(key, next_target_);
      if (fresh) ++next_target_;
      const auto before = targets_.find(at->second);
      known[at->second] = before != targets_.end() ? before->second : ProbeTarget{pool.name, backend.name, {}};
      const config::ProbeConfig& probe = config::probe_of(pool, backend);
      if (probe.kind == config::ProbeKind::none) continue;
      targets.push_back({.id = at->second,
                         .probe = probe,
                         .address = backend.address,
                         .port = config::probe_port(model_.running, pool, probe),
                         .tunnel = tunnel_path(model_.running, pool, probe)});
    }
  }
  std::erase_if(target_ids_, [&known](const auto& entry) { return !known.contains(entry.second); });
  targets_ = std::move(known);
  prober_.set_targets(targets);
  set_heartbeat_sources();
  compare_backends();
  keep_warm();
  resolver_.set_destinations(std::move(destinations));
}

void Controller::on_probe(const health::ProbeResult& result) {
  const auto target = targets_.find(result.id);
  if (target == targets_.end()) return;
  target->second.last = result;
  if (const auto pool = comparisons_.find(target->second.pool);
      pool != comparisons_.end() && result.outcome != health::Outcome::not_run) {
    pool->second.responses.result(result.id, result.outcome == health::Outcome::good, result.finished - result.started);
  }
  const std::string& name = target->second.pool;
  const config::PoolConfig* pool = model_.running.find_pool(name);
  failover::ProbeResult event{target->second.backend, failover::Probe::not_run, result.detail,
                              result.finished.time_since_epoch()};
  if (result.outcome == health::Outcome::good) event.outcome = failover::Probe::good;
  if (result.outcome == health::Outcome::bad && !cut_off(target->second)) event.outcome = failover::Probe::bad;
  if (failover::says_nothing_new(*pool, model_.pools.at(name).state, event)) return;
  if (probed_.empty()) boost::asio::post(context_, [this] { take_probes(); });
  probed_[name].push_back(std::move(event));
}

void Controller::take_probes() {
  for (const auto& [name, events] : std::exchange(probed_, {})) {
    // A reload may have taken the pool out meanwhile; what is said of a backend that is gone says nothing.
    if (const config::PoolConfig* pool = model_.running.find_pool(name)) take_events(*pool, events);
  }
}

void Controller::take_events(const config::PoolConfig& pool, std::span<const failover::Event> events) {
  PoolModel& model = model_.pools.at(pool.name);
  failover::Outcome outcome = failover::step(pool, std::move(model.state), events, steady_now());
  if (!failover::changed_anything(outcome)) {
    model.state = std::move(outcome.state);
    set_deadline(pool.name, outcome.deadline);
    schedule_deadline();
    return;
  }
  model.state = outcome.state;
  const std::map<std::string, Before> before{{pool.name, before_outcome(model, outcome)}};
  commit({{pool.name, std::move(outcome)}}, before);
}

void Controller::set_deadline(const std::string& pool, std::optional<Nanoseconds> deadline) {
  if (deadline) {
    deadlines_[pool] = *deadline;
  } else {
    deadlines_.erase(pool);
  }
}

bool Controller::cut_off(const ProbeTarget& target) const {
  if (!link_.attached() || link_.dataplane_alive()) return false;
  const config::BackendConfig* backend = model_.running.find_pool(target.pool)->find_backend(target.backend);
  return !resolver_.find(backend->address).has_value();
}

void Controller::on_routes_changed() {
  if (routes_changed()) publish();
}

std::optional<table::Route> Controller::route_to(contract::Be32 address) const {
  if (!link_.attached()) return std::nullopt;
  const auto hop = resolver_.find(address);
  const auto port = hop ? link_.port_of_interface(hop->interface) : std::nullopt;
  if (!port) {
    // A next hop is only ever replaced by another. The kernel may know none for a while: this process has just started,
    // or a dataplane that is down took its tap along. Whether the way still works is the probes' business.
    const auto before = published_routes_.find(address);
    if (before == published_routes_.end() || !before->second) return std::nullopt;
    const contract::PortRecord& record = link_.port(before->second->port);
    return record.present != 0 && record.mac == before->second->source_mac ? before->second : std::nullopt;
  }
  const contract::PortRecord& record = link_.port(*port);
  table::Route route;
  route.port = *port;
  route.source_mac = record.mac;
  route.next_hop_mac = hop->mac;
  route.mtu = std::min(hop->mtu, record.mtu);
  return route;
}

bool Controller::routes_changed() const {
  return std::any_of(published_routes_.begin(), published_routes_.end(),
                     [this](const auto& entry) { return route_to(entry.first) != entry.second; });
}

}  // namespace warmswap::controlplane
