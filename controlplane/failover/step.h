// One call of the engine while it is under way: applies events to a PoolState and reports what came of them. Internal
// to failover/; one thread, lives within one call.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "controlplane/failover/engine.h"
#include "controlplane/failover/seats.h"
#include "controlplane/failover/standby.h"

namespace warmswap::failover {

class Step {
 public:
  /// `otherwise` is the cause of what no event explains. `pool` belongs to `spec`.
  Step(const config::PoolConfig& spec, PoolState pool, Nanoseconds now, Cause otherwise);

  /// The holder of this seat left the configuration.
  void holder_is_gone(uint32_t seat, const std::string& name);

  using Refused = std::optional<std::string>;  // the sentence that says why

  // Evidence (evidence.cc). The seats follow with the next settle(). Never refused.
  Refused take(const ProbeResult& result);
  Refused take(const BeatChange& change);
  Refused take(const LoadShare& load);
  Refused take(const WarmUp& warm_up);
  Refused take(const Outlier& outlier);
  Refused take(const Tick&) { return std::nullopt; }
  void enable(uint32_t backend, Cause cause);
  void disable(uint32_t backend, Cause cause);

  // Commands (command.cc).
  Refused take(const Enable& event);
  Refused take(const Disable& event);
  Refused take(const DrainOut& event);
  Refused take(const Failover& event);
  Refused take(const FailoverDomain& event);
  Refused take(const Failback& event);
  Refused take(const Swap& event);
  Refused take(const Drill& event);

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
  std::string why_not_ready(uint32_t standby, uint32_t seat) const;
  Refused give_to_standby(const std::string& backend, const std::string& standby, Cause cause);
  Refused swap_standbys(uint32_t holder, uint32_t waiting);
  bool leave_domain(const Pairing& pairing, const std::string& domain, PoolState& next, uint32_t seat) const;
  void forget_evidence(uint32_t backend);
  void trust_unprobed();
  void good_probe(uint32_t backend);
  void confirm_failures();
  bool can_do_without(uint32_t backend) const;
  void end_ejections();
  bool end_drains();

  Reason reason_for_seat(uint32_t seat) const;
  Reason reason_for_backend(uint32_t backend, std::optional<uint32_t> seat_before,
                            std::optional<uint32_t> seat_after) const;
  std::optional<SeatChangeKind> kind_of(uint32_t seat) const;
  void report_seats(Outcome& outcome) const;
  void report_states(Outcome& outcome);
  void report_notices(Outcome& outcome) const;

  const config::PoolConfig& spec_;
  PoolState pool_;
  Nanoseconds now_;
  Cause otherwise_;
  std::vector<Note> notes_;    // by backend: the latest thing that happened to it
  std::vector<bool> changed_;  // by backend: its health or admin state changed
  std::vector<SeatNote> seat_notes_;
  std::vector<SeatState> seats_before_;
  bool doubted_before_;
  bool panicked_before_;
  bool overloaded_before_;
  std::vector<std::string> gone_;  // by seat: the holder that left the configuration; usually empty
};

}  // namespace warmswap::failover
