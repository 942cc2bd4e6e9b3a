// Exact apportionment: how many of `total` slots each weight is worth. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace warmswap::table {

/// Largest-remainder (Hamilton) shares: share[i] is total·weights[i]/Σweights rounded down, or up for those with the
/// largest remainders, so that the shares add up to `total` and each is within one slot of exact. Equal remainders are
/// ordered by `tie`, the smaller first; `tie` has the size of `weights` and no two equal values. All weights zero: all
/// shares zero. Weights ≤ 65535, total ≤ 2^24, at most 65535 weights: nothing overflows.
std::vector<uint32_t> share_out(uint32_t total, std::span<const uint32_t> weights, std::span<const uint64_t> tie);

}  // namespace warmswap::table
