#include "controlplane/failover/engine.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "controlplane/failover/step.h"

namespace warmswap::failover {

namespace {

constexpr std::array<std::string_view, 17> kCauseNames = {
    "probe",   "enable", "disable", "failover", "failback", "hold_down", "last_resort",   "heartbeat", "anomaly",
    "warm_up", "swap",   "drill",   "step",     "drain",    "panic",     "configuration", "adoption",
};
static_assert(kCauseNames.size() == static_cast<size_t>(Cause::adoption) + 1, "one name for each cause");

constexpr std::array<std::string_view, 7> kSeatChangeNames = {
    "opened", "failover", "failback", "vacated", "step", "retreat", "fail_open",
};
static_assert(kSeatChangeNames.size() == static_cast<size_t>(SeatChangeKind::fail_open) + 1, "one name for each kind");

}  // namespace

std::string_view to_string(Cause cause) noexcept {
  return kCauseNames[static_cast<size_t>(cause)];
}

std::string_view to_string(SeatChangeKind kind) noexcept {
  return kSeatChangeNames[static_cast<size_t>(kind)];
}

bool changed_anything(const Outcome& outcome) noexcept {
  return !outcome.states.empty() || !outcome.seats.empty() || !outcome.notices.empty() || outcome.shares_changed;
}

bool says_nothing_new(const config::PoolConfig& spec, const PoolState& state, const ProbeResult& result) noexcept {
  const auto at =
      std::lower_bound(state.backends.begin(), state.backends.end(), result.backend,
                       [](const BackendState& backend, const std::string& name) { return backend.name < name; });
  if (result.outcome != Probe::good || at == state.backends.end() || at->name != result.backend) return false;
  const std::optional<config::ProbeConfig>& own = spec.backends[static_cast<size_t>(at - state.backends.begin())].probe;
  const uint32_t rise = std::max((own ? *own : spec.probe).rise, 1u);
  return at->health == Health::up && at->bad_streak == 0 && at->good_streak >= rise;
}

Outcome step(const config::PoolConfig& spec, PoolState state, std::span<const Event> events, Nanoseconds now) {
  if (state.backends.size() != spec.backends.size()) {
    throw std::invalid_argument("pool " + spec.name + " has " + std::to_string(spec.backends.size()) +
                                " backends and its state " + std::to_string(state.backends.size()) +
                                "; expected the state to have been reconfigured first");
  }
  Step step(spec, std::move(state), now, Cause::configuration);
  std::vector<Refusal> refusals;
  for (size_t i = 0; i < events.size(); ++i) {
    std::optional<std::string> refusal = std::visit([&](const auto& event) { return step.take(event); }, events[i]);
    if (refusal) refusals.push_back({i, std::move(*refusal)});
  }
  return step.finish(std::move(refusals));
}

Outcome step(const config::PoolConfig& spec, PoolState state, const Event& event, Nanoseconds now) {
  return step(spec, std::move(state), std::span(&event, 1), now);
}

}  // namespace warmswap::failover
