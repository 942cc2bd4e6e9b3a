#include "controlplane/api/warnings.h"

#include <fmt/format.h>

#include <algorithm>

namespace warmswap::api {

namespace {

// Workers refresh their tick at least every 100 ms (layout.h); this leaves room for a busy machine.
constexpr Milliseconds kStalledTick{1000};

void warn_dataplane(const Status& status, std::vector<std::string>& warnings) {
  const DataplaneView& dataplane = status.dataplane;
  if (!dataplane.alive) {
    warnings.push_back(
        fmt::format("the dataplane is not running (state {}): no traffic is balanced, changes take effect when it "
                    "comes back",
                    dataplane.state));
    return;
  }
  if (dataplane.state != "running") {
    warnings.push_back(fmt::format("the dataplane is {}, expected running", dataplane.state));
  }
  if (status.lease.remaining <= Milliseconds(0)) {
    warnings.push_back("the control plane's lease has run out: the dataplane holds on to the last snapshot");
  }
  if (status.generation == 0) warnings.push_back("no snapshot has been published yet");
  for (const WorkerView& worker : dataplane.workers) {
    if (!worker.online) {
      warnings.push_back(fmt::format("worker {} on cpu {} is offline", worker.index, worker.cpu));
    } else if (worker.tick_age >= kStalledTick) {
      warnings.push_back(
          fmt::format("worker {} on cpu {} has shown no life for {} ms: its packets wait, and memory of "
                      "old snapshots is held for it",
                      worker.index, worker.cpu, worker.tick_age.count()));
    }
  }
}

std::string_view state_of(const PoolView& pool, const std::string& backend) {
  const auto found = std::find_if(pool.backends.begin(), pool.backends.end(),
                                  [&](const MemberView& member) { return member.name == backend; });
  return found == pool.backends.end() ? std::string_view("unknown") : std::string_view(found->state);
}

void warn_seat(const PoolView& pool, const SeatView& seat, std::vector<std::string>& warnings) {
  const std::string_view state = state_of(pool, seat.owner);
  if (!seat.holder) {
    const bool dealt = pool.slots_without_backend == 0;
    warnings.push_back(fmt::format("{}/{} is {} and no standby holds its seat: {}", pool.name, seat.owner, state,
                                   dealt ? "its slots are dealt to the others" : "its slots have no backend"));
  } else if (*seat.holder != seat.owner) {
    warnings.push_back(fmt::format("{}/{} is {}: {} holds its seat", pool.name, seat.owner, state, *seat.holder));
  }
}

void warn_pool(const PoolView& pool, std::vector<std::string>& warnings) {
  if (pool.slots_without_backend > 0) {
    warnings.push_back(fmt::format("pool {}: {} of {} slots have no backend, their packets are dropped", pool.name,
                                   pool.slots_without_backend, pool.ring_size));
  }
  for (const SeatView& seat : pool.seats) {
    if (seat.weight > 0) warn_seat(pool, seat, warnings);
  }
  for (const MemberView& member : pool.backends) {
    const bool standby_lost = member.role == config::Role::warm && member.state == "cold";
    if (member.state == "suspect" || standby_lost) {
      warnings.push_back(fmt::format("{}/{} is {}{}", pool.name, member.name, member.state,
                                     standby_lost ? " and cannot stand in" : ""));
    }
  }
}

}  // namespace

std::vector<std::string> derive_warnings(const Status& status, const std::vector<PoolView>& pools) {
  std::vector<std::string> warnings;
  warn_dataplane(status, warnings);
  for (const PoolView& pool : pools) warn_pool(pool, warnings);
  return warnings;
}

}  // namespace warmswap::api
