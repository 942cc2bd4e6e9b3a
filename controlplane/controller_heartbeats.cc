// What agents say: heartbeats become evidence for the engine, loads become shares.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "controlplane/controller.h"

namespace warmswap::controlplane {
namespace {

failover::Beats beats_of(heartbeat::Pulse pulse) {
  switch (pulse) {
    case heartbeat::Pulse::beating:
      return failover::Beats::beating;
    case heartbeat::Pulse::late:
      return failover::Beats::late;
    case heartbeat::Pulse::lost:
      return failover::Beats::lost;
    case heartbeat::Pulse::silent:
      break;
  }
  return failover::Beats::silent;
}

std::string in_words(const heartbeat::Change& change) {
  const double silence = std::chrono::duration<double, std::milli>(change.silence).count();
  switch (change.pulse) {
    case heartbeat::Pulse::silent:
      return change.ready ? "no heartbeats" : "its agent said goodbye";
    case heartbeat::Pulse::beating:
      return change.ready ? "heartbeats" : "its agent says that it is not ready";
    case heartbeat::Pulse::late:
    case heartbeat::Pulse::lost:
      break;
  }
  return fmt::format("no heartbeat for {:.1f} ms", silence);
}

}  // namespace

void Controller::listen_for_heartbeats() {
  const config::ControlplaneConfig& config = model_.running.controlplane;
  if (config.heartbeat_address.empty()) return;
  auto receiver = heartbeat::Receiver::open(
      context_,
      {.address = config.heartbeat_address,
       .port = config.heartbeat_port,
       .key = config.heartbeat_key,
       .max_clock_skew = config.max_clock_skew},
      {.on_changes = [this](const std::vector<heartbeat::Change>& changes) { on_beats(changes); },
       .on_load = [this](uint64_t id, const contract::AgentLoad& load) { on_load(id, load); }});
  if (!receiver) {
    heartbeat_trouble_ = receiver.error();
    spdlog::error("{}", heartbeat_trouble_);
    return;
  }
  receiver_ = std::move(*receiver);
}

void Controller::set_heartbeat_sources() {
  if (!receiver_) return;
  std::vector<heartbeat::Source> sources;
  std::map<std::string, PoolLoad> loads;
  for (const config::PoolConfig& pool : model_.running.pools) {
    for (const config::BackendConfig& backend : pool.backends) {
      const uint64_t id = target_ids_.at(backend_key(pool.name, backend.name));
      sources.push_back({id, backend.address, pool.heartbeat.missed});
    }
    const auto kept = loads_.find(pool.name);
    loads.emplace(pool.name, kept != loads_.end() ? std::move(kept->second) : PoolLoad{});
  }
  loads_ = std::move(loads);
  receiver_->set_sources(sources);
  for (auto& [pool, load] : loads_) {
    if (load.timer) continue;
    load.timer = std::make_unique<boost::asio::steady_timer>(context_);
    schedule_load_balance(pool);
  }
}

void Controller::on_beats(const std::vector<heartbeat::Change>& changes) {
  // Those of one pool in one step: they are simultaneous, and whoever fails with many others is judged with them.
  std::map<std::string, std::vector<failover::Event>> by_pool;
  for (const heartbeat::Change& change : changes) {
    const auto target = targets_.find(change.id);
    if (target == targets_.end()) continue;
    const Nanoseconds at = steady_now();
    by_pool[target->second.pool].push_back(failover::BeatChange{.backend = target->second.backend,
                                                                .beats = beats_of(change.pulse),
                                                                .ready = change.ready,
                                                                .detail = in_words(change),
                                                                .at = at});
    if (change.pulse == heartbeat::Pulse::late) prober_.probe_now(change.id);
  }
  for (const auto& [pool, events] : by_pool) take_events(*model_.running.find_pool(pool), events);
}

void Controller::on_load(uint64_t id, const contract::AgentLoad& load) {
  const auto target = targets_.find(id);
  if (target == targets_.end()) return;
  const auto pool = loads_.find(target->second.pool);
  if (pool != loads_.end()) pool->second.balance.report(id, load, steady_now());
}

void Controller::schedule_load_balance(const std::string& name) {
  const config::PoolConfig* pool = model_.running.find_pool(name);
  const auto load = loads_.find(name);
  if (pool == nullptr || load == loads_.end()) return;
  load->second.timer->expires_after(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(pool->load.interval));
  load->second.timer->async_wait([this, name](const boost::system::error_code& error) {
    if (error) return;
    balance_by_load(name);
    schedule_load_balance(name);
  });
}

void Controller::balance_by_load(const std::string& name) {
  const config::PoolConfig* pool = model_.running.find_pool(name);
  const auto load = loads_.find(name);
  if (pool == nullptr || load == loads_.end()) return;
  const failover::PoolState& state = pool_model(name).state;
  std::vector<uint64_t> serving;
  for (const failover::SeatState& seat : state.seats) {
    if (!seat.holder || pool->backends[seat.owner].weight == 0) continue;
    const uint64_t id = target_ids_.at(backend_key(name, state.backends[*seat.holder].name));
    if (std::find(serving.begin(), serving.end(), id) == serving.end()) serving.push_back(id);
  }
  std::vector<failover::Event> events;
  for (const heartbeat::LoadBalance::Share& share : load->second.balance.update(pool->load, serving, steady_now())) {
    events.push_back(failover::LoadShare{targets_.at(share.id).backend, share.share});
  }
  if (!events.empty()) take_events(*pool, events);
}

}  // namespace warmswap::controlplane
