#include "controlplane/failover/drain.h"

#include <algorithm>

#include "controlplane/failover/shares.h"
#include "controlplane/failover/standby.h"

namespace warmswap::failover {
namespace {

using config::PoolConfig;

Nanoseconds step_of(const Drain& drain) noexcept {
  return std::max((drain.until - drain.since) / static_cast<int64_t>(kRampSteps), Nanoseconds(1));
}

int64_t steps_done(const Drain& drain, Nanoseconds now) noexcept {
  return std::min<int64_t>(std::max(now - drain.since, Nanoseconds(0)) / step_of(drain), kRampSteps);
}

/// What a draining backend has handed over at `now`, in kWhole-ths of each seat it holds.
uint16_t handed_over(const Drain& drain, Nanoseconds now) noexcept {
  return static_cast<uint16_t>(steps_done(drain, now) * kWhole / kRampSteps);
}

bool has_standbys(const PoolConfig& spec) {
  return spec.mode == config::Mode::hot_warm && spec.activate_below == 100 &&
         std::any_of(spec.backends.begin(), spec.backends.end(),
                     [](const config::BackendConfig& backend) { return backend.role == Role::warm; });
}

}  // namespace

Nanoseconds next_drain_step(const Drain& drain, Nanoseconds now) noexcept {
  const int64_t next = steps_done(drain, now) + 1;
  if (next >= kRampSteps) return drain.until;
  return drain.since + next * step_of(drain);
}

void hand_over(const PoolConfig& spec, PoolState& pool, Nanoseconds now) {
  std::optional<Pairing> pairing;
  for (uint32_t s = 0; s < pool.seats.size(); ++s) {
    SeatState& seat = pool.seats[s];
    if (!seat.holder) continue;
    const std::optional<Drain>& drain = pool.backends[*seat.holder].drain;
    if (!drain) {
      if (seat.ramp == Ramp::none) seat.ramp_share = kWhole;  // a drain that was called off
      continue;
    }
    if (seat.guest == seat.owner || seat.doubtful || spec.backends[seat.owner].weight == 0) continue;
    // A seat that is not whole yet is led down from where it is.
    seat.ramp = Ramp::none;
    const uint16_t given = handed_over(*drain, now);
    if (!has_standbys(spec)) {
      seat.ramp_share = std::max<uint16_t>(std::min<uint16_t>(seat.ramp_share, kWhole - given), 1);
      continue;
    }
    seat.ramp_share = kWhole;
    // What a trickle has given it already stays there.
    const auto most = std::max(given, trickle_share(spec));
    if (most == 0) continue;
    if (!pairing) pairing.emplace(spec);
    const std::optional<Choice> next = pairing->best(pool, s, {.lost = seat.holder, .avoid = {}, .whole = true});
    if (!next) continue;
    seat.guest = next->standby;
    seat.guest_share = most;
  }
}

}  // namespace warmswap::failover
