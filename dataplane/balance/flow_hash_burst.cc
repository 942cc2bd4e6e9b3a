#include "dataplane/balance/flow_hash_burst.h"

// One clone per vector width, chosen when the program is loaded: SipHash is additions, xors and rotations of 64-bit
// words, so a lane per flow costs nothing. On an AMD EPYC of 2023, per hash: 15 cycles without vectors, 7 with AVX2,
// 4 with AVX-512, whose vectors rotate. The thread sanitizer cannot run the resolver that makes the choice.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define WARMSWAP_VECTOR_CLONES [[gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]]
#else
#define WARMSWAP_VECTOR_CLONES
#endif

namespace warmswap::balance {

WARMSWAP_VECTOR_CLONES
void flow_hash_burst(contract::HashKey key, const uint64_t* __restrict first, const uint64_t* __restrict second,
                     uint64_t* __restrict hashes, size_t count) noexcept {
  for (size_t i = 0; i < count; ++i) hashes[i] = contract::flow_hash(key, contract::FlowWords{first[i], second[i]});
}

}  // namespace warmswap::balance
