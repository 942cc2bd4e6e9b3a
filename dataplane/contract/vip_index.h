// The vip index of a snapshot: which vip, if any, a destination belongs to. The dataplane looks up, the control plane
// builds; both are here so that they cannot disagree.
//
// A bucket is one cache line of four entries. A key stands in its home bucket or, when that is full, in the next one
// with room. The builder keeps at least half of the entries empty and places every key at most kVipProbeLimit buckets
// from home, so a look-up touches one line nearly always, never more than kVipProbeLimit, however many vips there are.
//
// The home bucket comes from a multiply-and-fold keyed with the snapshot's hash key: who does not know the key cannot
// choose destinations that walk the longest chains. It is cheaper than SipHash and need not be as strong, because only
// the operator adds keys: a flood of chosen destinations can make look-ups at most kVipProbeLimit lines long.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/contract/layout.h"
#include "dataplane/contract/result.h"

namespace warmswap::contract {

/// What is looked up. `port` 0 with a protocol is the any-port vip of that protocol; port 0 and protocol 0 ask whether
/// the address belongs to any vip at all.
struct VipKey {
  Be32 address;
  Be16 port;
  uint8_t protocol = 0;
  friend bool operator==(const VipKey&, const VipKey&) = default;
};

/// Buckets from home, home included, within which every key stands.
inline constexpr uint32_t kVipProbeLimit = 8;

/// The key as the first eight bytes of its VipEntry.
constexpr uint64_t vip_word(const VipKey& key) noexcept {
  return uint64_t{key.address.raw()} | uint64_t{key.port.raw()} << 32 | uint64_t{key.protocol} << 48;
}
static_assert(offsetof(VipEntry, vip) == 8 && offsetof(VipEntry, reserved) == 7,
              "vip_word is compared with the eight bytes before `vip`, whose last one is zero");

/// The home bucket of the key whose vip_word is given; `mask` is the number of buckets, a power of two, minus one. A
/// product of two keyed halves (NH: Black et al., "UMAC", 1999), folded and multiplied once more: 32-bit factors, so
/// that a vector unit makes several at once.
constexpr uint64_t vip_home(HashKey secret, uint64_t word, uint64_t mask) noexcept {
  // Constants (digits of pi, as in the Blowfish tables) keep a key of few bits from making the products trivial.
  const uint64_t key = (secret.k0 ^ std::rotl(secret.k1, 32)) + 0x243f6a8885a308d3ULL;
  constexpr uint64_t kLow = 0xffffffff;
  const uint64_t address = (word + key) & kLow;
  const uint64_t service = (((word >> 32) + (key >> 32)) & kLow) | 1;
  const uint64_t product = address * service;
  const uint64_t folded = (product ^ (product >> 32)) & kLow;
  return folded * 0x9e3779b1 >> 32 & mask;
}
constexpr uint32_t vip_home(HashKey secret, const VipKey& key, uint32_t mask) noexcept {
  return static_cast<uint32_t>(vip_home(secret, vip_word(key), mask));
}

/// What one bucket says about a key: its entry, or that the key is nowhere, or that the search goes on.
struct VipProbe {
  const VipEntry* entry;  // nullptr: not here
  bool more;              // not here, and the bucket is full: look at the next one
};

inline VipProbe probe_vip(const VipBucket& bucket, uint64_t word) noexcept {
  // All four are compared without a branch: which of them matches is not predictable.
  uint32_t matches = 0;
  for (uint32_t i = 0; i < 4; ++i) matches |= uint32_t{load<uint64_t>(&bucket.entries[i]) == word} << i;
  if (matches == 0) return {nullptr, bucket.entries[3].pool != kNoPool};
  const VipEntry* entry = &bucket.entries[std::countr_zero(matches)];
  return {entry->pool != kNoPool ? entry : nullptr, false};
}

/// find_vip from the second bucket on. Out of line: hardly ever needed, and it would be unrolled into the caller.
[[gnu::noinline, gnu::cold]] inline const VipEntry* find_vip_further(const VipBucket* buckets, uint32_t mask,
                                                                     uint32_t home, uint64_t word) noexcept {
  for (uint32_t step = 1; step < kVipProbeLimit; ++step) {
    const VipProbe probe = probe_vip(buckets[(home + step) & mask], word);
    if (!probe.more) return probe.entry;
  }
  return nullptr;
}

/// The entry of `key` or nullptr, starting at bucket `home` = vip_home(…). Pure; any thread; never loops for long even
/// over a table that build_vip_index did not make.
inline const VipEntry* find_vip(const VipBucket* buckets, uint32_t mask, uint32_t home, uint64_t word) noexcept {
  const VipProbe probe = probe_vip(buckets[home], word);
  if (probe.more) [[unlikely]]
    return find_vip_further(buckets, mask, home, word);
  return probe.entry;
}
inline const VipEntry* find_vip(const VipBucket* buckets, uint32_t mask, uint32_t home, const VipKey& key) noexcept {
  return find_vip(buckets, mask, home, vip_word(key));
}

/// One vip for the builder: its key, its counter index and its pool's index.
struct VipPlacement {
  VipKey key;
  uint32_t vip = 0;
  uint32_t pool = 0;
};

/// Buckets for `vips`, a power of two ≥ 1, filled in canonical order: the same list in any order gives the same bytes.
/// Adds the "address belongs to a vip" entries; these carry the vip and pool of one of the address's vips only so that
/// every used entry holds valid indices. Fails, naming the vip, when two vips have the same key or when a protocol is
/// 0.
Result<std::vector<VipBucket>> build_vip_index(std::span<const VipPlacement> vips, HashKey secret);

}  // namespace warmswap::contract
