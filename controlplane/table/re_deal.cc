#include "controlplane/table/re_deal.h"

#include <algorithm>
#include <optional>
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

/// Sorted as a contest wants them.
std::vector<Contest::Candidate> sorted_by_weight(std::vector<Contest::Candidate> candidates) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return a.weight < b.weight; });
  return candidates;
}

/// weight x inherit for each candidate, in whatever unit fits the 16 bits of a contest's weight. All that inherit alike
/// keep the proportions of their weights exactly.
std::vector<Contest::Candidate> weighted_by_inherit(std::vector<Contest::Candidate> candidates,
                                                    std::span<const Opening> openings) {
  constexpr uint64_t kHighest = 65535;
  const auto product = [&](const Contest::Candidate& candidate) {
    return uint64_t{candidate.weight} * openings[candidate.rank].inherit;
  };
  uint64_t highest = 0;
  for (const Contest::Candidate& candidate : candidates) highest = std::max(highest, product(candidate));
  int shift = 0;
  while ((highest >> shift) > kHighest) ++shift;
  for (Contest::Candidate& candidate : candidates) {
    const uint64_t exact = product(candidate);
    candidate.weight = exact == 0 ? 0 : std::max(static_cast<uint32_t>(exact >> shift), 1u);
  }
  return candidates;
}

/// Whom the slots of one seat fall to, whoever lives: rendezvous up to exact shares.
class Heirs {
 public:
  /// `by_weight`: all seats of the pool, sorted; `own_rank` is the seat whose slots they are.
  Heirs(std::span<const Contest::Candidate> by_weight, uint16_t own_rank, uint32_t slots) : contest_({}) {
    // Rounding must not favour the same seats for each closed one, or the favours add up: ties are drawn per pair.
    const auto self = std::find_if(by_weight.begin(), by_weight.end(),
                                   [&](const Contest::Candidate& candidate) { return candidate.rank == own_rank; });
    std::vector<uint32_t> weights;
    std::vector<uint64_t> ties;
    weights.reserve(by_weight.size());
    ties.reserve(by_weight.size());
    for (const Contest::Candidate& candidate : by_weight) {
      weights.push_back(candidate.rank == own_rank ? 0 : candidate.weight);
      ties.push_back(draw(candidate.seed, self->seed));
    }
    const std::vector<uint32_t> shares = share_out(slots, weights, ties);
    std::vector<Contest::Candidate> heirs;
    left_.resize(by_weight.size(), 0);
    for (size_t i = 0; i < shares.size(); ++i) {
      if (shares[i] == 0) continue;
      heirs.push_back(by_weight[i]);
      left_[by_weight[i].rank] = shares[i];
    }
    contest_ = Contest(heirs);
  }

  /// To be asked once for each slot, in ring order. kNobody when there is no other seat.
  uint16_t next(uint64_t seed) {
    const uint16_t rank = contest_.winner(seed);
    if (rank != Contest::kNobody && --left_[rank] == 0) contest_.remove(rank);
    return rank;
  }

 private:
  Contest contest_;
  std::vector<uint32_t> left_;  // by rank
};

/// All seats of a pool as candidates, and what is needed to pick among them for one closed seat after the other.
class Dealer {
 public:
  Dealer(std::span<const RingSeat> seats, std::span<const Opening> openings);

  /// `slots`: all of this seat's in the base ring.
  void deal(uint16_t own_rank, std::span<const uint32_t> slots, Ring& ring) const;
  const std::vector<uint16_t>& canonical() const { return canonical_; }

 private:
  /// One of the two things that a slot without its seat can be.
  struct Market {
    std::vector<Contest::Candidate> by_weight;  // every configured seat, open or not
    Contest serving;                            // those that serve at all
  };

  Market market_of(std::vector<Contest::Candidate> candidates) const;
  bool within(uint16_t rank, uint32_t part, uint32_t slot) const {
    return part == kWhole || (part > 0 && places_[rank].of(slot) < part);
  }
  template <typename Takes>
  uint16_t taker(const Market& market, uint16_t heir, uint64_t seed, Takes takes) const;

  std::vector<uint16_t> canonical_;  // rank → seat
  std::vector<Opening> openings_;    // by rank
  std::vector<Places> places_;       // by rank
  Market orphans_{{}, Contest({})};
  std::optional<Market> surplus_;  // only where there is some, or nobody to inherit
};

Dealer::Dealer(std::span<const RingSeat> seats, std::span<const Opening> openings)
    : canonical_(canonical_order(seats)) {
  std::vector<Contest::Candidate> candidates;
  candidates.reserve(seats.size());
  const auto ranks = static_cast<uint16_t>(canonical_.size());
  for (uint16_t rank = 0; rank < ranks; ++rank) {
    const uint16_t seat = canonical_[rank];
    openings_.push_back(openings[seat]);
    places_.emplace_back(seats[seat].name);
    candidates.push_back({seat_seed(seats[seat].name), seats[seat].weight, rank});
  }
  orphans_ = market_of(weighted_by_inherit(candidates, openings_));
  const bool has_surplus =
      std::any_of(openings_.begin(), openings_.end(), [](const Opening& opening) { return opening.planned < kWhole; });
  const bool has_inheritor =
      std::any_of(orphans_.by_weight.begin(), orphans_.by_weight.end(), [&](const Contest::Candidate& candidate) {
        const Opening& opening = openings_[candidate.rank];
        return candidate.weight > 0 && opening.served() > 0 && opening.inherits;
      });
  if (has_surplus || !has_inheritor) surplus_ = market_of(std::move(candidates));
}

Dealer::Market Dealer::market_of(std::vector<Contest::Candidate> candidates) const {
  std::vector<Contest::Candidate> by_weight = sorted_by_weight(std::move(candidates));
  std::vector<Contest::Candidate> serving;
  serving.reserve(by_weight.size());
  for (const Contest::Candidate& candidate : by_weight) {
    if (openings_[candidate.rank].served() > 0) serving.push_back(candidate);
  }
  return {std::move(by_weight), Contest(serving)};
}

/// The heir, or the first of all seats in this slot's order that serves and takes it, or that serves at all.
template <typename Takes>
uint16_t Dealer::taker(const Market& market, uint16_t heir, uint64_t seed, Takes takes) const {
  if (heir != Contest::kNobody && openings_[heir].served() > 0 && takes(heir)) return heir;
  const uint16_t willing = market.serving.winner(seed, takes);
  return willing != Contest::kNobody || !surplus_ ? willing : surplus_->serving.winner(seed);
}

void Dealer::deal(uint16_t own_rank, std::span<const uint32_t> slots, Ring& ring) const {
  const Opening& own = openings_[own_rank];
  const auto count = static_cast<uint32_t>(slots.size());
  Heirs orphans_heirs(orphans_.by_weight, own_rank, count);
  std::optional<Heirs> surplus_heirs;
  if (own.planned < kWhole) surplus_heirs.emplace(surplus_->by_weight, own_rank, count);
  for (const uint32_t slot : slots) {
    const uint64_t seed = slot_seed(slot);
    const uint16_t orphans_heir = orphans_heirs.next(seed);
    const uint16_t surplus_heir = surplus_heirs ? surplus_heirs->next(seed) : Contest::kNobody;
    if (within(own_rank, own.served(), slot)) continue;
    uint16_t rank = Contest::kNobody;
    if (!within(own_rank, own.planned, slot)) {
      rank = taker(*surplus_, surplus_heir, seed,
                   [&](uint16_t other) { return within(other, openings_[other].accept, slot); });
    } else if (within(own_rank, own.dealt, slot)) {
      rank = taker(orphans_, orphans_heir, seed, [&](uint16_t other) { return openings_[other].inherits; });
    }
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
