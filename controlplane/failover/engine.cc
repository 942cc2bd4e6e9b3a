#include "controlplane/failover/engine.h"

#include <stdexcept>
#include <utility>

#include "controlplane/failover/step.h"

namespace warmswap::failover {

std::string_view to_string(Cause cause) noexcept {
  switch (cause) {
    case Cause::probe:
      return "probe";
    case Cause::enable:
      return "enable";
    case Cause::disable:
      return "disable";
    case Cause::failover:
      return "failover";
    case Cause::failback:
      return "failback";
    case Cause::hold_down:
      return "hold_down";
    case Cause::last_resort:
      return "last_resort";
    case Cause::configuration:
      return "configuration";
    case Cause::adoption:
      return "adoption";
  }
  return "";
}

std::string_view to_string(SeatChangeKind kind) noexcept {
  switch (kind) {
    case SeatChangeKind::opened:
      return "opened";
    case SeatChangeKind::failover:
      return "failover";
    case SeatChangeKind::failback:
      return "failback";
    case SeatChangeKind::vacated:
      return "vacated";
  }
  return "";
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
    const Event& event = events[i];
    std::optional<std::string> refusal;
    if (const auto* result = std::get_if<ProbeResult>(&event)) step.apply(*result);
    if (const auto* enable = std::get_if<Enable>(&event)) refusal = step.command(*enable);
    if (const auto* disable = std::get_if<Disable>(&event)) refusal = step.command(*disable);
    if (const auto* failover = std::get_if<Failover>(&event)) {
      step.settle();
      refusal = step.command(*failover);
    }
    if (const auto* failback = std::get_if<Failback>(&event)) {
      step.settle();
      refusal = step.command(*failback);
    }
    if (refusal) refusals.push_back({i, std::move(*refusal)});
  }
  return step.finish(std::move(refusals));
}

Outcome step(const config::PoolConfig& spec, PoolState state, const Event& event, Nanoseconds now) {
  return step(spec, std::move(state), std::span(&event, 1), now);
}

std::vector<SeatAssignment> assignment(const config::PoolConfig& spec, const PoolState& state) {
  std::vector<SeatAssignment> seats;
  seats.reserve(state.seats.size());
  for (const SeatState& seat : state.seats) {
    seats.push_back({seat.owner, spec.backends[seat.owner].weight, seat.holder});
  }
  return seats;
}

}  // namespace warmswap::failover
