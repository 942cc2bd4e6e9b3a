// From values to a published snapshot: fills blocks of the arena, sharing with the snapshot before whatever did not
// change, so that a failover writes a few cache lines. One thread, the publisher's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/table/pool_ring.h"
#include "dataplane/contract/publisher.h"
#include "dataplane/contract/seat.h"
#include "dataplane/contract/vip_index.h"

namespace warmswap::table {

/// How packets reach a backend: the egress port and the next hop's MAC, absent while it is not resolved.
struct Route {
  uint8_t port = 0;
  contract::MacAddress source_mac{};
  std::optional<contract::MacAddress> next_hop_mac;
  uint16_t mtu = 0;
  friend bool operator==(const Route&, const Route&) = default;
};

inline constexpr uint16_t kNobody = 0xffff;

/// One pool as it will be published. Immutable once it is among the rows of a publish: a row that is the same object as
/// in the publish before is taken over without a look at it, so that a change of one pool costs one pool.
struct PoolRow {
  std::string name;
  std::shared_ptr<const PoolRing> ring;         // never null
  std::vector<uint16_t> holders;                // per record of the ring: index into backends, or kNobody
  std::vector<contract::BackendInfo> backends;  // in canonical order
  std::vector<uint16_t> owners;                 // per seat: index into backends
  std::vector<std::optional<Route>> routes;     // per backend; nullopt = no route at all
};

struct VipRow {
  contract::VipInfo info{};
  friend bool operator==(const VipRow& a, const VipRow& b);
};

struct SnapshotRows {
  contract::HashKey hash_key;
  contract::Be32 outer_source;
  uint8_t entropy_bits = 0;
  uint32_t handshake_sampling = 0;                    // one flow in so many; 0 = none
  std::vector<VipRow> vips;                           // info.pool indexes `pools`
  std::vector<std::shared_ptr<const PoolRow>> pools;  // none is null
  std::string overlay;                                // JSON of the run-time changes; empty = none
};

/// What forwards: equal on two balancers that send every flow to the same backend. MACs, counters and generations,
/// which differ from host to host, are left out.
uint64_t fingerprint(const SnapshotRows& rows);

class SnapshotBuilder {
 public:
  explicit SnapshotBuilder(contract::Publisher& publisher) : publisher_(publisher) {}

  /// On an error (arena full) nothing has changed.
  contract::Result<contract::Published> publish(const SnapshotRows& rows);

 private:
  struct PoolBlocks {
    std::shared_ptr<const PoolRow> row;  // what the blocks were made of; a live pointer is not reused
    uint64_t fingerprint = 0;
    contract::BlockRef ring;
    contract::BlockRef seats;
    contract::CommonWay way;  // of the seats
    contract::BlockRef directory;
  };
  struct Blocks {
    contract::HashKey hash_key;
    contract::Be32 outer_source;
    uint8_t entropy_bits = 0;
    std::vector<contract::VipPlacement> placements;
    uint32_t vip_bucket_mask = 0;
    contract::BlockRef vip_index;
    contract::BlockRef vip_directory;
    contract::BlockRef overlay;
    contract::BlockRef pool_table;
    std::vector<PoolBlocks> pools;  // as the rows
  };

  contract::Result<contract::BlockRef> share_or_store(const contract::BlockRef& before, contract::BlockKind kind,
                                                      const void* data, size_t bytes);
  contract::Result<void> build_vips(const SnapshotRows& rows, Blocks& blocks);
  contract::Result<void> build_pools(const SnapshotRows& rows, Blocks& blocks);
  contract::Result<PoolBlocks> build_pool(const SnapshotRows& rows, const std::shared_ptr<const PoolRow>& row,
                                          const PoolBlocks& before);
  const PoolBlocks& before_of(const std::string& pool, size_t place) const;

  contract::Publisher& publisher_;
  Blocks current_;
};

}  // namespace warmswap::table
