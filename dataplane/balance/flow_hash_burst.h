// contract::flow_hash over many flows at once. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/contract/flow_hash.h"

namespace warmswap::balance {

/// hashes[i] = flow_hash(key, {first[i], second[i]}) for i < count; the words are those of contract::flow_words.
void flow_hash_burst(contract::HashKey key, const uint64_t* first, const uint64_t* second, uint64_t* hashes,
                     size_t count) noexcept;

}  // namespace warmswap::balance
