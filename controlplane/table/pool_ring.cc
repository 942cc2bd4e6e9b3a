#include "controlplane/table/pool_ring.h"

#include <algorithm>
#include <map>
#include <utility>

#include "controlplane/table/re_deal.h"

namespace warmswap::table {
namespace {

std::vector<RingSeat> views_of(const std::vector<OwnedSeat>& seats) {
  std::vector<RingSeat> views;
  views.reserve(seats.size());
  for (const OwnedSeat& seat : seats) views.push_back({seat.name, seat.weight});
  return views;
}

const std::string& seat_name(const PoolRing& ring, size_t record) {
  return ring.seats()[ring.records()[record]].name;
}

/// Numbers for holders' names, the same across two moments.
class Numbers {
 public:
  uint16_t of(const std::string& holder) {
    if (holder.empty()) return kNoSeat;
    return numbers_.emplace(holder, static_cast<uint16_t>(numbers_.size())).first->second;
  }
  size_t size() const { return numbers_.size(); }

 private:
  std::map<std::string, uint16_t> numbers_;
};

}  // namespace

PoolRing::PoolRing(const PoolRing& before, uint32_t ring_size, std::vector<OwnedSeat> seats,
                   std::vector<Opening> openings)
    : seats_(std::move(seats)), openings_(std::move(openings)) {
  const std::vector<RingSeat> views = views_of(seats_);
  const bool same_base = before.base_.size() == ring_size && before.seats_ == seats_;
  base_ = same_base ? before.base_ : base_ring(ring_size, views);
  const bool whole = std::all_of(openings_.begin(), openings_.end(),
                                 [](const Opening& opening) { return opening.served() == kWhole; });
  ring_ = whole ? base_ : re_deal(base_, views, openings_);
  for (size_t s = 0; s < seats_.size(); ++s) records_.push_back(static_cast<uint16_t>(s));
  seat_guests();
  slots_ = slots_per_seat(ring_, records_.size());
}

void PoolRing::seat_guests() {
  std::vector<uint16_t> record_of(seats_.size(), kNoSeat);
  std::vector<Places> places;
  for (size_t s = 0; s < seats_.size(); ++s) {
    places.emplace_back(seats_[s].name);
    if (openings_[s].guest == 0) continue;
    record_of[s] = static_cast<uint16_t>(records_.size());
    records_.push_back(static_cast<uint16_t>(s));
  }
  if (records_.size() == seats_.size()) return;
  for (uint32_t slot = 0; slot < ring_.size(); ++slot) {
    const uint16_t seat = ring_[slot];
    if (seat == kNoSeat || record_of[seat] == kNoSeat) continue;
    if (places[seat].of(slot) < openings_[seat].guest) ring_[slot] = record_of[seat];
  }
}

bool PoolRing::matches(uint32_t ring_size, const std::vector<OwnedSeat>& seats,
                       const std::vector<Opening>& openings) const noexcept {
  return ring_.size() == ring_size && seats == seats_ && openings == openings_;
}

uint32_t PoolRing::slots_without_seat() const noexcept {
  uint32_t owned = 0;
  for (const uint32_t count : slots_) owned += count;
  return static_cast<uint32_t>(ring_.size()) - owned;
}

SlotsMoved slots_moved(const Holding& before, const Holding& after) {
  const Ring& old_ring = before.ring.ring();
  const Ring& new_ring = after.ring.ring();
  if (old_ring.size() != new_ring.size()) return {static_cast<uint32_t>(new_ring.size()), 0};
  Numbers numbers;
  const auto numbered = [&numbers](const Holding& holding) {
    std::vector<uint16_t> index;
    for (const std::string& holder : holding.holders) index.push_back(numbers.of(holder));
    return renumbered(holding.ring.ring(), index);
  };
  const Ring old_holders = numbered(before);
  const Ring new_holders = numbered(after);
  std::vector<bool> survives(numbers.size(), false);
  for (size_t s = 0; s < before.holders.size(); ++s) {
    const std::string& holder = before.holders[s];
    for (size_t t = 0; t < after.holders.size(); ++t) {
      const bool same_seat = seat_name(before.ring, s) == seat_name(after.ring, t);
      if (same_seat && !holder.empty() && after.holders[t] == holder) survives[numbers.of(holder)] = true;
    }
  }
  return slots_moved(old_holders, new_holders, survives);
}

}  // namespace warmswap::table
