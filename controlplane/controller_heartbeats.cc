// What agents say, and how backends compare by probes and by the clients' handshakes: heartbeats and outliers become
// evidence for the engine, loads become shares.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "controlplane/controller.h"

namespace warmswap::controlplane {
namespace {

constexpr auto kHandshakeInterval = std::chrono::seconds(1);

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
  for (const config::PoolConfig& pool : model_.running.pools) {
    for (const config::BackendConfig& backend : pool.backends) {
      const uint64_t id = target_ids_.at(backend_key(pool.name, backend.name));
      sources.push_back({id, backend.address, pool.heartbeat.missed});
    }
  }
  receiver_->set_sources(sources);
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
  const auto pool = comparisons_.find(target->second.pool);
  if (pool != comparisons_.end()) pool->second.loads.report(id, load, steady_now());
}

void Controller::compare_backends() {
  std::map<std::string, Comparison> kept;
  for (const config::PoolConfig& pool : model_.running.pools) {
    const auto before = comparisons_.find(pool.name);
    kept.emplace(pool.name, before != comparisons_.end() ? std::move(before->second) : Comparison{});
  }
  comparisons_ = std::move(kept);
  for (auto& [pool, comparison] : comparisons_) {
    if (comparison.load_timer) continue;
    comparison.load_timer = std::make_unique<boost::asio::steady_timer>(context_);
    comparison.anomaly_timer = std::make_unique<boost::asio::steady_timer>(context_);
    schedule_load_balance(pool);
    schedule_anomalies(pool);
  }
}

void Controller::keep_warm() {
  std::vector<health::WarmTarget> targets;
  for (const config::PoolConfig& pool : model_.running.pools) {
    if (pool.warm.requests().empty()) continue;
    const std::vector<failover::BackendState>& states = pool_model(pool.name).state.backends;
    for (size_t b = 0; b < pool.backends.size(); ++b) {
      const config::BackendConfig& backend = pool.backends[b];
      if (states[b].state != failover::State::warm && states[b].state != failover::State::warming) continue;
      const config::ProbeConfig& probe = config::probe_of(pool, backend);
      targets.push_back({.id = target_ids_.at(backend_key(pool.name, backend.name)),
                         .pool = pool.name,
                         .address = backend.address,
                         .port = config::probe_port(model_.running, pool, probe),
                         .warm = pool.warm,
                         .host = probe.host,
                         .warmed = states[b].warmed});
    }
  }
  warmer_.set_targets(targets);
}

void Controller::on_warm_up(uint64_t id, bool warmed, const std::string& why) {
  const auto target = targets_.find(id);
  if (target == targets_.end()) return;
  const config::PoolConfig* pool = model_.running.find_pool(target->second.pool);
  const failover::Event event = failover::WarmUp{target->second.backend, warmed, why};
  take_events(*pool, std::span(&event, 1));
}

void Controller::schedule_load_balance(const std::string& name) {
  const config::PoolConfig* pool = model_.running.find_pool(name);
  const auto comparison = comparisons_.find(name);
  if (pool == nullptr || comparison == comparisons_.end()) return;
  comparison->second.load_timer->expires_after(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(pool->load.interval));
  comparison->second.load_timer->async_wait([this, name](const boost::system::error_code& error) {
    if (error) return;
    balance_by_load(name);
    schedule_load_balance(name);
  });
}

void Controller::schedule_anomalies(const std::string& name) {
  const config::PoolConfig* pool = model_.running.find_pool(name);
  const auto comparison = comparisons_.find(name);
  if (pool == nullptr || comparison == comparisons_.end()) return;
  comparison->second.anomaly_timer->expires_after(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(pool->probe.interval));
  comparison->second.anomaly_timer->async_wait([this, name](const boost::system::error_code& error) {
    if (error) return;
    eject_outliers(name);
    schedule_anomalies(name);
  });
}

void Controller::balance_by_load(const std::string& name) {
  const config::PoolConfig* pool = model_.running.find_pool(name);
  const auto comparison = comparisons_.find(name);
  if (!receiver_ || pool == nullptr || comparison == comparisons_.end()) return;
  const failover::PoolState& state = pool_model(name).state;
  std::vector<uint64_t> serving;
  std::map<uint64_t, uint16_t> present;  // what its first seat has now
  for (const failover::SeatState& seat : state.seats) {
    if (!seat.holder || pool->backends[seat.owner].weight == 0) continue;
    const uint64_t id = target_ids_.at(backend_key(name, state.backends[*seat.holder].name));
    const auto [at, fresh] = present.emplace(id, seat.load);
    if (fresh) serving.push_back(id);
    if (!fresh && at->second != seat.load) at->second = 0;  // its seats differ: all are to be set
  }
  for (const auto& [id, share] : present) {
    if (share > 0) comparison->second.loads.begins_with(id, share);
  }
  std::vector<failover::Event> events;
  for (const heartbeat::LoadBalance::Share& share :
       comparison->second.loads.update(pool->load, serving, steady_now())) {
    if (present.at(share.id) == share.share) continue;
    events.push_back(failover::LoadShare{targets_.at(share.id).backend, share.share});
  }
  if (!events.empty()) take_events(*pool, events);
}

void Controller::eject_outliers(const std::string& name) {
  const config::PoolConfig* pool = model_.running.find_pool(name);
  const auto comparison = comparisons_.find(name);
  if (pool == nullptr || comparison == comparisons_.end() || !pool->anomaly.eject) return;
  const std::vector<uint64_t> working = working_backends(name);
  std::vector<failover::Event> events;
  for (health::Outlying& outlying : comparison->second.responses.evaluate(pool->anomaly, working)) {
    events.push_back(failover::Outlier{targets_.at(outlying.id).backend, std::move(outlying.sentence), steady_now()});
  }
  if (!events.empty()) take_events(*pool, events);
}

std::vector<uint64_t> Controller::working_backends(const std::string& pool) const {
  std::vector<uint64_t> working;
  for (const failover::BackendState& backend : pool_model(pool).state.backends) {
    const bool works =
        backend.health == failover::Health::up && !backend.ejected && backend.admin == failover::Admin::enabled;
    if (works) working.push_back(target_ids_.at(backend_key(pool, backend.name)));
  }
  return working;
}

void Controller::watch_handshakes() {
  handshake_timer_.expires_after(kHandshakeInterval);
  handshake_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) watch_handshakes();
  });
  if (!link_.attached()) return;
  for (const config::PoolConfig& pool : model_.running.pools) {
    const auto comparison = comparisons_.find(pool.name);
    if (comparison == comparisons_.end()) continue;
    for (const config::BackendConfig& backend : pool.backends) {
      const std::string key = backend_key(pool.name, backend.name);
      const auto counter = backend_ids_.find(key);
      if (counter) comparison->second.handshakes.count(target_ids_.at(key), link_.handshakes(counter->id));
    }
    judge_handshakes(pool, comparison->second.handshakes);
  }
}

void Controller::judge_handshakes(const config::PoolConfig& pool, health::Handshakes& handshakes) {
  std::vector<failover::Event> events;
  for (health::Suspect& suspect : handshakes.evaluate(pool.anomaly, working_backends(pool.name))) {
    const std::string& backend = targets_.at(suspect.id).backend;
    if (suspect.in_a_row == 1) {
      Event event;
      event.kind = "suspect";
      event.pool = pool.name;
      event.backend = backend;
      event.text = backend_key(pool.name, backend) + " is probed at once: " + suspect.sentence;
      event.cause = "handshakes";
      tell(std::move(event));
    }
    prober_.probe_now(suspect.id);
    if (!pool.anomaly.eject || suspect.in_a_row < pool.anomaly.probes) continue;
    handshakes.forget(suspect.id);
    events.push_back(failover::Outlier{backend, std::move(suspect.sentence), steady_now()});
  }
  if (!events.empty()) take_events(pool, events);
}

}  // namespace warmswap::controlplane
