#include "tests/unit/controlplane/api/fake_service.h"

#include <algorithm>

namespace warmswap::api {

namespace {

using namespace std::chrono_literals;

const WallTime kStart = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + 12h;

BackendView backend(std::string pool, std::string name, uint32_t address, config::Role role, std::string state) {
  BackendView view{.pool = std::move(pool), .name = std::move(name), .address = Be32(address), .role = role};
  view.state = std::move(state);
  view.weight = 100;
  view.since = kStart;
  view.next_hop = {true, {2, 0, 0, 0, 0, 7}, "eth1"};
  view.last_probe = ProbeView{"success", "HTTP 200", 812us, 40ms};
  view.reason = "probes succeed";
  return view;
}

Status make_status() {
  Status status{.instance = "edge1", .version = "0.1.0", .abi = 1, .uptime = 3h + 12min, .generation = 42};
  status.fingerprint = 0xfedcba9876543210;
  status.dataplane = {true, "running", 3, 4711, {}, {{"uplink", "eth1", {2, 0, 0, 0, 0, 1}, 1540}}};
  status.dataplane.workers = {{0, 2, true, 42, 12ms, 1000, 64000, 900, 60, 5000, 2500},
                              {1, 3, true, 42, 15ms, 2000, 128000, 1900, 61, 6000, 3000}};
  status.lease = {2000ms, 1800ms, 0};
  status.publish = {42, 312us, 4us, 9us};
  status.counts = {2, 2, 6, 1, 0};
  return status;
}

PoolView make_web() {
  PoolView web{.name = "web", .ring_size = 65537};
  web.seats = {{0, "web1", "web1", 100, 21846, 21846 / 65537.0, kStart},
               {1, "web2", "warm1", 100, 21846, 21846 / 65537.0, kStart + 1min},
               {2, "web3", "web3", 100, 21845, 21845 / 65537.0, kStart}};
  web.backends = {{"warm1", config::Role::warm, "promoted"},
                  {"web1", config::Role::hot, "serving"},
                  {"web2", config::Role::hot, "failed"},
                  {"web3", config::Role::hot, "serving"}};
  return web;
}

PoolView make_dns() {
  PoolView dns{.name = "dns", .mode = config::Mode::hot_hot, .ring_size = 251, .failback = config::Failback::automatic};
  dns.seats = {{0, "ns1", "ns1", 100, 251, 1.0, kStart}, {1, "web1", std::nullopt, 100, 0, 0.0, kStart}};
  dns.backends = {{"ns1", config::Role::hot, "serving"}, {"web1", config::Role::hot, "failed"}};
  return dns;
}

}  // namespace

FakeService::FakeService() : status_value(make_status()) {
  vip_values = {{"http", Be32(0xc633640a), contract::kProtoTcp, 80, "web", 2800, 180000},
                {"dns", Be32(0xc6336435), contract::kProtoUdp, 0, "dns", 7, 700}};
  pool_values = {make_web(), make_dns()};
  backend_values = {backend("dns", "ns1", 0xc0000235, config::Role::hot, "serving"),
                    backend("dns", "web1", 0xc000020b, config::Role::hot, "failed"),
                    backend("web", "warm1", 0xc0000215, config::Role::warm, "promoted"),
                    backend("web", "web1", 0xc000020b, config::Role::hot, "serving"),
                    backend("web", "web2", 0xc000020c, config::Role::hot, "failed"),
                    backend("web", "web3", 0xc000020d, config::Role::hot, "serving")};
  backend_values[0].holds_seat_of = "ns1";
  backend_values[2].holds_seat_of = "web2";
  backend_values[3].handshakes = HandshakesView{11, 2, 3, 41200us, 0.125};
  backend_values[4].failures = 1;
  backend_values[4].next_hop = {false, {}, "eth1"};
  backend_values[4].last_probe = ProbeView{"timeout", "no answer within 50 ms", 50ms, 80ms};
  EventView failover{.seq = 2, .time = kStart + 1min + 123456us, .kind = "failover", .pool = "web", .backend = "web2"};
  failover.text = "warm1 takes the seat of web2";
  failover.cause = "3 probes in a row timed out";
  failover.timeline = Timeline{0us, 60200us, 60350us, 60352us};
  failover.slots_moved = 21846;
  failover.survivor_slots_moved = 0;
  event_values = {{.seq = 1, .time = kStart, .kind = "start", .text = "the control plane started"}, failover};
  for (size_t i = 0; i < contract::kDropReasonCount; ++i) {
    drop_values.push_back(
        {static_cast<contract::DropReason>(i), i == 0 ? 5u : 0u, {i == 0 ? 2u : 0u, i == 0 ? 3u : 0u}});
  }
}

std::vector<BackendView> FakeService::backends(std::optional<std::string_view> pool) const {
  std::vector<BackendView> found;
  std::copy_if(backend_values.begin(), backend_values.end(), std::back_inserter(found),
               [&](const BackendView& view) { return !pool || view.pool == *pool; });
  return found;
}

EventPage FakeService::events(std::optional<uint64_t> since, size_t limit) const {
  EventPage page;
  if (event_values.empty()) return page;
  page.first = event_values.front().seq;
  page.last = event_values.back().seq;
  for (const EventView& event : event_values) {
    if (!since || event.seq > *since) page.events.push_back(event);
  }
  if (page.events.size() > limit) {
    if (since) {
      page.events.resize(limit);
    } else {
      page.events.erase(page.events.begin(), page.events.end() - static_cast<ptrdiff_t>(limit));
    }
  }
  return page;
}

Explanation FakeService::explain(const contract::FlowKey& flow) const {
  Explanation explanation{.flow = flow};
  const auto vip = std::find_if(vip_values.begin(), vip_values.end(),
                                [&](const VipView& view) { return view.address == flow.destination; });
  if (vip == vip_values.end()) {
    explanation.verdict = "pass";
    return explanation;
  }
  if (vip->port != 0 && vip->port != flow.destination_port.host()) {
    explanation.verdict = "drop";
    explanation.drop_reason = contract::DropReason::no_vip_port;
    return explanation;
  }
  explanation.verdict = "forward";
  explanation.vip = vip->name;
  explanation.pool = vip->pool;
  explanation.hash = 0x0123456789abcdef;
  explanation.slot = 1234;
  explanation.ring_size = 65537;
  explanation.seat = 1;
  explanation.owner = "web2";
  explanation.backend = "warm1";
  explanation.outer_source = Be32(0xc6120001);
  explanation.outer_destination = Be32(0xc0000215);
  return explanation;
}

std::optional<config::ProbeConfig> FakeService::pool_probe(std::string_view pool) const {
  if (pool != "web") return std::nullopt;
  config::ProbeConfig probe;
  probe.kind = config::ProbeKind::http;
  probe.interval = 100ms;
  probe.timeout = 80ms;
  return probe;
}

ApplyResult FakeService::apply(const std::vector<Change>& changes, const ChangeOptions& options) {
  last_options = options;
  applied.push_back(changes);
  return result;
}

ApplyResult FakeService::confirm() {
  ++confirms;
  return result;
}

ApplyResult FakeService::rollback() {
  ++rollbacks;
  return result;
}

ApplyResult FakeService::reload(const ChangeOptions& options) {
  last_options = options;
  ++reloads;
  return result;
}

}  // namespace warmswap::api
