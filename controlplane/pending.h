// A change that waits for its confirmation: how it is remembered, undone, and kept in the segment so that a restart of
// the control plane does not make it permanent. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controlplane/api/plan.h"
#include "controlplane/overlay.h"

namespace warmswap::controlplane {

/// `before` the change whose plans these are; `reloaded`: it replaced the file's configuration.
Pending remember_for_rollback(const Model& before, const std::vector<api::PoolPlan>& plans, std::string what,
                              std::chrono::system_clock::time_point until, bool reloaded);

/// Undoes model.pending: the configuration, then who is disabled, then who holds the seats the change touched, as far
/// as health allows; what health has proved meanwhile stays. Returns a sentence for everything that could not be
/// undone.
std::vector<std::string> roll_back(Model& model, Nanoseconds now, std::vector<PoolOutcome>& outcomes);

/// The run-time changes, and what is pending, as text for the segment; empty when there is neither.
std::string render_overlay(const Model& model);

struct FoundOverlay {
  std::vector<api::Change> overlay;
  std::optional<Pending> pending;
};
contract::Result<FoundOverlay> parse_overlay(const std::string& text, const api::PoolProbe& pool_probe);

}  // namespace warmswap::controlplane
