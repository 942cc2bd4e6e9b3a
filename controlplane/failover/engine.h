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
struct Enable {
  std::string backend;
};
struct Disable {
  std::string backend;
};
/// Gives the seat of the hot `backend` to a standby and holds it there until a Failback.
struct Failover {
  std::string backend;
  std::string standby;  // empty = the one the rules would choose
};
struct Failback {
  std::string backend;
};
/// Nothing but time has passed.
struct Tick {};
using Event = std::variant<ProbeResult, Enable, Disable, Failover, Failback, Tick>;

/// Why something changed.
enum class Cause : uint8_t {
  probe,
  enable,
  disable,
  failover,
  failback,
  hold_down,    // healthy for long enough
  last_resort,  // nobody else was left to serve the pool
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
  std::optional<Nanoseconds> first_bad;  // first bad signal, where bad probes are the cause
  Nanoseconds decided{0};
};

enum class SeatChangeKind : uint8_t {
  opened,    // its owner serves without having left it: at the start, when added, or when enabled with the seat empty
  failover,  // a standby has it now
  failback,  // its owner has it again
  vacated,   // nobody has it: its slots are re-dealt
};
std::string_view to_string(SeatChangeKind kind) noexcept;

struct SeatChange {
  SeatChangeKind kind = SeatChangeKind::vacated;
  std::string owner;
  std::string before;  // holder; empty = nobody
  std::string after;
  Cause cause = Cause::probe;
  std::string detail;
  std::optional<Nanoseconds> first_bad;
  Nanoseconds decided{0};
};

/// A command that was not obeyed; the state is as if it had not been among the events.
struct Refusal {
  size_t event = 0;  // place among the events
  std::string sentence;
};

struct Outcome {
  PoolState state;
  std::vector<StateChange> states;      // in canonical order
  std::vector<SeatChange> seats;        // in canonical order; empty = the holders of all seats are what they were
  std::vector<Refusal> refusals;        // a caller that wants all or nothing drops the outcome when there is one
  std::optional<Nanoseconds> deadline;  // call again with a Tick at this time, if nothing happens before
};

/// A pool of which nothing is known: nobody serves until a probe says so (or probe kind none makes it needless).
Outcome start(const config::PoolConfig& spec, Nanoseconds now);

/// A backend as a former control plane left it in shared memory.
struct AdoptedBackend {
  std::string name;
  State state = State::unknown;
  Admin admin = Admin::enabled;
  bool held = false;
  uint32_t failures = 0;
  Nanoseconds since{0};
  std::string seat_of;  // owner of the seat it holds (its own name when it sits in its own); empty = none
};

/// Goes on from what a former control plane knew: a serving backend serves until `fall` bad probes say otherwise, a
/// failed one stays out until `rise` good ones. Streaks, hold-downs and what made them longer begin anew, since nobody
/// watched in between. Records that contradict the configuration or each other count for what they still can; disabled
/// by either side is disabled.
Outcome adopt(const config::PoolConfig& spec, std::span<const AdoptedBackend> records, Nanoseconds now);

/// The configuration was replaced by `spec`. What is known of the backends that remain is kept, also across a change of
/// role. The seats of hot backends that left are gone without a SeatChange.
Outcome reconfigure(const config::PoolConfig& spec, PoolState state, Nanoseconds now);

/// Applies events that happened by `now`. Probe results, Enable and Disable standing together count as simultaneous:
/// seats are settled after all of them, in canonical order, so their order does not matter. A Failover or Failback sees
/// all that stand before it. `state` must belong to `spec` (throws std::invalid_argument if it has other backends:
/// reconfigure first).
Outcome step(const config::PoolConfig& spec, PoolState state, std::span<const Event> events, Nanoseconds now);
Outcome step(const config::PoolConfig& spec, PoolState state, const Event& event, Nanoseconds now);

/// Who has which seat, for the table. Indices into PoolConfig::backends.
struct SeatAssignment {
  uint32_t owner = 0;
  uint32_t weight = 0;
  std::optional<uint32_t> holder;

  friend bool operator==(const SeatAssignment&, const SeatAssignment&) = default;
};
std::vector<SeatAssignment> assignment(const config::PoolConfig& spec, const PoolState& state);

}  // namespace warmswap::failover
