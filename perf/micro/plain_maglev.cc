#include "perf/micro/plain_maglev.h"

#include <algorithm>
#include <vector>

namespace warmswap::perf {
namespace {

using table::kNoSeat;
using table::Ring;
using table::RingSeat;

// The paper's h1 and h2: two hashes of a name that have nothing to do with each other.
constexpr contract::HashKey kOffsetKey{1, 0};
constexpr contract::HashKey kSkipKey{2, 0};

struct Permutation {
  uint64_t next;
  uint64_t skip;
};

Permutation permutation_of(const RingSeat& backend, uint32_t ring_size) {
  const auto hash = [&](contract::HashKey key) {
    return contract::sip_hash(key, backend.name.data(), backend.name.size());
  };
  return {hash(kOffsetKey) % ring_size, hash(kSkipKey) % (ring_size - 1) + 1};
}

}  // namespace

Ring plain_maglev(uint32_t ring_size, std::span<const RingSeat> backends) {
  Ring ring(ring_size, kNoSeat);
  uint64_t heaviest = 0;
  std::vector<Permutation> permutations;
  for (const RingSeat& backend : backends) {
    permutations.push_back(permutation_of(backend, ring_size));
    heaviest = std::max<uint64_t>(heaviest, backend.weight);
  }
  if (heaviest == 0) return ring;
  std::vector<uint64_t> credit(backends.size(), 0);
  for (uint32_t filled = 0;;) {
    for (size_t i = 0; i < backends.size(); ++i) {
      credit[i] += backends[i].weight;
      if (credit[i] < heaviest) continue;
      credit[i] -= heaviest;
      Permutation& permutation = permutations[i];
      while (ring[permutation.next] != kNoSeat) permutation.next = (permutation.next + permutation.skip) % ring_size;
      ring[permutation.next] = static_cast<uint16_t>(i);
      if (++filled == ring_size) return ring;
    }
  }
}

}  // namespace warmswap::perf
