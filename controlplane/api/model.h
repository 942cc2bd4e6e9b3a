// What an operator may ask to see, as plain values. The Controller fills them from what it owns; render.h and metrics.h
// turn them into text. No behaviour, no references into anything: a value may be kept as long as one likes.
//
// Packets and bytes are totals since the vip, backend or worker began to exist, never reset while it lives.
// A share is a fraction from 0 to 1 of the pool's slots.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/config/config.h"
#include "dataplane/contract/flow_hash.h"
#include "dataplane/contract/wire.h"

namespace warmswap::api {

using contract::Be32;
using contract::MacAddress;
using WallTime = std::chrono::system_clock::time_point;
using Milliseconds = std::chrono::milliseconds;
using Microseconds = std::chrono::microseconds;

struct WorkerView {
  uint32_t index = 0;
  uint32_t cpu = 0;
  bool online = false;
  uint64_t generation = 0;   // last one it finished a burst with
  Milliseconds tick_age{0};  // since it last showed life
  uint64_t received_packets = 0;
  uint64_t received_bytes = 0;
  uint64_t forwarded_packets = 0;
  uint64_t passed_packets = 0;
  uint64_t loops = 0;
  uint64_t idle_loops = 0;
};

struct PortView {
  std::string name;
  std::string interface;
  MacAddress mac{};
  uint16_t mtu = 0;
};

struct DataplaneView {
  bool alive = false;             // attached, and its housekeeping ticks
  std::string state = "stopped";  // stopped, starting, running, frozen
  uint64_t epoch = 0;
  uint32_t pid = 0;
  std::vector<WorkerView> workers;
  std::vector<PortView> ports;
};

struct LeaseView {
  Milliseconds duration{0};
  Milliseconds remaining{0};  // below zero once it has run out
  uint64_t expiries = 0;      // how often the dataplane saw it run out
};

/// The last publish.
struct PublishView {
  uint64_t count = 0;  // publishes by this process
  std::optional<Microseconds> build;
  std::optional<Microseconds> publish;
  std::optional<Microseconds> last_ack;  // store of the root → last live worker past it; absent while one is not
};

struct Counts {
  uint64_t vips = 0;
  uint64_t pools = 0;
  uint64_t backends = 0;
  uint64_t failovers = 0;  // since this process started
  uint64_t failbacks = 0;
};

/// Upper bounds in seconds; one bucket more is for what is above the last.
inline constexpr std::array<double, 16> kHistogramBounds = {1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2,
                                                            5e-2, 0.1,    0.25, 0.5,  1,      2.5,  5,    10};
struct Histogram {
  std::array<uint64_t, kHistogramBounds.size() + 1> buckets{};  // not cumulative
  double sum_seconds = 0;
};

/// What has happened to seats since the process started.
struct FailoverFigures {
  struct Change {
    std::string pool;
    std::string kind;   // failover, failback, vacated, step, retreat, fail_open, opened
    std::string cause;  // probe, heartbeat, anomaly, hold_down, failover, …
    uint64_t count = 0;
  };
  std::vector<Change> changes;
  Histogram detection;  // first bad signal → decision
  Histogram switching;  // decision → last worker that has the new table
};

/// Datagrams on the heartbeat socket, by what became of them.
struct HeartbeatCount {
  std::string verdict;  // accepted, malformed, version, unknown_backend, forged, replayed, clock_off
  uint64_t datagrams = 0;
};

/// A change that is undone unless it is confirmed in time.
struct PendingView {
  std::string what;
  Milliseconds remaining{0};
};

struct Status {
  std::string instance;
  std::string version;
  uint32_t abi = 0;
  Milliseconds uptime{0};
  uint64_t generation = 0;  // 0 = nothing published yet
  uint64_t fingerprint = 0;
  DataplaneView dataplane;
  LeaseView lease;
  PublishView publish;
  Counts counts;
  std::optional<PendingView> pending;
  FailoverFigures failover;
  uint64_t journal_lines_lost = 0;
  std::vector<HeartbeatCount> heartbeats;  // empty = none are listened for
  std::vector<std::string> warnings;       // one sentence each; only what warnings.h cannot read off the other fields
};

struct VipView {
  std::string name;
  Be32 address;
  uint8_t protocol = contract::kProtoTcp;
  uint16_t port = 0;  // 0 = any
  std::string pool;
  uint64_t packets = 0;
  uint64_t bytes = 0;
};

struct SeatView {
  uint32_t index = 0;
  std::string owner;
  std::optional<std::string> holder;  // absent: nobody, the seat's slots are dealt to others
  uint32_t weight = 0;
  uint32_t slots = 0;  // that lead to this seat now
  double share = 0;
  WallTime since{};  // when the holder last changed
};

/// A member of a pool, as far as one needs to read the seats.
struct MemberView {
  std::string name;
  config::Role role = config::Role::hot;
  std::string state;  // one of kBackendStates
};

struct PoolView {
  std::string name;
  config::Mode mode = config::Mode::hot_warm;
  contract::Encapsulation encapsulation = contract::Encapsulation::ipip;
  uint32_t ring_size = 0;
  config::Failback failback = config::Failback::manual;
  std::vector<SeatView> seats;
  uint32_t slots_without_backend = 0;
  std::vector<MemberView> backends;
};

struct NextHopView {
  bool resolved = false;
  MacAddress mac{};       // meaningful when resolved
  std::string interface;  // empty when there is no route
};

struct ProbeView {
  std::string outcome;  // success, or a short word for the failure: timeout, refused, status
  std::string detail;   // a sentence; may quote what the backend sent
  Microseconds latency{0};
  Milliseconds age{0};
};

/// Of the clients' handshakes with a backend that the workers sampled.
struct HandshakesView {
  uint64_t completed = 0;  // since the process started
  uint64_t retransmitted = 0;
  uint64_t lapsed = 0;
  std::optional<Microseconds> time;  // mean of late, from SYN to the client's ACK; absent without one
  std::optional<double> incomplete;  // part that did not complete at the first SYN, of late; absent without any
};

struct BackendView {
  std::string pool;
  std::string name;
  Be32 address;
  config::Role role = config::Role::hot;
  std::string state;  // one of kBackendStates
  uint32_t weight = 0;
  std::string domain;
  std::string standby;
  bool enabled = true;
  std::optional<std::string> holds_seat_of;  // the seat's owner: itself, or whom it stands in for
  uint32_t slots = 0;
  double share = 0;
  double carries = 0;     // its share of the hot backends' weights together, to compare with its capacity
  uint32_t capacity = 0;  // 0 = none is given
  uint64_t packets = 0;
  uint64_t bytes = 0;
  NextHopView next_hop;
  std::optional<ProbeView> last_probe;
  std::string heartbeat;                      // silent, beating, late or lost; empty = none are listened for
  std::optional<Microseconds> response_time;  // average over good probes, smoothed (ART)
  std::optional<HandshakesView> handshakes;   // absent = none were sampled
  std::optional<double> load;                 // as its agent reports it, smoothed, 0..1
  std::optional<double> load_share;           // of its weight that the load leaves it; absent = it holds no seat
  WallTime since{};                           // of the state
  std::optional<uint64_t> warm_requests;      // to keep it warm, since it began to wait; absent = none are made
  uint64_t warm_failures = 0;                 // of them
  std::optional<double> warmth;               // part of the pool's warm.rate that it holds, 0..1; absent = not measured
  std::string warmth_reason;                  // how that was found
  std::map<std::string, double> time_in_state;  // seconds, since the process started
  uint64_t failures = 0;
  uint32_t flaps = 0;  // failures of late: the hold-down is doubled for each after the first
  std::string reason;  // why it is in this state
};

/// Four moments of one change, relative to the earliest of them. An absent one did not happen (a manual failover has no
/// bad signal) or not yet.
struct Timeline {
  std::optional<Microseconds> first_bad_signal;
  std::optional<Microseconds> decision;
  std::optional<Microseconds> publish;
  std::optional<Microseconds> last_worker_ack;
};

struct EventView {
  uint64_t seq = 0;  // from 1, without gaps
  WallTime time{};
  std::string kind;  // failover, failback, state, change, reload, dataplane, …
  std::string pool;
  std::string backend;
  std::string text;
  std::string cause;
  std::optional<Timeline> timeline;
  std::optional<uint64_t> slots_moved;
  std::optional<uint64_t> survivor_slots_moved;
};

/// Part of the event log. `first` and `last` bound what the log holds, so that a follower sees what it missed, and that
/// the log started anew (last < since).
struct EventPage {
  std::vector<EventView> events;  // oldest first
  uint64_t first = 0;             // 0 = the log is empty
  uint64_t last = 0;
};

/// Where one flow goes, by the code the workers run. What was not reached is absent.
struct Explanation {
  contract::FlowKey flow;
  std::string verdict;  // forward, pass, drop
  std::optional<contract::DropReason> drop_reason;
  std::optional<std::string> vip;
  std::optional<std::string> pool;
  std::optional<uint64_t> hash;
  std::optional<uint32_t> slot;
  std::optional<uint32_t> ring_size;
  std::optional<uint32_t> seat;
  std::optional<std::string> owner;
  std::optional<std::string> backend;
  std::optional<Be32> outer_source;
  std::optional<Be32> outer_destination;
};

struct DropView {
  contract::DropReason reason{};
  uint64_t packets = 0;
  std::vector<uint64_t> per_worker;  // in the order of DataplaneView::workers
};

struct VersionView {
  std::string version;
  uint32_t abi = 0;
};

}  // namespace warmswap::api
