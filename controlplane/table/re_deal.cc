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

/// All slots of the seats that do not serve all of them: a slot's heir must not depend on how many those are.
SlotLists slots_in_question(std::span<const uint16_t> base, std::span<const Opening> openings) {
  std::vector<bool> whole;
  for (const Opening& opening : openings) whole.push_back(opening.served() == kWhole);
  SlotLists lists;
  lists.begin.assign(openings.size() + 1, 0);
  for (uint32_t slot = 0; slot < base.size(); ++slot) {
    const uint16_t seat = base[slot];
    if (seat == kNoSeat) continue;
    if (seat >= openings.size()) {
      throw std::invalid_argument("the ring names seat " + std::to_string(seat) + "; expected below " +
                                  std::to_string(openings.size()));
    }
    if (!whole[seat]) ++lists.begin[seat + size_t{1}];
  }
  for (size_t seat = 0; seat < openings.size(); ++seat) lists.begin[seat + 1] += lists.begin[seat];
  lists.slots.resize(lists.begin.back());
  std::vector<uint32_t> next(lists.begin.begin(), lists.begin.end() - 1);
  for (uint32_t slot = 0; slot < base.size(); ++slot) {
    if (base[slot] != kNoSeat && !whole[base[slot]]) lists.slots[next[base[slot]]++] = slot;
  }
  return lists;
}

/// All seats of a pool as candidates, and what is needed to pick among them for one closed seat after the other.
class Dealer {
 public:
  Dealer(std::span<const RingSeat> seats, std::span<const Opening> openings)
      : canonical_(canonical_order(seats)), serving_(candidates(seats, openings)) {}

  /// `slots`: all of this seat's in the base ring.
  void deal(uint16_t own_rank, std::span<const uint32_t> slots, Ring& ring) const;
  const std::vector<uint16_t>& canonical() const { return canonical_; }

 private:
  Contest candidates(std::span<const RingSeat> seats, std::span<const Opening> openings);
  bool within(uint16_t rank, uint16_t part, uint32_t slot) const {
    return part == kWhole || (part > 0 && places_[rank].of(slot) < part);
  }
  /// `part`: which of the two it is about, Opening::accept or Opening::inherit.
  bool takes(uint16_t rank, uint16_t Opening::*part, uint32_t slot) const {
    return openings_[rank].served() > 0 && within(rank, openings_[rank].*part, slot);
  }
  uint16_t next_in_line(uint32_t slot, uint64_t seed, uint16_t Opening::*part) const;

  std::vector<uint16_t> canonical_;            // rank → seat
  std::vector<Contest::Candidate> by_weight_;  // every configured seat, open or not
  std::vector<Opening> openings_;              // by rank
  std::vector<Places> places_;                 // by rank
  Contest serving_;                            // those that serve at all
};

Contest Dealer::candidates(std::span<const RingSeat> seats, std::span<const Opening> openings) {
  by_weight_.reserve(seats.size());
  const auto ranks = static_cast<uint16_t>(canonical_.size());
  for (uint16_t rank = 0; rank < ranks; ++rank) {
    const uint16_t seat = canonical_[rank];
    openings_.push_back(openings[seat]);
    places_.emplace_back(seats[seat].name);
    by_weight_.push_back({seat_seed(seats[seat].name), seats[seat].weight, rank});
  }
  std::stable_sort(by_weight_.begin(), by_weight_.end(),
                   [](const auto& a, const auto& b) { return a.weight < b.weight; });
  std::vector<Contest::Candidate> serving;
  serving.reserve(by_weight_.size());
  for (const Contest::Candidate& candidate : by_weight_) {
    if (openings_[candidate.rank].served() > 0) serving.push_back(candidate);
  }
  return Contest(serving);
}

/// The first of all seats in this slot's order that takes it.
uint16_t Dealer::next_in_line(uint32_t slot, uint64_t seed, uint16_t Opening::*part) const {
  const uint16_t willing = serving_.winner(seed, [&](uint16_t rank) { return takes(rank, part, slot); });
  return willing != Contest::kNobody ? willing : serving_.winner(seed);
}

void Dealer::deal(uint16_t own_rank, std::span<const uint32_t> slots, Ring& ring) const {
  // Rounding must not favour the same seats for each closed one, or the favours add up: ties are drawn per pair.
  const auto self = std::find_if(by_weight_.begin(), by_weight_.end(),
                                 [&](const Contest::Candidate& candidate) { return candidate.rank == own_rank; });
  std::vector<uint32_t> weights;
  std::vector<uint64_t> ties;
  weights.reserve(by_weight_.size());
  ties.reserve(by_weight_.size());
  for (const Contest::Candidate& candidate : by_weight_) {
    weights.push_back(candidate.rank == own_rank ? 0 : candidate.weight);
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
  const Opening& own = openings_[own_rank];
  for (const uint32_t slot : slots) {
    const uint64_t seed = slot_seed(slot);
    uint16_t rank = contest.winner(seed);
    if (rank != Contest::kNobody && --left[rank] == 0) contest.remove(rank);
    if (within(own_rank, own.served(), slot)) continue;
    const auto part = within(own_rank, own.planned, slot) ? &Opening::inherit : &Opening::accept;
    if (rank == Contest::kNobody || !takes(rank, part, slot)) rank = next_in_line(slot, seed, part);
    ring[slot] = rank == Contest::kNobody ? kNoSeat : canonical_[rank];
  }
}

}  // namespace

Ring re_deal(std::span<const uint16_t> base, std::span<const RingSeat> seats, std::span<const Opening> openings) {
  if (seats.size() != openings.size()) {
    throw std::invalid_argument("a re-deal was asked for with " + std::to_string(seats.size()) + " seats and " +
                                std::to_string(openings.size()) + " openings; expected one for each seat");
  }
  const SlotLists lists = slots_in_question(base, openings);
  Ring ring(base.begin(), base.end());
  if (lists.slots.empty()) return ring;
  const Dealer dealer(seats, openings);
  const auto ranks = static_cast<uint16_t>(dealer.canonical().size());
  for (uint16_t rank = 0; rank < ranks; ++rank) {
    const std::span<const uint32_t> slots = lists.of(dealer.canonical()[rank]);
    if (!slots.empty()) dealer.deal(rank, slots, ring);
  }
  return ring;
}

}  // namespace warmswap::table
