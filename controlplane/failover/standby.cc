#include "controlplane/failover/standby.h"

#include <algorithm>
#include <tuple>

#include "controlplane/failover/seats.h"
#include "controlplane/failover/shares.h"

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

uint16_t room_for(const config::PoolConfig& spec, uint32_t standby, uint32_t seat_owner, bool busy, uint64_t held) {
  const uint64_t capacity = spec.backends[standby].capacity;
  if (capacity == 0) return busy ? 0 : kWhole;
  const uint64_t weight = std::max(spec.backends[seat_owner].weight, 1u);
  return capacity <= held ? 0 : static_cast<uint16_t>(std::min<uint64_t>((capacity - held) * kWhole / weight, kWhole));
}

std::optional<uint32_t> Pairing::first_choice(uint32_t seat) const {
  if (warm_.empty()) return std::nullopt;
  return warm_[choices_[seat].place];
}

std::optional<Choice> Pairing::best(const PoolState& pool, uint32_t seat, const Wish& wish) const {
  if (warm_.empty()) return std::nullopt;  // what follows costs time in proportion to the pool
  const FirstChoice first = choices_[seat];
  const uint32_t count = static_cast<uint32_t>(warm_.size());
  const std::vector<uint64_t> held = weight_held(spec_, pool);
  const std::vector<Sitting> sitting = sittings(pool);
  const auto busy = [&](uint32_t standby) { return sitting[standby] != Sitting::out; };
  const auto key = [&](uint32_t place, uint16_t part) {
    const uint32_t standby = warm_[place];
    const bool doubted = !clean(pool.backends[standby]);
    const bool is_first = place == first.place;
    return std::tuple(!pool.backends[standby].warmed, !(is_first && first.explicitly && !doubted),
                      same_domain(standby, pool.seats[seat].owner), wish.lost && same_domain(standby, *wish.lost),
                      doubted, part < kWhole, busy(standby), !is_first, claims_[place],
                      (place + count - first.place) % count);
  };
  std::optional<uint32_t> chosen;
  uint16_t part = 0;
  for (uint32_t place = 0; place < count; ++place) {
    const uint32_t standby = warm_[place];
    if (!available(pool.backends[standby])) continue;
    if (!wish.avoid.empty() && spec_.backends[standby].domain == wish.avoid) continue;
    const uint16_t fits = room_for(spec_, standby, pool.seats[seat].owner, busy(standby), held[standby]);
    if (fits == 0 || (wish.whole && fits < kWhole) || (chosen && key(*chosen, part) <= key(place, fits))) continue;
    chosen = place;
    part = fits;
  }
  if (!chosen) return std::nullopt;
  return Choice{warm_[*chosen], part, pool.backends[warm_[*chosen]].warmed};
}

void promote(const config::PoolConfig& spec, SeatState& seat, const Choice& choice, Nanoseconds now) {
  sit_down(seat, choice.standby);
  seat.part = choice.part;
  if (spec.promotion_ramp.count() == 0) return;
  seat.ramp = Ramp::promotion;
  seat.ramp_since = now;
  seat.ramp_share = ramp_share(spec, seat, now);
}

}  // namespace warmswap::failover
