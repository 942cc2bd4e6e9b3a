// Who sits where: the rules that turn evidence and commands into holders of seats. Internal to failover/; pure.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "controlplane/failover/engine.h"

namespace warmswap::failover {

/// What settling did with one seat, for the reports.
struct SeatNote {
  bool lost = false;                  // in this round its holder had to leave it
  bool retreated = false;             // its owner, on the way back, left it again
  std::optional<uint32_t> lost_from;  // that holder, unless it left the configuration
  bool opened = false;                // its owner sits down without having left
  std::optional<Cause> cause;         // why the holder changed, if the reason is no backend's
  std::optional<uint32_t> because;    // else: the backend whose evidence or command was the reason
};

/// A note for a change whose reason is no backend's.
SeatNote seat_note(Cause cause);

/// In the seat or ready to be: enabled, found to work, and not ejected.
bool fit(const BackendState& backend) noexcept;

/// Nothing is known of it yet, so it has not failed.
bool never_asked(const BackendState& backend) noexcept;

/// May take a seat: fit, and not on its way out.
bool available(const BackendState& backend) noexcept;

/// The last signal of every kind was good.
bool clean(const BackendState& backend) noexcept;

/// How a backend sits, as far as its state depends on it.
enum class Sitting : uint8_t { out, returning, seated };

/// The state that follows from a backend's evidence and from how it sits.
State state_of(const BackendState& backend, Sitting sitting) noexcept;
Sitting sitting_of(const PoolState& pool, uint32_t backend) noexcept;
/// The same for all, by backend.
std::vector<Sitting> sittings(const PoolState& pool);

/// The holder of a seat changes: whoever sat there has left it.
void sit_down(SeatState& seat, uint32_t backend) noexcept;
void stand_up(SeatState& seat) noexcept;

/// By backend: the number of the first seat it holds.
std::vector<std::optional<uint32_t>> seats_held(std::span<const SeatState> seats, size_t backends);

/// Gives every seat to whom the rules of docs/redundancy.md give it. `changed[b]`: backend b's health or admin state
/// changed in this step. `notes` has one entry a seat; several rounds of one step share it.
void settle(const config::PoolConfig& spec, PoolState& pool, Nanoseconds now, const std::vector<bool>& changed,
            std::vector<SeatNote>& notes);

/// When the first hold-down, ramp step, ejection or doubt ends, if nothing happens before.
std::optional<Nanoseconds> next_deadline(const config::PoolConfig& spec, const PoolState& pool, Nanoseconds now);

}  // namespace warmswap::failover
