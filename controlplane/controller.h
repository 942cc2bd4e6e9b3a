// The control plane as one object: it hears probes, routes, operators and the segment, keeps the model, and publishes.
// Everything runs on the io_context's one thread; nothing blocks but reading the configuration file on a reload.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "controlplane/api/service.h"
#include "controlplane/event_log.h"
#include "controlplane/failover_statistics.h"
#include "controlplane/health/anomaly.h"
#include "controlplane/health/handshakes.h"
#include "controlplane/health/prober.h"
#include "controlplane/health/warmer.h"
#include "controlplane/heartbeat/load.h"
#include "controlplane/heartbeat/receiver.h"
#include "controlplane/journal.h"
#include "controlplane/model.h"
#include "controlplane/nexthop/resolver.h"
#include "controlplane/overlay.h"
#include "controlplane/records.h"
#include "controlplane/segment_link.h"
#include "controlplane/table/snapshot_builder.h"

namespace warmswap::controlplane {

class Controller : public api::Service {
 public:
  /// `file` is read again on a reload.
  Controller(boost::asio::io_context& context, std::string file, config::Config config, nexthop::Resolver resolver);
  ~Controller() override;

  /// Attaches if it can, adopts what it finds, and begins to probe.
  void start();
  void stop();
  /// Route, neighbour or link changes; wired to the resolver.
  void on_routes_changed();

  api::Status status() const override;
  std::vector<api::VipView> vips() const override;
  std::vector<api::PoolView> pools() const override;
  std::vector<api::BackendView> backends(std::optional<std::string_view> pool) const override;
  api::EventPage events(std::optional<uint64_t> since, size_t limit) const override;
  api::Explanation explain(const contract::FlowKey& flow) const override;
  std::vector<api::DropView> drops() const override;
  api::VersionView version() const override;
  std::optional<config::ProbeConfig> pool_probe(std::string_view pool) const override;
  api::SavePlan save(bool drop_in) const override;
  api::ApplyResult apply(const std::vector<api::Change>& changes, const api::ChangeOptions& options) override;
  api::ApplyResult reload(const api::ChangeOptions& options) override;
  api::ApplyResult confirm() override;
  api::ApplyResult rollback() override;

 private:
  struct ProbeTarget {
    std::string pool;
    std::string backend;
    std::optional<health::ProbeResult> last;
  };
  /// What one pool's backends are compared by, and when that is next done.
  struct Comparison {
    heartbeat::LoadBalance loads;
    health::Anomaly responses;
    health::Handshakes handshakes;
    std::unique_ptr<boost::asio::steady_timer> load_timer;
    std::unique_ptr<boost::asio::steady_timer> anomaly_timer;
  };
  struct AwaitedAck {
    uint64_t generation;
    Nanoseconds published;
    std::vector<uint64_t> events;
  };
  /// Holders and rings before a change, to tell what it moved.
  struct Before {
    std::shared_ptr<const table::PoolRing> ring;
    std::vector<std::string> holders;
  };

  void poll_segment();
  void on_attached();
  void adopt(const Found& found);
  void adopt_counters(const Found& found);
  void on_probe(const health::ProbeResult& result);
  /// What the probes found in this round of the event loop, a step for each pool.
  void take_probes();
  /// Lets the engine of the pool have the events, and publishes and tells what comes of it.
  void take_events(const config::PoolConfig& pool, std::span<const failover::Event> events);
  void set_deadline(const std::string& pool, std::optional<Nanoseconds> deadline);
  /// Whether a bad answer says nothing: the dataplane is down and took the way to this backend along (a tap).
  bool cut_off(const ProbeTarget& target) const;
  /// Opens the socket for heartbeats, if there shall be one. Trouble is a warning: probes go on.
  void listen_for_heartbeats();
  void set_heartbeat_sources();
  void on_beats(const std::vector<heartbeat::Change>& changes);
  void on_load(uint64_t id, const contract::AgentLoad& load);
  /// Starts comparing the backends of pools that are new, and ends it for those that are gone.
  void compare_backends();
  /// Standbys that wait are kept warm; those that serve have real requests.
  void keep_warm();
  void on_warm_up(uint64_t id, bool warmed, const std::string& why);
  void balance_by_load(const std::string& pool);
  void eject_outliers(const std::string& pool);
  /// Once a second: what the workers counted of the clients' handshakes. Suspects are probed at once.
  void watch_handshakes();
  void judge_handshakes(const config::PoolConfig& pool, health::Handshakes& handshakes);
  /// The backends of a pool that are up, and neither out by command nor ejected.
  std::vector<uint64_t> working_backends(const std::string& pool) const;
  void schedule_load_balance(const std::string& pool);
  void schedule_anomalies(const std::string& pool);
  void on_deadline();
  void schedule_deadline();
  void watch_acknowledgements();
  void await_acknowledgements();
  void configure_outside();

  static api::ApplyResult refuse(api::Refusal refusal, std::string sentence);
  std::optional<api::ApplyResult> refuse_beside_pending() const;
  std::optional<api::ApplyResult> refuse_beyond_limits(const Model& next, const api::ApplyResult& planned,
                                                       const api::ChangeOptions& options) const;
  api::ApplyResult planned_only(const Model& next, api::ApplyResult planned) const;
  void wait_for_confirmation(const Model& before, const api::ApplyResult& result, const api::ChangeOptions& options,
                             std::string what, bool reloaded);
  /// What follows every change of the model by an operator.
  void told(const std::vector<PoolOutcome>& outcomes, const std::map<std::string, Before>& before, bool published);
  api::ApplyResult undo_pending(const std::string& cause);
  void schedule_rollback();

  /// Publishes the model. True when the snapshot stands; false (with publish_error_ set) when the old one stays.
  /// `only`: nothing but the state of these pools has changed since the last publish that stands.
  bool publish(const std::set<std::string>* only = nullptr);
  /// What later publishes start from; `renewed` are the pools whose rows are new, all when it is nullptr.
  void remember_published(table::SnapshotRows rows, const std::set<std::string>* renewed);
  bool may_publish();
  /// The class of publish_error_ for whoever asked for the change.
  api::Refusal publish_refusal() const;
  /// Of a pool whose model has the outcome's state already, but not yet its ring.
  static Before before_outcome(const PoolModel& pool, const failover::Outcome& outcome);
  std::map<std::string, Before> remember() const;
  /// Publishes what `outcomes` changed and writes it to the event log.
  void commit(const std::vector<PoolOutcome>& outcomes, const std::map<std::string, Before>& before);
  void log_outcomes(const std::vector<PoolOutcome>& outcomes, const std::map<std::string, Before>& before,
                    bool published);
  /// To the log and the event log; the event's number there.
  uint64_t tell(Event event);
  void note(std::string kind, std::string text, std::string cause = "");
  void write_to_journal(const api::EventView& event);
  std::optional<table::Route> route_to(contract::Be32 address) const;
  bool routes_changed() const;
  void watch_dataplane();
  void add_warnings(std::vector<std::string>& warnings) const;
  void add_guard_warnings(std::vector<std::string>& warnings) const;
  void add_route_warnings(std::vector<std::string>& warnings) const;
  api::BackendView backend_view(const config::PoolConfig& pool, uint32_t index) const;
  const PoolModel& pool_model(const std::string& pool) const { return model_.pools.at(pool); }

  boost::asio::io_context& context_;
  std::string file_;
  Model model_;
  SegmentLink link_;
  std::unique_ptr<table::SnapshotBuilder> builder_;  // of the link's publisher; absent while detached
  CounterIds vip_ids_;
  CounterIds backend_ids_;
  nexthop::Resolver resolver_;
  health::Prober prober_;
  health::Warmer warmer_;
  std::unique_ptr<heartbeat::Receiver> receiver_;  // null without heartbeat_listen
  std::string heartbeat_trouble_;
  std::map<std::string, Comparison> comparisons_;  // by pool
  std::map<uint64_t, ProbeTarget> targets_;
  std::map<std::string, uint64_t> target_ids_;  // by backend_key
  uint64_t next_target_ = 1;
  Journal journal_;
  bool journal_was_in_trouble_ = false;
  EventLog events_;
  FailoverStatistics statistics_;
  std::optional<table::SnapshotRows> published_rows_;  // of the last publish through builder_
  std::map<contract::Be32, std::optional<table::Route>> published_routes_;
  std::map<std::string, Nanoseconds> deadlines_;                // of the engine, by pool
  std::map<std::string, std::vector<failover::Event>> probed_;  // not yet taken, by pool

  boost::asio::steady_timer segment_timer_;
  boost::asio::steady_timer deadline_timer_;
  boost::asio::steady_timer ack_timer_;
  boost::asio::steady_timer rollback_timer_;
  boost::asio::steady_timer handshake_timer_;
  std::vector<AwaitedAck> awaited_;
  std::vector<uint64_t> unpublished_events_;  // decided, but the snapshot that carries them does not stand yet
  std::optional<Nanoseconds> armed_deadline_;
  bool dataplane_was_alive_ = false;

  Nanoseconds started_ = steady_now();
  Nanoseconds first_publish_until_{0};  // until then unknown backends may still report before the first publish
  bool first_publish_done_ = false;
  bool unpublished_ = true;  // the model is ahead of the snapshot: try again
  std::string publish_error_;
  uint64_t publish_count_ = 0;
  uint64_t failovers_ = 0;
  uint64_t failbacks_ = 0;
  std::optional<Nanoseconds> build_time_;
  std::optional<Nanoseconds> publish_time_;
  std::optional<Nanoseconds> ack_time_;
  Nanoseconds last_published_{0};
};

}  // namespace warmswap::controlplane
