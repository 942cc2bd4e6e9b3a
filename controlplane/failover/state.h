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

namespace warmswap::failover {

using Nanoseconds = std::chrono::nanoseconds;
using Role = config::Role;

/// The values are stored in shared memory (contract::BackendInfo::state): never renumber.
enum class State : uint8_t {
  unknown = 0,     // hot: no evidence yet; does not serve
  serving = 1,     // hot: healthy, in its seat
  suspect = 2,     // hot: in its seat, but the last probes were bad
  failed = 3,      // hot: `fall` probes in a row were bad
  recovering = 4,  // hot: healthy, not in its seat
  cold = 5,        // warm: not known to work
  warming = 6,     // warm: good probes, fewer than `rise` in a row
  warm = 7,        // warm: healthy, ready to take a seat
  promoted = 8,    // warm: healthy, holds the seat of a hot backend
  disabled = 9,    // any: out by command or configuration
  draining = 10,   // any: reserved; nothing drains yet
};

/// Stored in shared memory (contract::BackendInfo::admin).
enum class Admin : uint8_t { enabled = 0, disabled = 1 };

std::string_view to_string(State state) noexcept;
std::optional<State> parse_state(std::string_view text) noexcept;
/// For bytes from shared memory: nullopt for a number that is no State.
std::optional<State> state_from_byte(uint8_t byte) noexcept;

std::string_view to_string(Role role) noexcept;
std::string_view to_string(Admin admin) noexcept;

/// What the probes have proved, whoever sits where.
enum class Health : uint8_t { unknown, up, down };

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
  Nanoseconds healthy_since{0};  // while up with a bad_streak of 0: the hold-down counts from here
  std::string reason;            // why it is in the present state

  friend bool operator==(const BackendState&, const BackendState&) = default;
};

/// One seat per hot backend, in canonical order. Indices into PoolState::backends.
struct SeatState {
  uint32_t owner = 0;
  std::optional<uint32_t> holder;  // the owner, a promoted standby, or nobody: then the table re-deals its slots

  friend bool operator==(const SeatState&, const SeatState&) = default;
};

struct PoolState {
  std::vector<BackendState> backends;  // as PoolConfig::backends: same order, same names
  std::vector<SeatState> seats;

  friend bool operator==(const PoolState&, const PoolState&) = default;
};

}  // namespace warmswap::failover
