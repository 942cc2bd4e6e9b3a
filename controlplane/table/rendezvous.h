// Weighted rendezvous hashing in integers: a contest of candidates for a slot, with the same winner on every machine.
// Single-threaded objects without shared state.
//
// Source: Thaler & Ravishankar, "Using name-based mappings to increase hit rates" (1998), with the weighting of
// Schindelhauer & Schomaker, "Weighted distributed hash tables" (2005): with u uniform in (0, 1], the smallest
// −log(u)/weight wins. The base of the logarithm does not matter, so it is 2 here, from a table of exact integers: libm
// may differ in the last bit between machines, and then a fleet would disagree about a slot.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "dataplane/contract/flow_hash.h"
#include "dataplane/contract/mix64.h"

namespace warmswap::table {

/// Published for the same reasons as kRingKey; another constant, so that re-dealing is independent of the ring.
inline constexpr contract::HashKey kReDealKey{0x706177736d726177, 0x316c6165642d6572};  // "warmswap", "re-deal1"

/// The candidate's and the slot's halves of a draw.
uint64_t seat_seed(std::string_view name) noexcept;
uint64_t slot_seed(uint32_t slot) noexcept;

/// The 64 bits candidate `seat` draws for `slot`: the "u" of the papers, scaled by 2^64. Both seeds are SipHash
/// outputs, so mixing them once is enough to make the draws of different pairs independent.
constexpr uint64_t draw(uint64_t seat, uint64_t slot) noexcept {
  return contract::mix64(seat ^ slot);
}

/// −log2(u / 2^64) in units of 2^−32, below 2^39; never rises when u rises. Off by less than 2^−22 from the real value.
/// u = 0 counts as 1.
uint64_t cost(uint64_t u) noexcept;

/// Candidates with weights. A candidate is known by its rank, its place in canonical order.
class Contest {
 public:
  struct Candidate {
    uint64_t seed;    // seat_seed
    uint32_t weight;  // 0 never wins; ≤ 65535
    uint16_t rank;
  };
  static constexpr uint16_t kNobody = 0xffff;

  /// `by_weight`: candidates sorted by weight.
  explicit Contest(std::span<const Candidate> by_weight);

  /// The rank with the smallest cost / weight; of equals the larger draw, then the smaller rank. kNobody when no
  /// candidate is left.
  uint16_t winner(uint64_t slot) const {
    return winner(slot, [](uint16_t) { return true; });
  }
  /// The same among the ranks that `admits` is true for.
  template <typename Admits>
  uint16_t winner(uint64_t slot, Admits admits) const;
  void remove(uint16_t rank);

 private:
  // Among equal weights the largest draw wins, and a cost is only worked out for the best of each group.
  struct Group {
    uint32_t weight;
    uint32_t begin;
    uint32_t end;
  };
  struct Member {
    uint64_t seed;
    uint16_t rank;
  };
  std::vector<Group> groups_;
  std::vector<Member> members_;
};

template <typename Admits>
uint16_t Contest::winner(uint64_t slot, Admits admits) const {
  uint16_t best_rank = kNobody;
  uint64_t best_draw = 0;
  uint64_t best_cost = 0;
  uint64_t best_weight = 0;
  for (const Group& group : groups_) {
    uint16_t rank = kNobody;
    uint64_t highest = 0;
    for (uint32_t i = group.begin; i < group.end; ++i) {
      const uint64_t drawn = draw(members_[i].seed, slot);
      const bool leads = rank == kNobody || drawn > highest || (drawn == highest && members_[i].rank < rank);
      if (!leads || !admits(members_[i].rank)) continue;
      highest = drawn;
      rank = members_[i].rank;
    }
    if (rank == kNobody) continue;
    const uint64_t group_cost = groups_.size() == 1 ? 0 : cost(highest);
    // cost/weight as a cross product: below 2^39 · 2^16, exact.
    const uint64_t ours = group_cost * best_weight;
    const uint64_t theirs = best_cost * group.weight;
    const bool better = ours != theirs ? ours < theirs : highest != best_draw ? highest > best_draw : rank < best_rank;
    if (best_rank == kNobody || better) {
      best_rank = rank;
      best_draw = highest;
      best_cost = group_cost;
      best_weight = group.weight;
    }
  }
  return best_rank;
}

}  // namespace warmswap::table
