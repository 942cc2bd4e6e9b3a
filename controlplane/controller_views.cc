// What operators see of vips, pools, backends and packets: the model, the segment and the log as values.
#include <algorithm>
#include <cstring>

#include "controlplane/controller.h"
#include "controlplane/explain.h"

namespace warmswap::controlplane {
namespace {

using api::Microseconds;
using api::Milliseconds;

/// Slots that lead to a backend: those of all seats it holds or has a part of.
uint32_t slots_of(const PoolModel& pool, uint32_t backend) {
  const std::vector<std::optional<uint32_t>> sitters = sitters_of(pool.state.seats);
  uint32_t slots = 0;
  for (size_t r = 0; r < sitters.size(); ++r) {
    if (sitters[r] == backend) slots += pool.ring->slots()[r];
  }
  return slots;
}

/// Slots that lead to a seat, whoever sits there.
uint32_t slots_of_seat(const table::PoolRing& ring, size_t seat) {
  uint32_t slots = 0;
  for (size_t r = 0; r < ring.records().size(); ++r) {
    if (ring.records()[r] == seat) slots += ring.slots()[r];
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

std::optional<api::HandshakesView> handshakes_view(const std::optional<health::HandshakeFigures>& figures) {
  if (!figures) return std::nullopt;
  const health::HandshakeCounts& counted = figures->counted;
  api::HandshakesView view{counted.completed, counted.retransmitted, counted.lapsed, {}, figures->incomplete};
  if (figures->time) view.time = std::chrono::duration_cast<Microseconds>(*figures->time);
  return view;
}

}  // namespace

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
      row.slots = slots_of_seat(*pool.ring, s);
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
  view.carries = view.share * static_cast<double>(pool.hot_weight());
  view.capacity = config.capacity;
  const std::string key = backend_key(pool.name, config.name);
  if (const auto entry = backend_ids_.find(key); entry && link_.attached()) {
    const Traffic traffic = since_baseline(link_.backend_traffic(entry->id), entry->baseline);
    view.packets = traffic.packets;
    view.bytes = traffic.bytes;
  }
  if (const auto route = route_to(config.address)) {
    view.next_hop.resolved = true;
    view.next_hop.mac = *route->next_hop_mac;
    view.next_hop.interface = link_.interface_of(route->port);
  }
  const auto id = target_ids_.find(key);
  const auto target = id == target_ids_.end() ? targets_.end() : targets_.find(id->second);
  if (target != targets_.end() && target->second.last) {
    const health::ProbeResult& last = *target->second.last;
    view.last_probe = api::ProbeView{
        outcome_word(last.outcome), last.detail, std::chrono::duration_cast<Microseconds>(last.finished - last.started),
        std::chrono::duration_cast<Milliseconds>(steady_now() - last.finished.time_since_epoch())};
  }
  if (receiver_ && id != target_ids_.end()) {
    static constexpr std::string_view kPulses[] = {"silent", "beating", "late", "lost"};
    view.heartbeat = kPulses[static_cast<size_t>(receiver_->pulse(id->second))];
    view.load = comparisons_.at(pool.name).loads.load(pool.load, id->second, steady_now());
  }
  const auto comparison = comparisons_.find(pool.name);
  if (id != target_ids_.end() && comparison != comparisons_.end()) {
    if (const auto art = comparison->second.responses.response_time(id->second)) {
      view.response_time = std::chrono::duration_cast<Microseconds>(*art);
    }
    view.handshakes = handshakes_view(comparison->second.handshakes.figures(id->second));
  }
  for (const failover::SeatState& seat : model.state.seats) {
    if (seat.holder == index) view.load_share = static_cast<double>(seat.load) / failover::kWhole;
  }
  if (const auto warm = id == target_ids_.end() ? std::nullopt : warmer_.figures(id->second)) {
    view.warm_requests = warm->requests;
    view.warm_failures = warm->failures;
    view.warmth = warm->warmth;
    view.warmth_reason = warm->why;
  }
  view.time_in_state = statistics_.time_in_state(pool.name, state, steady_now());
  view.since = to_wall(state.since);
  view.failures = state.failures;
  view.flaps = state.flaps;
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
