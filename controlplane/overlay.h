// Run-time changes and how they lie over the configuration file. Pure.
#pragma once

#include <string>
#include <vector>

#include "controlplane/api/service.h"
#include "controlplane/model.h"

namespace warmswap::controlplane {

/// Applies the changes to `model` at `now`: all, or none with the result saying which and why. Fills the result's slots
/// and notes, and `outcomes` with what the engine did, for the event log. Rings are brought up to date.
struct PoolOutcome {
  std::string pool;
  failover::Outcome outcome;
};
api::ApplyResult apply_changes(Model& model, const std::vector<api::Change>& changes, Nanoseconds now,
                               std::vector<PoolOutcome>& outcomes);

/// Puts plans into a result, with their slots added up.
void add_plans(api::ApplyResult& result, std::vector<api::PoolPlan> plans);

/// What the change is, for people: "weight web/hot1 50".
std::string describe_change(const api::Change& change);

/// Changes of the configuration alone (add, remove, weight) laid over `file`, for a control plane that restarts. A
/// change that no longer fits is left out and described in `dropped`.
struct Laid {
  config::Config running;
  std::vector<api::Change> overlay;
  std::vector<std::string> dropped;
};
Laid lay_over(const config::Config& file, const std::vector<api::Change>& overlay);

/// Puts a freshly loaded file in the place of the model's, without its run-time changes. States of backends that stay
/// are kept. Fills the engine's outcome per pool.
std::vector<PoolOutcome> replace_configuration(Model& model, config::Config file, Nanoseconds now);

/// One sentence for each part of the file that differs and that a running process does not take up.
std::vector<std::string> restart_needed(const config::Config& before, const config::Config& after);

}  // namespace warmswap::controlplane
