// The failover engine of one pool: (configuration, state, events, now) → (state, what changed). No clock, no I/O, no
// thread, no global; any thread may call it. docs/redundancy.md explains every rule with examples.
//
// The configuration names its backends in canonical (name) order, as config::PoolConfig promises. Times are whatever
// clock the caller keeps to, as long as it never goes back. Cost: linear in the pool's backends.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "controlplane/failover/state.h"

namespace warmswap::failover {

enum class Probe : uint8_t {
  good,
  bad,
  not_run,  // could not be asked, for want of a local resource: says nothing about the backend
};

/// A result for a backend that is not (or no longer) in the pool is ignored: it may have been under way.
struct ProbeResult {
  std::string backend;
  Probe outcome = Probe::not_run;
  std::string detail;  // "connection refused", for people
  Nanoseconds at{0};   // when the result was there; at most `now`
};
/// A change in what is heard of the agent on the backend's host. Whoever hears the beats tells only changes.
struct BeatChange {
  std::string backend;
  Beats beats = Beats::silent;
  bool ready = true;   // what the agent said last
  std::string detail;  // "no heartbeat for 150 ms", for people
  Nanoseconds at{0};
};
/// The backend's load leaves it this part of its weight, in kWhole-ths from 1, in comparison with the others'. Counts
/// for the seats it holds now.
struct LoadShare {
  std::string backend;
  uint16_t share = kWhole;
};
/// The standby's warm-up is done, or no longer counts.
struct WarmUp {
  std::string backend;
  bool warmed = true;
  std::string detail;
};
/// The backend does so much worse than the pool that it should be out for a time. Not obeyed when too many are out.
struct Outlier {
  std::string backend;
  std::string detail;  // "latency 48 ms, the pool's median is 2.1 ms"
  Nanoseconds at{0};
};
struct Enable {
  std::string backend;
};
struct Disable {
  std::string backend;
};
/// Leads the backend out: it hands its seats over little by little for `length` and is disabled then; at once where it
/// has none. Enable calls it off.
struct DrainOut {
  std::string backend;
  Nanoseconds length{0};
};
/// Gives the seat of the hot `backend` to a standby and holds it there until a Failback.
struct Failover {
  std::string backend;
  std::string standby;  // empty = the one the rules would choose
};
/// The same for every seat that a backend of this failure domain holds, to standbys of other domains: all or none.
struct FailoverDomain {
  std::string domain;
};
/// Returns the seat of the hot `backend`, by steps where the pool has some; `whole`: all of it at once.
struct Failback {
  std::string backend;
  bool whole = false;
};
/// Two backends change places: a hot one and the standby that holds, or may take, its seat; or a standby that holds
/// seats and one that waits.
struct Swap {
  std::string a;
  std::string b;
};
/// A failover on purpose: after `length` the owner returns, if it still works.
struct Drill {
  std::string backend;
  std::string standby;  // empty = the one the rules would choose
  Nanoseconds length{0};
};
/// Nothing but time has passed.
struct Tick {};
using Event = std::variant<ProbeResult, BeatChange, LoadShare, WarmUp, Outlier, Enable, Disable, DrainOut, Failover,
                           FailoverDomain, Failback, Swap, Drill, Tick>;

/// Why something changed.
enum class Cause : uint8_t {
  probe,
  enable,
  disable,
  failover,
  failback,
  hold_down,    // healthy for long enough
  last_resort,  // nobody else was left to serve the pool
  heartbeat,    // its agent fell silent, said so, or came back
  anomaly,      // so much worse than the others
  warm_up,
  swap,
  drill,
  step,  // the next step of a failback under way
  drain,
  panic,  // too few are healthy: the pool fails open
  configuration,
  adoption,
};
std::string_view to_string(Cause cause) noexcept;

struct StateChange {
  std::string backend;
  State from = State::unknown;
  State to = State::unknown;
  Cause cause = Cause::probe;
  std::string detail;
  std::optional<Nanoseconds> first_bad;  // first bad signal, where bad signals are the cause
  Nanoseconds decided{0};
  Nanoseconds before_since{0};  // since when it had been in `from`
};

enum class SeatChangeKind : uint8_t {
  opened,     // its owner serves without having left it: at the start, when added, or when enabled with the seat empty
  failover,   // a standby has it now
  failback,   // its owner has it again
  vacated,    // nobody has it: its slots are re-dealt
  step,       // its owner, on its way back, has more of it
  retreat,    // its owner, on its way back, has left it again
  fail_open,  // its owner has it although it does not look healthy
};
std::string_view to_string(SeatChangeKind kind) noexcept;

struct SeatChange {
  SeatChangeKind kind = SeatChangeKind::vacated;
  std::string owner;
  std::string before;  // holder; empty = nobody
  std::string after;
  uint16_t owner_share = 0;  // of the seat's slots that its owner serves now, in kWhole-ths
  Cause cause = Cause::probe;
  std::string detail;
  std::optional<Nanoseconds> first_bad;
  Nanoseconds decided{0};
};

/// Something to tell that is about the pool as a whole.
struct Notice {
  std::string text;
};

/// A command that was not obeyed; the state is as if it had not been among the events.
struct Refusal {
  size_t event = 0;  // place among the events
  std::string sentence;
};

struct Outcome {
  PoolState state;
  std::vector<StateChange> states;  // in canonical order
  std::vector<SeatChange> seats;    // in canonical order; empty = the holders of all seats are what they were
  bool shares_changed = false;      // somebody's share of the slots has, by whatever cause: the table must follow
  std::vector<Notice> notices;
  std::vector<SeatState> seats_before;
  std::vector<Refusal> refusals;        // a caller that wants all or nothing drops the outcome when there is one
  std::optional<Nanoseconds> deadline;  // call again with a Tick at this time, if nothing happens before
};

/// Whether anything has to be published or told.
bool changed_anything(const Outcome& outcome) noexcept;

/// True for the usual: a good probe of a backend that has nothing left to prove. A caller with many backends may drop
/// such an event instead of walking through the pool; the state and the deadline stay what they are.
bool says_nothing_new(const config::PoolConfig& spec, const PoolState& state, const ProbeResult& result) noexcept;

/// A pool of which nothing is known: nobody serves until a probe says so (or probe kind none makes it needless).
Outcome start(const config::PoolConfig& spec, Nanoseconds now);

/// A backend as a former control plane left it in shared memory.
struct AdoptedBackend {
  std::string name;
  State state = State::unknown;
  Admin admin = Admin::enabled;
  bool held = false;
  uint32_t failures = 0;
  uint32_t flaps = 0;
  Nanoseconds failed_at{0};
  Nanoseconds since{0};
  std::vector<std::string> seats;  // owners of the seats it holds (its own name when it sits in its own)
  uint16_t returned = 0;           // of its own seat's slots, while a standby has the others
  std::optional<Drain> drain;
};

/// Goes on from what a former control plane knew: a serving backend serves until `fall` bad probes say otherwise, a
/// failed one stays out until `rise` good ones. Streaks, hold-downs and ramps begin anew, since nobody watched in
/// between; an owner on its way back keeps what it had. Records that contradict the configuration or each other count
/// for what they still can; disabled by either side is disabled.
Outcome adopt(const config::PoolConfig& spec, std::span<const AdoptedBackend> records, Nanoseconds now);

/// The configuration was replaced by `spec`. What is known of the backends that remain is kept, also across a change of
/// role. The seats of hot backends that left are gone without a SeatChange.
Outcome reconfigure(const config::PoolConfig& spec, PoolState state, Nanoseconds now);

/// Applies events that happened by `now`. Signals, Enable and Disable standing together count as simultaneous:
/// seats are settled after all of them, in canonical order, so their order does not matter. The other commands see
/// all that stand before them. `state` must belong to `spec` (throws std::invalid_argument if it has other backends:
/// reconfigure first).
Outcome step(const config::PoolConfig& spec, PoolState state, std::span<const Event> events, Nanoseconds now);
Outcome step(const config::PoolConfig& spec, PoolState state, const Event& event, Nanoseconds now);

/// Who has which seat, and how much of it, for the table. Indices into PoolConfig::backends, shares in kWhole-ths of
/// the seat's slots; what is in nobody's share is dealt to other seats (table/opening.h).
struct SeatAssignment {
  uint32_t owner = 0;
  uint32_t weight = 0;
  std::optional<uint32_t> holder;
  std::optional<uint32_t> guest;
  uint16_t holder_share = 0;
  uint16_t guest_share = 0;
  uint16_t planned = kWhole;  // of its own slots that the seat has by weight and load, whoever serves them now
  uint16_t accept = kWhole;   // of the slots that others' loads leave over
  uint32_t inherit = kWhole;  // room for slots that others' failures leave over, in kWhole-ths of its weight
  bool inherits = true;       // unless it keeps its room for seats
  uint16_t dealt = kWhole;    // of its own slots that nobody serves only those below are dealt to others
  friend bool operator==(const SeatAssignment&, const SeatAssignment&) = default;
};
std::vector<SeatAssignment> assignment(const config::PoolConfig& spec, const PoolState& state);

/// Slots of seats that nobody has, the room of those who inherit them (without a capacity as much again as they have),
/// and what of the slots is dropped: in the unit of weight. Owners that have not been heard of yet have not failed, and
/// what a ramp or a drain holds back has a home.
struct Burden {
  double orphans = 0;
  double room = 0;
  double shed = 0;
};
Burden burden(const config::PoolConfig& spec, const PoolState& state);

}  // namespace warmswap::failover
