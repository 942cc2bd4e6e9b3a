// Everything the control plane decides about, as one value: a change works on a copy, and a refused change throws the
// copy away. One thread.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controlplane/api/changes.h"
#include "controlplane/config/config.h"
#include "controlplane/failover/engine.h"
#include "controlplane/table/pool_ring.h"

namespace warmswap::controlplane {

using Nanoseconds = std::chrono::nanoseconds;

struct PoolModel {
  failover::PoolState state;
  std::shared_ptr<const table::PoolRing> ring = std::make_shared<const table::PoolRing>();
  std::map<std::string, Nanoseconds> seat_since;  // by owner, steady clock: when the seat's holder last changed
};

/// A change that waits for its confirmation, with what an operator had decided before it.
struct Pending {
  std::string what;  // "weight web/hot1 50"
  std::chrono::system_clock::time_point until;
  std::optional<config::Config> file;  // of a reload; not kept across a restart: the file on disk is the new one
  std::vector<api::Change> overlay;
  std::set<std::string> disabled;              // POOL/BACKEND
  std::map<std::string, std::string> holders;  // of the seats it touches, by POOL/OWNER: who held it, "" = nobody
};

struct Model {
  config::Config file;     // as the file says
  config::Config running;  // with the run-time changes laid over it
  std::vector<api::Change> overlay;
  std::optional<Pending> pending;
  std::map<std::string, PoolModel> pools;  // by name; one for each pool of `running`
};

/// Steady-clock time in the engine's terms.
inline Nanoseconds steady_now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

/// Steady-clock times as wall-clock ones, for people and for records that outlive a process.
inline std::chrono::system_clock::time_point to_wall(Nanoseconds steady) {
  const auto ago = steady_now() - steady;
  return std::chrono::system_clock::now() - std::chrono::duration_cast<std::chrono::system_clock::duration>(ago);
}

/// Who sits at each record of the pool's ring: the holders of the seats, then their guests. Indices into the backends.
std::vector<std::optional<uint32_t>> sitters_of(const std::vector<failover::SeatState>& seats);
/// Their names, "" = nobody.
std::vector<std::string> sitter_names(const failover::PoolState& state, const std::vector<failover::SeatState>& seats);
std::vector<std::string> sitter_names(const failover::PoolState& state);

/// Brings the pool's ring to what its seats say. True when it changed.
bool refresh_ring(const config::PoolConfig& config, PoolModel& pool);

}  // namespace warmswap::controlplane
