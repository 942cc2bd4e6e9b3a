#include "dataplane/contract/vip_index.h"

#include <algorithm>
#include <string>
#include <tuple>

namespace warmswap::contract {
namespace {

// Growing further cannot help: 64-bit products of distinct keys do not collide so often by chance.
constexpr uint32_t kMaxDoublings = 6;

std::string describe(const VipKey& key) {
  const uint32_t a = key.address.host();
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += std::to_string((a >> shift) & 0xff) + (shift > 0 ? "." : "");
  return text + " protocol " + std::to_string(key.protocol) + " port " + std::to_string(key.port.host());
}

/// The entries of `vips` and one address entry per distinct address, sorted by key.
std::vector<VipEntry> expand(std::span<const VipPlacement> vips) {
  std::vector<VipEntry> entries;
  entries.reserve(vips.size() * 2);
  for (const VipPlacement& vip : vips) {
    entries.push_back({vip.key.address, vip.key.port, vip.key.protocol, 0, vip.vip, vip.pool});
  }
  const auto rank = [](const VipEntry& e) { return std::tuple(e.address, e.protocol, e.port); };
  const auto before = [&rank](const VipEntry& a, const VipEntry& b) { return rank(a) < rank(b); };
  std::sort(entries.begin(), entries.end(), before);
  const size_t given = entries.size();
  for (size_t i = 0; i < given; ++i) {
    if (i > 0 && entries[i].address == entries[i - 1].address) continue;
    VipEntry address_entry = entries[i];
    address_entry.port = Be16();
    address_entry.protocol = 0;
    entries.push_back(address_entry);
  }
  std::sort(entries.begin(), entries.end(), before);
  return entries;
}

bool place(std::vector<VipBucket>& buckets, const VipEntry& entry, HashKey secret) {
  const auto mask = static_cast<uint32_t>(buckets.size() - 1);
  const uint32_t home = vip_home(secret, {entry.address, entry.port, entry.protocol}, mask);
  for (uint32_t step = 0; step < kVipProbeLimit; ++step) {
    for (VipEntry& place : buckets[(home + step) & mask].entries) {
      if (place.pool != kNoPool) continue;
      place = entry;
      return true;
    }
  }
  return false;
}

}  // namespace

Result<std::vector<VipBucket>> build_vip_index(std::span<const VipPlacement> vips, HashKey secret) {
  for (const VipPlacement& vip : vips) {
    if (vip.key.protocol == 0) {
      return Error{"vip " + describe(vip.key) + ": protocol 0 is reserved for the address entries of the index"};
    }
    if (vip.pool == kNoPool) return Error{"vip " + describe(vip.key) + ": has no pool; expected the index of one"};
  }
  const std::vector<VipEntry> entries = expand(vips);
  const auto same = [](const VipEntry& a, const VipEntry& b) {
    return a.address == b.address && a.protocol == b.protocol && a.port == b.port;
  };
  const auto twice = std::adjacent_find(entries.begin(), entries.end(), same);
  if (twice != entries.end()) {
    return Error{"vip " + describe({twice->address, twice->port, twice->protocol}) +
                 ": given twice; expected each address, protocol and port once"};
  }

  VipBucket empty{};
  for (VipEntry& entry : empty.entries) entry.pool = kNoPool;
  const size_t smallest = std::bit_ceil(std::max<size_t>(1, (entries.size() + 1) / 2));  // two of four entries in use
  for (uint32_t doublings = 0; doublings <= kMaxDoublings; ++doublings) {
    std::vector<VipBucket> buckets(smallest << doublings, empty);
    const auto placed = [&](const VipEntry& entry) { return place(buckets, entry, secret); };
    if (std::all_of(entries.begin(), entries.end(), placed)) return buckets;
  }
  return Error{"the vip index cannot place " + std::to_string(entries.size()) +
               " entries within the probe limit: the hash key makes them collide"};
}

}  // namespace warmswap::contract
