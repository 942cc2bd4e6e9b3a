// What an operator may change at run time, and its strict JSON form:
//
//     {"changes": [ {"op": "weight", "pool": "web", "backend": "web1", "weight": 50}, … ],
//      "dry_run": false, "force": false, "confirm_within": "30s"}       these are optional
//
//     op        besides op, pool, backend
//     add       address; optional role, weight, capacity, domain, standby, enabled, probe {kind, port, interval,
//               timeout, jitter, fall, rise, path, host, expect_status, tls, verify, payload, expect, service,
//               via}; what probe leaves out is as the pool has it
//     remove    –
//     weight    weight
//     enable    –
//     disable   –
//     failover  optional to: the warm backend that shall take the seat of `backend`; or, instead of backend, domain:
//     every
//               seat held in that failure domain
//     failback  optional whole: true = all of the seat at once
//     swap      with: the one that `backend` shall change places with
//     drill     for: how long; optional to
//
// Pure; any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "controlplane/api/plan.h"
#include "controlplane/api/protocol.h"
#include "controlplane/config/config.h"
#include "dataplane/contract/result.h"

namespace warmswap::api {

struct AddBackend {
  std::string pool;
  config::BackendConfig backend;
  friend bool operator==(const AddBackend&, const AddBackend&) = default;
};
struct RemoveBackend {
  std::string pool;
  std::string backend;
  friend bool operator==(const RemoveBackend&, const RemoveBackend&) = default;
};
struct SetWeight {
  std::string pool;
  std::string backend;
  uint32_t weight = 0;
  friend bool operator==(const SetWeight&, const SetWeight&) = default;
};
struct EnableBackend {
  std::string pool;
  std::string backend;
  friend bool operator==(const EnableBackend&, const EnableBackend&) = default;
};
struct DisableBackend {
  std::string pool;
  std::string backend;
  friend bool operator==(const DisableBackend&, const DisableBackend&) = default;
};
struct DrainBackend {
  std::string pool;
  std::string backend;
  config::Nanoseconds length{0};
  friend bool operator==(const DrainBackend&, const DrainBackend&) = default;
};
struct ForceFailover {
  std::string pool;
  std::string backend;            // the seat's owner
  std::optional<std::string> to;  // absent: the engine chooses
  friend bool operator==(const ForceFailover&, const ForceFailover&) = default;
};
struct ForceFailoverDomain {
  std::string pool;
  std::string domain;
  friend bool operator==(const ForceFailoverDomain&, const ForceFailoverDomain&) = default;
};
struct SwapBackends {
  std::string pool;
  std::string backend;
  std::string with;
  friend bool operator==(const SwapBackends&, const SwapBackends&) = default;
};
struct DrillBackend {
  std::string pool;
  std::string backend;            // the seat's owner
  std::optional<std::string> to;  // absent: the engine chooses
  config::Nanoseconds length{0};
  friend bool operator==(const DrillBackend&, const DrillBackend&) = default;
};
struct ForceFailback {
  std::string pool;
  std::string backend;  // the seat's owner
  bool whole = false;   // not by the pool's steps
  friend bool operator==(const ForceFailback&, const ForceFailback&) = default;
};

using Change = std::variant<AddBackend, RemoveBackend, SetWeight, EnableBackend, DisableBackend, ForceFailover,
                            ForceFailoverDomain, ForceFailback, SwapBackends, DrillBackend, DrainBackend>;

/// The probe of a pool, for what the probe of an added backend leaves out; nothing when there is no such pool.
using PoolProbe = std::function<std::optional<config::ProbeConfig>(std::string_view pool)>;

/// The fields beside `changes`: dry_run, force (booleans) and confirm_within (a duration).
contract::Result<ChangeOptions> parse_options(std::string_view json);

/// Reads the body of POST /v1/changes. Refuses the whole with a sentence naming index and field when anything is
/// unknown, missing, twice there, of the wrong type or out of range; whether pool and backend exist is not asked.
contract::Result<std::vector<Change>> parse_changes(std::string_view json, const PoolProbe& pool_probe,
                                                    size_t max_changes = kMaxChanges);

/// The same form, for keeping changes as text: parse_changes(render_changes(c), …) == c, since a probe is written in
/// full.
std::string render_changes(const std::vector<Change>& changes);

}  // namespace warmswap::api
