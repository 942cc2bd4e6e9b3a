// From what the engine decided to a published snapshot, and to the event log.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>

#include "controlplane/api/render.h"
#include "controlplane/controller.h"

namespace warmswap::controlplane {
namespace {

using namespace std::chrono_literals;

constexpr auto kAckPoll = 1ms;
constexpr auto kAckPatience = 5s;

/// "warm1", "warm1, 50 % hot1", "nobody, its slots go to the others".
std::string describe_holder(const failover::SeatChange& change) {
  if (change.after.empty()) return "nobody, its slots go to the others";
  if (change.kind != failover::SeatChangeKind::step) return change.after;
  const std::string share = std::to_string((change.owner_share * 100 + failover::kWhole / 2) / failover::kWhole) + " %";
  return change.after == change.owner ? share + " " + change.owner : change.after + ", " + share + " " + change.owner;
}

bool evidence_complete(const failover::PoolState& state) {
  return std::none_of(state.backends.begin(), state.backends.end(),
                      [](const failover::BackendState& backend) { return backend.state == failover::State::unknown; });
}

}  // namespace

void Controller::on_deadline() {
  armed_deadline_.reset();
  const Nanoseconds now = steady_now();
  std::vector<PoolOutcome> outcomes;
  std::map<std::string, Before> before;
  for (const config::PoolConfig& pool : model_.running.pools) {
    const auto due = deadlines_.find(pool.name);
    if (due == deadlines_.end() || due->second > now) continue;
    deadlines_.erase(due);
    PoolModel& model = model_.pools.at(pool.name);
    failover::Outcome outcome = failover::step(pool, std::move(model.state), failover::Tick{}, now);
    model.state = outcome.state;
    before[pool.name] = before_outcome(model, outcome);
    outcomes.push_back({pool.name, std::move(outcome)});
  }
  commit(outcomes, before);
}

void Controller::schedule_deadline() {
  const auto next = std::min_element(deadlines_.begin(), deadlines_.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  if (next == deadlines_.end()) {
    deadline_timer_.cancel();
    armed_deadline_.reset();
    return;
  }
  if (armed_deadline_ == next->second) return;
  armed_deadline_ = next->second;
  deadline_timer_.expires_at(boost::asio::steady_timer::time_point(
      std::chrono::duration_cast<boost::asio::steady_timer::duration>(next->second)));
  deadline_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) on_deadline();
  });
}

Controller::Before Controller::before_outcome(const PoolModel& pool, const failover::Outcome& outcome) {
  return {pool.ring, sitter_names(outcome.state, outcome.seats_before)};
}

std::map<std::string, Controller::Before> Controller::remember() const {
  std::map<std::string, Before> before;
  for (const auto& [name, pool] : model_.pools) before[name] = {pool.ring, sitter_names(pool.state)};
  return before;
}

void Controller::commit(const std::vector<PoolOutcome>& outcomes, const std::map<std::string, Before>& before) {
  bool changed = false;
  std::set<std::string> pools;
  for (const PoolOutcome& entry : outcomes) {
    pools.insert(entry.pool);
    if (const config::PoolConfig* pool = model_.running.find_pool(entry.pool)) {
      refresh_ring(*pool, model_.pools.at(entry.pool));
    }
    changed = changed || failover::changed_anything(entry.outcome);
    set_deadline(entry.pool, entry.outcome.deadline);
  }
  const bool published = changed && publish(&pools);
  log_outcomes(outcomes, before, published);
  schedule_deadline();
  const bool states = std::any_of(outcomes.begin(), outcomes.end(),
                                  [](const PoolOutcome& entry) { return !entry.outcome.states.empty(); });
  if (states) keep_warm();
}

bool Controller::may_publish() {
  if (first_publish_done_) return true;
  const bool complete =
      std::all_of(model_.running.pools.begin(), model_.running.pools.end(),
                  [this](const config::PoolConfig& pool) { return evidence_complete(pool_model(pool.name).state); });
  return complete || steady_now() >= first_publish_until_;
}

bool Controller::publish(const std::set<std::string>* only) {
  // What an earlier publish failed to bring may be anywhere, and so may the backends behind a route that has changed:
  // pools share addresses.
  if (only != nullptr && (unpublished_ || !published_rows_ || routes_changed())) only = nullptr;
  unpublished_ = true;
  if (builder_ == nullptr || !may_publish()) return false;
  const Nanoseconds begin = steady_now();
  const RecordSources sources{.model = model_,
                              .vip_ids = vip_ids_,
                              .backend_ids = backend_ids_,
                              .vip_sum = [this](uint32_t id) { return link_.vip_traffic(id); },
                              .backend_sum = [this](uint32_t id) { return link_.backend_traffic(id); },
                              .route = [this](contract::Be32 address) { return route_to(address); }};
  auto rows = only != nullptr ? renew_rows(sources, *published_rows_, *only) : make_rows(sources);
  const Nanoseconds built = steady_now();
  auto published =
      rows ? builder_->publish(*rows) : contract::Result<contract::Published>(contract::Error{rows.error()});
  if (!published) {
    if (publish_error_ != published.error()) spdlog::error("cannot publish: {}", published.error());
    publish_error_ = published.error();
    return false;
  }
  publish_error_.clear();
  unpublished_ = false;
  first_publish_done_ = true;
  ++publish_count_;
  last_published_ = Nanoseconds(static_cast<int64_t>(published->stored_ns));
  build_time_ = built - begin;
  publish_time_ = last_published_ - built;
  ack_time_.reset();
  awaited_.push_back({published->generation, last_published_, std::move(unpublished_events_)});
  unpublished_events_.clear();
  for (const uint64_t seq : awaited_.back().events) events_.set_published(seq, last_published_);
  // Not at once: the events this publish carries are written after it.
  if (awaited_.size() == 1) await_acknowledgements();

  remember_published(std::move(*rows), only);
  return true;
}

void Controller::remember_published(table::SnapshotRows rows, const std::set<std::string>* renewed) {
  if (renewed == nullptr) published_routes_.clear();
  std::set<std::string> backends;
  for (const auto& pool : rows.pools) {
    if (renewed != nullptr && !renewed->contains(pool->name)) continue;
    for (size_t b = 0; b < pool->backends.size(); ++b) {
      backends.insert(backend_key(pool->name, pool->backends[b].name));
      published_routes_[pool->backends[b].address] = pool->routes[b];
    }
  }
  published_rows_ = std::move(rows);
  if (renewed != nullptr) return;  // no vip or backend has gone
  std::set<std::string> vip_names;
  for (const config::VipConfig& vip : model_.running.vips) vip_names.insert(vip.name);
  backend_ids_.keep_only(backends);
  statistics_.keep_only(backends);
  vip_ids_.keep_only(vip_names);
}

void Controller::watch_acknowledgements() {
  if (!link_.attached()) return;
  std::erase_if(awaited_, [this](const AwaitedAck& awaited) {
    const contract::Acknowledgement seen = link_.publisher().acknowledged(awaited.generation);
    const bool in_vain = seen.complete ? seen.workers == 0 : steady_now() - awaited.published > kAckPatience;
    if (in_vain) {
      for (const uint64_t seq : awaited.events) events_.give_up(seq);
    }
    if (in_vain || !seen.complete) return in_vain;
    const Nanoseconds at{static_cast<int64_t>(seen.last_seen_ns)};
    ack_time_ = std::max(at - awaited.published, Nanoseconds(0));
    for (const uint64_t seq : awaited.events) {
      if (const auto decided = events_.decided(seq)) statistics_.switched(*decided, std::max(at, awaited.published));
      events_.set_acknowledged(seq, std::max(at, awaited.published));
    }
    return true;
  });
  if (!awaited_.empty()) await_acknowledgements();
}

void Controller::await_acknowledgements() {
  ack_timer_.expires_after(kAckPoll);
  ack_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) watch_acknowledgements();
  });
}

void Controller::write_to_journal(const api::EventView& event) {
  journal_.write(api::render_event(event));
  const bool trouble = !journal_.trouble().empty();
  if (trouble && !journal_was_in_trouble_) spdlog::error("{}; events go on without it", journal_.trouble());
  journal_was_in_trouble_ = trouble;
}

uint64_t Controller::tell(Event event) {
  spdlog::info("{}: {}", event.kind, event.text);
  return events_.add(std::move(event));
}

void Controller::note(std::string kind, std::string text, std::string cause) {
  Event event;
  event.kind = std::move(kind);
  event.text = std::move(text);
  event.cause = std::move(cause);
  tell(std::move(event));
}

void Controller::log_outcomes(const std::vector<PoolOutcome>& outcomes, const std::map<std::string, Before>& before,
                              bool published) {
  std::vector<uint64_t> carried;
  const auto add = [&](Event event) {
    if (published) event.moments.published = last_published_;
    carried.push_back(tell(std::move(event)));
  };
  for (const PoolOutcome& entry : outcomes) {
    statistics_.take(entry.pool, entry.outcome);
    for (const failover::StateChange& change : entry.outcome.states) {
      Event event;
      event.kind = "state";
      event.pool = entry.pool;
      event.backend = change.backend;
      event.text = entry.pool + "/" + change.backend + " " + std::string(to_string(change.from)) + " → " +
                   std::string(to_string(change.to)) + (change.detail.empty() ? "" : ": " + change.detail);
      event.cause = to_string(change.cause);
      event.timed = change.first_bad.has_value();
      event.moments = {change.first_bad, change.decided, std::nullopt, std::nullopt};
      add(std::move(event));
    }
    for (const failover::Notice& notice : entry.outcome.notices) note("guard", notice.text);
    if (entry.outcome.seats.empty()) continue;
    // Before the first publish no worker had a table that a slot could move in.
    const auto was = published && publish_count_ > 1 ? before.find(entry.pool) : before.end();
    const PoolModel& now = pool_model(entry.pool);
    const std::vector<std::string> holders = sitter_names(now.state);
    std::optional<table::SlotsMoved> moved;
    if (was != before.end()) {
      moved = table::slots_moved({*was->second.ring, was->second.holders}, {*now.ring, holders});
    }
    for (const failover::SeatChange& change : entry.outcome.seats) {
      if (change.kind == failover::SeatChangeKind::failover) ++failovers_;
      if (change.kind == failover::SeatChangeKind::failback) ++failbacks_;
      Event event;
      event.kind = to_string(change.kind);
      event.pool = entry.pool;
      event.backend = change.owner;
      const std::string seat = "seat of " + entry.pool + "/" + change.owner + ": ";
      const std::string after = describe_holder(change);
      event.text = seat + (change.before.empty() ? "nobody" : change.before) + " → " + after +
                   (change.detail.empty() ? "" : " (" + change.detail + ")");
      event.cause = to_string(change.cause);
      event.timed = true;
      event.moments = {change.first_bad, change.decided, std::nullopt, std::nullopt};
      if (moved) {
        event.slots_moved = moved->total;
        event.survivor_slots_moved = moved->of_survivors;
      }
      add(std::move(event));
      model_.pools.at(entry.pool).seat_since[change.owner] = change.decided;
    }
  }
  auto& waiting = published && !awaited_.empty() ? awaited_.back().events : unpublished_events_;
  waiting.insert(waiting.end(), carried.begin(), carried.end());
  // As many as the log keeps; older ones can no longer be completed.
  if (unpublished_events_.size() > EventLog::kCapacity) {
    for (const uint64_t seq : unpublished_events_) events_.give_up(seq);
    unpublished_events_.clear();
  }
}

}  // namespace warmswap::controlplane
