// What the failover engine knows about a pool: plain values that main keeps between two calls of engine.h. Any thread
// may read a PoolState that nobody writes. docs/redundancy.md has the states as a diagram.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/config/config.h"
#include "dataplane/contract/layout.h"

namespace warmswap::failover {

using Nanoseconds = std::chrono::nanoseconds;
using Role = config::Role;
using contract::kWhole;

/// The values are stored in shared memory (contract::BackendInfo::state): never renumber.
enum class State : uint8_t {
  unknown = 0,     // hot: no evidence yet; does not serve
  serving = 1,     // hot: healthy, in its seat
  suspect = 2,     // hot: in its seat, but the last probes were bad
  failed = 3,      // hot: `fall` probes in a row were bad
  recovering = 4,  // hot: healthy, not in its seat
  cold = 5,        // warm: not known to work
  warming = 6,     // warm: good probes, fewer than `rise` in a row, or not yet warmed up
  warm = 7,        // warm: healthy, ready to take a seat
  promoted = 8,    // warm: healthy, holds the seat of a hot backend
  disabled = 9,    // any: out by command or configuration
  draining = 10,   // any: hands its seats over little by little, and is disabled then
  ejected = 11,    // any: works, but so much worse than the others that it is out for a time
};

/// Stored in shared memory (contract::BackendInfo::admin).
enum class Admin : uint8_t { enabled = 0, disabled = 1 };

std::string_view to_string(State state) noexcept;
std::optional<State> parse_state(std::string_view text) noexcept;
/// For bytes from shared memory: nullopt for a number that is no State.
std::optional<State> state_from_byte(uint8_t byte) noexcept;

std::string_view to_string(Role role) noexcept;
std::string_view to_string(Admin admin) noexcept;

/// What the signals have proved, whoever sits where.
enum class Health : uint8_t { unknown, up, down };

/// What is heard of the agent on the backend's host.
enum class Beats : uint8_t {
  silent,   // nothing was ever heard, it said goodbye, or the host outlived it: no signal
  beating,  // in time
  late,     // the next one is overdue
  lost,     // so many are overdue that the host is taken for dead
};

/// Times in which a backend that works is out because it does so much worse than the others.
struct Ejection {
  uint32_t count = 0;    // of late: each one lasts longer
  Nanoseconds since{0};  // of the latest one
  Nanoseconds until{0};  // out before this

  friend bool operator==(const Ejection&, const Ejection&) = default;
};

/// Hands its seats over from `since` on, and is disabled at `until`.
struct Drain {
  Nanoseconds since{0};
  Nanoseconds until{0};

  friend bool operator==(const Drain&, const Drain&) = default;
};

struct BackendState {
  std::string name;
  Role role = Role::hot;
  State state = State::unknown;  // follows from the rest; kept to see changes
  Admin admin = Admin::enabled;
  bool configured_enabled = true;  // what the configuration said last: only a change of it overrides a command
  bool held = false;               // hot: a manual failover took its seat; only a manual failback returns it
  bool vacated = false;            // hot: has left its seat, so its return is a failback and governed as such
  Health health = Health::unknown;
  uint32_t good_streak = 0;      // probes in a row, counted up to `rise`
  uint32_t bad_streak = 0;       // counted up to `fall`
  uint32_t failures = 0;         // times its health went down
  uint32_t flaps = 0;            // of its latest failure: 1 after a calm time, one more for each failure soon after
  Nanoseconds failed_at{0};      // its latest failure
  Nanoseconds since{0};          // of the present state
  Nanoseconds first_bad{0};      // start of the latest run of bad probes
  Nanoseconds healthy_since{0};  // while up without a bad probe: the hold-down counts from here
  Beats beats = Beats::silent;
  bool ready = true;     // what its agent says
  bool warmed = true;    // warm: its warm-up is done, or none is asked for
  bool ejected = false;  // until ejection.until
  Ejection ejection;
  std::optional<Nanoseconds> drill_until;  // held for a drill: the owner returns at this time
  std::optional<Drain> drain;
  std::string reason;  // why it is in the present state

  friend bool operator==(const BackendState&, const BackendState&) = default;
};

/// Why a seat is not wholly its holder's yet.
enum class Ramp : uint8_t {
  none,
  failback,    // the owner comes back step by step
  promotion,   // a standby takes over
  slow_start,  // a backend serves for the first time
};

/// One seat per hot backend, in canonical order. Indices into PoolState::backends.
struct SeatState {
  uint32_t owner = 0;
  std::optional<uint32_t> holder;  // the owner, a promoted standby, or nobody: then the table re-deals its slots
  // Its owner, which a failback by steps gives more and more of its slots, or a standby kept warm by a trickle of them.
  std::optional<uint32_t> guest;
  uint16_t guest_share = 0;  // of its slots, in kWhole-ths
  // Of its weight that the load of its holder leaves it. It stays when the holder changes: a failure moves nobody else.
  uint16_t load = kWhole;
  uint16_t part = kWhole;  // of its slots that fit into the holder's capacity
  bool doubtful = false;   // the holder is not healthy: the pool fails open
  Ramp ramp = Ramp::none;  // of the guest when there is one, else of the holder
  Nanoseconds ramp_since{0};
  uint16_t ramp_share = kWhole;  // of the seat, in kWhole-ths, that the ramp gave when it was last looked at

  friend bool operator==(const SeatState&, const SeatState&) = default;
};

struct PoolState {
  std::vector<BackendState> backends;  // as PoolConfig::backends: same order, same names
  std::vector<SeatState> seats;
  // Most backends turned bad together, which speaks against this host: until then nobody is found failed.
  std::optional<Nanoseconds> doubt_until;  // once past it stays until the signals are better, so that doubt ends
  bool panic = false;                      // too few are healthy: health is not looked at
  bool overloaded = false;                 // more is left over than the others have capacity for

  friend bool operator==(const PoolState&, const PoolState&) = default;
};

}  // namespace warmswap::failover
