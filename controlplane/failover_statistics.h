// What failovers add up to: counts by cause, how long detecting and switching took, time in each state. Values; one
// thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "controlplane/api/model.h"
#include "controlplane/failover/engine.h"

namespace warmswap::controlplane {

class FailoverStatistics {
 public:
  using Nanoseconds = std::chrono::nanoseconds;

  /// Takes what the engine reports of one pool.
  void take(const std::string& pool, const failover::Outcome& outcome);
  /// The last worker has the table of a change decided then.
  void switched(Nanoseconds decided, Nanoseconds acknowledged);
  /// Backends and pools that are no more are forgotten; `backends` are POOL/BACKEND.
  void keep_only(const std::set<std::string>& backends);

  api::FailoverFigures figures() const;
  /// Seconds this backend has spent in each state it has been in, the present one up to `now`.
  std::map<std::string, double> time_in_state(const std::string& pool, const failover::BackendState& backend,
                                              Nanoseconds now) const;

 private:
  std::map<std::tuple<std::string, std::string, std::string>, uint64_t> changes_;  // pool, kind, cause
  api::Histogram detection_;
  api::Histogram switch_;
  std::map<std::string, std::map<failover::State, Nanoseconds>> spent_;  // by POOL/BACKEND, states that are over
};

}  // namespace warmswap::controlplane
