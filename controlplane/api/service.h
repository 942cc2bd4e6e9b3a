// The control plane as the operator's interface sees it. The Controller implements it; the router calls it from the
// control plane's one thread, so nothing here needs a lock, and nothing may block: what takes time is waited for by the
// event log, not by the caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/api/changes.h"
#include "controlplane/api/model.h"
#include "controlplane/api/plan.h"

namespace warmswap::api {

/// Why a change was refused, as classes a client can act on.
enum class Refusal {
  none,
  invalid,     // 422: understood, but against a rule (no standby for a hot-hot pool, a weight out of range)
  not_found,   // 404: no such pool or backend
  conflict,    // 409: not in the present state (add of one that is there, failback of a seat its owner holds)
  arena_full,  // 507: no room for the new snapshot; the old one stays
  no_segment,  // 503: there is no dataplane segment to publish to
};

/// What became of a list of changes or a reload: all of it or nothing.
struct ApplyResult {
  Refusal refusal = Refusal::none;
  std::string error;  // one sentence; empty when applied
  uint64_t generation = 0;
  uint64_t slots_moved = 0;
  uint64_t survivor_slots_moved = 0;
  std::vector<PoolPlan> plan;      // of the pools it touches
  bool dry_run = false;            // nothing was changed
  std::vector<std::string> notes;  // sentences worth telling although all went well ("nothing changed")

  bool ok() const noexcept { return refusal == Refusal::none; }
};

/// The configuration file as it would say what runs.
struct SavePlan {
  Refusal refusal = Refusal::none;
  std::string error;
  std::string file;    // its path, as the control plane was started with
  std::string before;  // what it holds now; empty where it does not exist yet
  std::string after;
  std::vector<std::string> changes;  // from one to the other; empty: the file says what runs
};

class Service {
 public:
  virtual ~Service() = default;

  virtual Status status() const = 0;
  virtual std::vector<VipView> vips() const = 0;
  virtual std::vector<PoolView> pools() const = 0;
  /// Those of one pool, or all. The router has checked that the pool exists.
  virtual std::vector<BackendView> backends(std::optional<std::string_view> pool) const = 0;
  /// Events with seq > since, the oldest first; without `since` the newest ones. At most `limit` of them.
  virtual EventPage events(std::optional<uint64_t> since, size_t limit) const = 0;
  virtual Explanation explain(const contract::FlowKey& flow) const = 0;
  virtual std::vector<DropView> drops() const = 0;
  virtual VersionView version() const = 0;
  /// What the probe of an added backend inherits; nothing when there is no such pool.
  virtual std::optional<config::ProbeConfig> pool_probe(std::string_view pool) const = 0;

  /// Writes nothing: whoever asks does, with its own rights.
  /// What the configuration file must hold to say what runs, or a drop-in file beside it.
  virtual SavePlan save(bool drop_in) const = 0;

  virtual ApplyResult apply(const std::vector<Change>& changes, const ChangeOptions& options) = 0;
  virtual ApplyResult reload(const ChangeOptions& options) = 0;
  /// Makes the change that waits for it permanent, or undoes it. Refused with `conflict` when none waits.
  virtual ApplyResult confirm() = 0;
  virtual ApplyResult rollback() = 0;
};

}  // namespace warmswap::api
