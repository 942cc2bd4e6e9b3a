// One call of the engine while it is under way: applies events to a PoolState and reports what came of them. Internal
// to failover/; one thread, lives within one call.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "controlplane/failover/engine.h"
#include "controlplane/failover/seats.h"

namespace warmswap::failover {

class Step {
 public:
  /// `otherwise` is the cause of what no event explains. `pool` belongs to `spec`.
  Step(const config::PoolConfig& spec, PoolState pool, Nanoseconds now, Cause otherwise);

  /// The holder of this seat left the configuration.
  void holder_is_gone(uint32_t seat, const std::string& name);

  // Evidence (evidence.cc). The seats follow with the next settle().
  void apply(const ProbeResult& result);
  void enable(uint32_t backend, Cause cause);
  void disable(uint32_t backend, Cause cause);

  // Commands (command.cc): a sentence when refused.
  std::optional<std::string> command(const Enable& event);
  std::optional<std::string> command(const Disable& event);
  std::optional<std::string> command(const Failover& event);
  std::optional<std::string> command(const Failback& event);

  void settle();
  /// Settles and reports. The step is over.
  Outcome finish(std::vector<Refusal> refusals);

 private:
  struct Note {
    std::optional<Cause> cause;
    std::string detail;
  };
  struct Reason {
    Cause cause;
    std::string detail;
    std::optional<Nanoseconds> first_bad;
  };

  const config::ProbeConfig& probe_of(uint32_t backend) const;
  std::optional<uint32_t> find(const std::string& name) const;
  std::optional<uint32_t> seat_of_owner(uint32_t backend) const;
  std::string unknown_name(const std::string& name) const;
  std::string why_not_ready(uint32_t standby) const;
  void forget_evidence(uint32_t backend);
  void trust_unprobed();

  Reason reason_for_seat(uint32_t seat) const;
  Reason reason_for_backend(uint32_t backend, std::optional<uint32_t> seat_before,
                            std::optional<uint32_t> seat_after) const;
  void report_seats(Outcome& outcome) const;
  void report_states(Outcome& outcome);

  const config::PoolConfig& spec_;
  PoolState pool_;
  Nanoseconds now_;
  Cause otherwise_;
  std::vector<Note> notes_;    // by backend: the latest thing that happened to it
  std::vector<bool> changed_;  // by backend: its health or admin state changed
  std::vector<SeatNote> seat_notes_;
  std::vector<SeatState> seats_before_;
  std::vector<std::string> gone_;  // by seat: the holder that left the configuration; usually empty
};

}  // namespace warmswap::failover
