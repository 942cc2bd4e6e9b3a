// A balancer without its processes: a real segment in a directory of its own, and whatever the control plane would
// publish into it, so that benchmarks read tables that lie in memory as a worker's do. One thread.
#pragma once

#include <cstdint>
#include <memory>

#include "controlplane/table/snapshot_builder.h"
#include "dataplane/balance/handshakes.h"
#include "dataplane/balance/snapshot_view.h"
#include "dataplane/contract/publisher.h"
#include "dataplane/contract/segment.h"

namespace warmswap::perf {

/// What the tables hold. Vips are 10.0.0.0 + i, TCP port 80, dealt to the pools in turn.
struct BalancerShape {
  uint32_t pools = 1;
  uint32_t backends = 100;  // in each pool, all hot
  uint32_t vips = 1;
  uint32_t ring_size = 65537;
  uint32_t handshake_sampling = 256;  // one flow in so many; 0 = none
};

class Balancer {
 public:
  /// Publishes a first snapshot. Throws std::runtime_error when there is no room in /dev/shm.
  explicit Balancer(const BalancerShape& shape);
  Balancer(const Balancer&) = delete;
  Balancer& operator=(const Balancer&) = delete;

  const BalancerShape& shape() const noexcept { return shape_; }
  contract::Segment& dataplane() const noexcept { return *dataplane_; }
  contract::Segment& control() const noexcept { return *control_; }
  contract::Publisher& publisher() const noexcept { return *publisher_; }
  contract::WorkerRegion& worker() const noexcept { return dataplane_->worker(0); }
  const balance::Ledger& ledger() const noexcept { return *ledger_; }
  /// The snapshot that is current now, as a worker sees it.
  balance::SnapshotView view() const noexcept;

  /// What will be published next; change it, then publish().
  table::SnapshotRows& rows() noexcept { return rows_; }
  contract::Published publish();

 private:
  BalancerShape shape_;
  std::unique_ptr<contract::Segment> dataplane_;
  std::unique_ptr<contract::Segment> control_;
  std::unique_ptr<contract::Publisher> publisher_;
  std::unique_ptr<table::SnapshotBuilder> builder_;
  table::SnapshotRows rows_;
  std::unique_ptr<balance::Handshakes> handshakes_;
  std::unique_ptr<balance::Ledger> ledger_;
};

/// The address of a vip of any Balancer.
contract::Be32 vip_address(uint32_t vip) noexcept;

}  // namespace warmswap::perf
