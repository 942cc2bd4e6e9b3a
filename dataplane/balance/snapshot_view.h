// A snapshot as typed pointers: what a worker reads packets' fates from.
//
// A view holds no reference count. The worker makes one from the root it loaded (acquire) at the start of a burst, or
// keeps the last one while the root is the same, and drops it before it announces a newer generation as its quiescent
// state. Nothing is checked here: the control plane verified every offset and index before it published
// (contract/verify.h), and everything reachable is immutable.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/contract/layout.h"
#include "dataplane/contract/vip_index.h"

namespace warmswap::balance {

class SnapshotView {
 public:
  /// No snapshot: nothing has been published yet.
  SnapshotView() noexcept = default;

  /// `base` is the segment's first byte in this process; `root` 0 makes the empty view.
  SnapshotView(const std::byte* base, contract::Offset root) noexcept
      : SnapshotView(base, root == 0 ? nullptr : at<contract::SnapshotRoot>(base, root)) {}

  /// The same of the root itself, in the mapping at `base`; nullptr makes the empty view.
  SnapshotView(const std::byte* base, const contract::SnapshotRoot* snapshot) noexcept {
    if (snapshot == nullptr) return;
    base_ = base;
    hash_key_ = snapshot->hash_key;
    entropy_mask_ = snapshot->entropy_mask;
    sampled_below_ = snapshot->sampled_below;
    vip_mask_ = snapshot->vip_bucket_mask;
    vip_buckets_ = at<contract::VipBucket>(base, snapshot->vip_index);
    pools_ = at<contract::PoolRecord>(base, snapshot->pools);
  }

  bool empty() const noexcept { return base_ == nullptr; }
  contract::HashKey hash_key() const noexcept { return hash_key_; }
  contract::Be32 entropy_mask() const noexcept { return entropy_mask_; }
  uint32_t sampled_below() const noexcept { return sampled_below_; }

  uint32_t vip_mask() const noexcept { return vip_mask_; }
  const contract::VipBucket* vip_buckets() const noexcept { return vip_buckets_; }
  const contract::VipBucket* vip_bucket(uint32_t home) const noexcept { return vip_buckets_ + home; }
  const contract::VipEntry* find_vip(const contract::VipKey& key) const noexcept {
    const uint64_t word = contract::vip_word(key);
    return contract::find_vip(vip_buckets_, vip_mask_,
                              static_cast<uint32_t>(contract::vip_home(hash_key_, word, vip_mask_)), word);
  }
  /// Whether any vip has this address.
  bool has_address(contract::Be32 address) const noexcept {
    return find_vip({address, contract::Be16(), 0}) != nullptr;
  }
  const contract::PoolRecord* pool(uint32_t index) const noexcept { return pools_ + index; }
  const uint16_t* ring(const contract::PoolRecord& pool) const noexcept { return at<uint16_t>(base_, pool.ring); }
  const contract::Seat* seats(const contract::PoolRecord& pool) const noexcept {
    return at<contract::Seat>(base_, pool.seats);
  }

 private:
  template <typename T>
  static const T* at(const std::byte* base, contract::Offset offset) noexcept {
    return reinterpret_cast<const T*>(base + offset);
  }

  const std::byte* base_ = nullptr;
  contract::HashKey hash_key_;
  contract::Be32 entropy_mask_;
  uint32_t sampled_below_ = 0;
  uint32_t vip_mask_ = 0;
  const contract::VipBucket* vip_buckets_ = nullptr;
  const contract::PoolRecord* pools_ = nullptr;
};

}  // namespace warmswap::balance
