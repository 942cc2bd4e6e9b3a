#include "controlplane/failover/standby.h"

#include <algorithm>
#include <tuple>

namespace warmswap::failover {

Pairing::Pairing(const config::PoolConfig& spec) : spec_(spec) {
  std::vector<uint32_t> hot;
  for (uint32_t i = 0; i < spec.backends.size(); ++i) {
    (spec.backends[i].role == Role::hot ? hot : warm_).push_back(i);
  }
  claims_.assign(warm_.size(), 0);
  choices_.resize(hot.size());
  if (warm_.empty()) return;

  for (uint32_t seat = 0; seat < hot.size(); ++seat) {
    const std::string& wanted = spec.backends[hot[seat]].standby;
    if (wanted.empty()) continue;
    for (uint32_t place = 0; place < warm_.size(); ++place) {
      if (spec.backends[warm_[place]].name != wanted) continue;
      choices_[seat] = {place, true};
      ++claims_[place];
    }
  }
  const uint32_t count = static_cast<uint32_t>(warm_.size());
  for (uint32_t seat = 0; seat < hot.size(); ++seat) {
    if (choices_[seat].explicitly) continue;
    const auto key = [&](uint32_t place) {
      return std::tuple(same_domain(hot[seat], warm_[place]), claims_[place], (place + count - seat % count) % count);
    };
    uint32_t chosen = 0;
    for (uint32_t place = 1; place < count; ++place) {
      if (key(place) < key(chosen)) chosen = place;
    }
    choices_[seat].place = chosen;
    ++claims_[chosen];
  }
}

bool Pairing::same_domain(uint32_t a, uint32_t b) const {
  const std::string& domain = spec_.backends[a].domain;
  return !domain.empty() && domain == spec_.backends[b].domain;
}

std::optional<uint32_t> Pairing::best(const PoolState& pool, uint32_t seat, std::optional<uint32_t> lost) const {
  const FirstChoice first = choices_[seat];
  const uint32_t count = static_cast<uint32_t>(warm_.size());
  const auto key = [&](uint32_t place) {
    const uint32_t standby = warm_[place];
    const bool doubted = pool.backends[standby].bad_streak > 0;
    const bool is_first = place == first.place;
    return std::tuple(!(is_first && first.explicitly && !doubted), same_domain(standby, pool.seats[seat].owner),
                      lost && same_domain(standby, *lost), doubted, !is_first, claims_[place],
                      (place + count - first.place) % count);
  };
  std::optional<uint32_t> chosen;
  for (uint32_t place = 0; place < count; ++place) {
    const BackendState& standby = pool.backends[warm_[place]];
    if (standby.admin == Admin::disabled || standby.health != Health::up) continue;
    const bool busy = std::any_of(pool.seats.begin(), pool.seats.end(),
                                  [&](const SeatState& other) { return other.holder == warm_[place]; });
    if (busy) continue;
    if (!chosen || key(place) < key(*chosen)) chosen = place;
  }
  if (!chosen) return std::nullopt;
  return warm_[*chosen];
}

}  // namespace warmswap::failover
