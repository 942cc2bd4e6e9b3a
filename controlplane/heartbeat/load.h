// From what agents report of their hosts' load to the part of its weight that each backend of one pool gets. Pure:
// reports and the time come from the caller. One thread.
//
//     L_i    = sum of w_k x part_k / sum of w_k   over the parts that host i reports, smoothed (EWMA)
//     LBC_i  = L_i / max L                        load coefficient, in (0, 1]
//     LBT    = threshold x mean L                 who is within it on either side is left alone
//     f_i   <- f_i x (mean LBC / LBC_i)^(1/2)     at most `step` in one interval, then scaled so that the largest is 1
//
// The share of a backend is weight x f. So more loaded means less traffic: a formula found in the literature gives the
// more loaded node more, which cannot be meant. Applying share ~ weight / LBC to the configured weights once would
// swing, since load follows traffic: as soon as all are loaded alike, all LBC are 1 and the imbalance would be back.
// Here the quotient moves the share from where it is, and the square root and the step keep the loop from overshooting.
// docs/redundancy.md has defaults and reasons.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "controlplane/config/config.h"
#include "dataplane/contract/agent_report.h"

namespace warmswap::heartbeat {

using Nanoseconds = std::chrono::nanoseconds;

/// A load below this counts as this: of two idle hosts neither is twice as loaded as the other.
inline constexpr double kLeastLoad = 0.05;
/// A pool whose mean is below this is not balanced by load: there is nothing to relieve anybody of.
inline constexpr double kIdlePool = 0.10;
/// Shares come in steps of 1/64, so that noise does not move slots.
inline constexpr uint32_t kQuanta = 64;

/// The weighted mean of the parts that are known; 0 when none is. `most_connections`: of the pool, for the part of
/// connections.
double weighted_load(const config::LoadConfig& config, const contract::AgentLoad& load, uint32_t most_connections);

/// Load coefficients: each load over the largest.
std::vector<double> load_coefficients(std::span<const double> loads);

/// What share ~ 1 / LBC makes of one moment's loads, for equal weights; adds up to 1.
std::vector<double> shares_for(std::span<const double> loads);

class LoadBalance {
 public:
  void report(uint64_t id, const contract::AgentLoad& load, Nanoseconds now);
  void forget(uint64_t id);

  /// This backend has just taken a place whose share was `share`: its own begins there instead of jumping. Says nothing
  /// new where it is the share it was given last.
  void begins_with(uint64_t id, uint16_t share);

  struct Share {
    uint64_t id = 0;
    uint16_t share = contract::kWhole;  // of its weight, in kWhole-ths
    friend bool operator==(const Share&, const Share&) = default;
  };
  /// Call once per config.interval with the backends that serve. What each gets from now on.
  std::vector<Share> update(const config::LoadConfig& config, std::span<const uint64_t> serving, Nanoseconds now);

  /// The smoothed load, 0..1; nullopt when nothing was heard for `hold`.
  std::optional<double> load(const config::LoadConfig& config, uint64_t id, Nanoseconds now) const;

 private:
  struct Node {
    contract::AgentLoad latest;
    Nanoseconds heard{0};
    std::optional<double> smoothed;
    Nanoseconds smoothed_at{0};
    double factor = 1;
  };
  void smooth(const config::LoadConfig& config, std::span<const uint64_t> ids, Nanoseconds now);

  std::map<uint64_t, Node> nodes_;
};

}  // namespace warmswap::heartbeat
