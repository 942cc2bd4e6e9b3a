#include "controlplane/table/re_deal.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "controlplane/table/rendezvous.h"
#include "controlplane/table/share_out.h"

namespace warmswap::table {
namespace {

/// The slots of each seat in ring order, one after the other: seat s has slots[begin[s]] .. slots[begin[s + 1] - 1].
struct SlotLists {
  std::vector<uint32_t> begin;
  std::vector<uint32_t> slots;

  std::span<const uint32_t> of(size_t seat) const {
    return std::span(slots).subspan(begin[seat], begin[seat + 1] - begin[seat]);
  }
};

SlotLists slots_of_dead(std::span<const uint16_t> base, const std::vector<bool>& dead) {
  SlotLists lists;
  lists.begin.assign(dead.size() + 1, 0);
  for (const uint16_t seat : base) {
    if (seat == kNoSeat) continue;
    if (seat >= dead.size()) {
      throw std::invalid_argument("the ring names seat " + std::to_string(seat) + "; expected below " +
                                  std::to_string(dead.size()));
    }
    if (dead[seat]) ++lists.begin[seat + size_t{1}];
  }
  for (size_t seat = 0; seat < dead.size(); ++seat) lists.begin[seat + 1] += lists.begin[seat];
  lists.slots.resize(lists.begin.back());
  std::vector<uint32_t> next(lists.begin.begin(), lists.begin.end() - 1);
  for (uint32_t slot = 0; slot < base.size(); ++slot) {
    if (base[slot] != kNoSeat && dead[base[slot]]) lists.slots[next[base[slot]]++] = slot;
  }
  return lists;
}

/// All seats of a pool as candidates, and what is needed to pick among them for one dead seat after the other.
class Dealer {
 public:
  Dealer(std::span<const RingSeat> seats, const std::vector<bool>& dead)
      : canonical_(canonical_order(seats)), live_(candidates(seats, dead)) {}

  void deal(uint16_t dead_rank, std::span<const uint32_t> slots, Ring& ring) const;
  const std::vector<uint16_t>& canonical() const { return canonical_; }

 private:
  Contest candidates(std::span<const RingSeat> seats, const std::vector<bool>& dead);

  std::vector<uint16_t> canonical_;            // rank → seat
  std::vector<Contest::Candidate> by_weight_;  // every configured seat, live or not
  std::vector<bool> rank_is_dead_;
  Contest live_;
};

Contest Dealer::candidates(std::span<const RingSeat> seats, const std::vector<bool>& dead) {
  rank_is_dead_.resize(seats.size());
  by_weight_.reserve(seats.size());
  for (uint16_t rank = 0; rank < canonical_.size(); ++rank) {
    const uint16_t seat = canonical_[rank];
    rank_is_dead_[rank] = dead[seat];
    by_weight_.push_back({seat_seed(seats[seat].name), seats[seat].weight, rank});
  }
  std::stable_sort(by_weight_.begin(), by_weight_.end(),
                   [](const auto& a, const auto& b) { return a.weight < b.weight; });
  std::vector<Contest::Candidate> live;
  live.reserve(by_weight_.size());
  for (const Contest::Candidate& candidate : by_weight_) {
    if (!rank_is_dead_[candidate.rank]) live.push_back(candidate);
  }
  return Contest(live);
}

void Dealer::deal(uint16_t dead_rank, std::span<const uint32_t> slots, Ring& ring) const {
  // Rounding must not favour the same seats for each dead one, or the favours add up: ties are drawn per pair.
  const auto self = std::find_if(by_weight_.begin(), by_weight_.end(),
                                 [&](const Contest::Candidate& candidate) { return candidate.rank == dead_rank; });
  std::vector<uint32_t> weights;
  std::vector<uint64_t> ties;
  weights.reserve(by_weight_.size());
  ties.reserve(by_weight_.size());
  for (const Contest::Candidate& candidate : by_weight_) {
    weights.push_back(candidate.rank == dead_rank ? 0 : candidate.weight);
    ties.push_back(draw(candidate.seed, self->seed));
  }
  const std::vector<uint32_t> shares = share_out(static_cast<uint32_t>(slots.size()), weights, ties);
  std::vector<Contest::Candidate> heirs;
  std::vector<uint32_t> left(canonical_.size(), 0);  // by rank
  for (size_t i = 0; i < shares.size(); ++i) {
    if (shares[i] == 0) continue;
    heirs.push_back(by_weight_[i]);
    left[by_weight_[i].rank] = shares[i];
  }
  Contest contest(heirs);
  for (const uint32_t slot : slots) {
    const uint64_t seed = slot_seed(slot);
    uint16_t rank = contest.winner(seed);
    if (rank != Contest::kNobody && --left[rank] == 0) contest.remove(rank);
    if (rank == Contest::kNobody || rank_is_dead_[rank]) rank = live_.winner(seed);
    ring[slot] = rank == Contest::kNobody ? kNoSeat : canonical_[rank];
  }
}

}  // namespace

Ring re_deal(std::span<const uint16_t> base, std::span<const RingSeat> seats, const std::vector<bool>& dead) {
  if (seats.size() != dead.size()) {
    throw std::invalid_argument("a re-deal was asked for with " + std::to_string(seats.size()) + " seats and " +
                                std::to_string(dead.size()) + " states; expected one state for each seat");
  }
  const SlotLists lists = slots_of_dead(base, dead);
  Ring ring(base.begin(), base.end());
  if (lists.slots.empty()) return ring;
  const Dealer dealer(seats, dead);
  for (uint16_t rank = 0; rank < dealer.canonical().size(); ++rank) {
    const std::span<const uint32_t> slots = lists.of(dealer.canonical()[rank]);
    if (!slots.empty()) dealer.deal(rank, slots, ring);
  }
  return ring;
}

}  // namespace warmswap::table
