#include "controlplane/table/share_out.h"

#include <algorithm>
#include <numeric>

namespace warmswap::table {

std::vector<uint32_t> share_out(uint32_t total, std::span<const uint32_t> weights, std::span<const uint64_t> tie) {
  std::vector<uint32_t> shares(weights.size(), 0);
  const uint64_t sum = std::accumulate(weights.begin(), weights.end(), uint64_t{0});
  if (sum == 0) return shares;

  struct Remainder {
    uint64_t rest;
    uint64_t tie;
    uint32_t index;
  };
  std::vector<Remainder> remainders;
  remainders.reserve(weights.size());
  uint32_t left = total;
  for (uint32_t i = 0; i < weights.size(); ++i) {
    const uint64_t exact = uint64_t{total} * weights[i];
    shares[i] = static_cast<uint32_t>(exact / sum);
    left -= shares[i];
    // A weight of zero has no remainder either and so can never be rounded up: `left` is below the number of
    // remainders that are not zero.
    remainders.push_back({exact % sum, tie[i], i});
  }
  const auto first = remainders.begin();
  std::nth_element(first, first + left, remainders.end(), [](const Remainder& a, const Remainder& b) {
    return a.rest != b.rest ? a.rest > b.rest : a.tie < b.tie;
  });
  for (auto it = first; it != first + left; ++it) ++shares[it->index];
  return shares;
}

}  // namespace warmswap::table
