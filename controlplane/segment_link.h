// The control plane's hold on the shared-memory segment: attaching, noticing that the dataplane was restarted or made
// a new file, the lease, and what the counters show. One thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/counter_ids.h"
#include "controlplane/health/handshakes.h"
#include "dataplane/contract/publisher.h"
#include "dataplane/contract/segment.h"

namespace warmswap::controlplane {

class SegmentLink {
 public:
  SegmentLink(std::string instance, std::chrono::nanoseconds lease) : instance_(std::move(instance)), lease_(lease) {}

  enum class Change {
    none,
    attached,   // to a segment that was not attached before: publish everything, adopt what is new to us
    lost,       // the file is gone or another stands in its place
    restarted,  // a dataplane started on the attached segment: its ports may be others
  };
  /// Call every few tens of milliseconds: attaches, notices changes, renews the lease.
  Change poll();

  bool attached() const noexcept { return segment_ != nullptr; }
  /// Why attaching does not succeed; empty when attached.
  const std::string& obstacle() const noexcept { return obstacle_; }

  // Only while attached:
  contract::Segment& segment() noexcept { return *segment_; }
  const contract::Segment& segment() const noexcept { return *segment_; }
  contract::Publisher& publisher() noexcept { return *publisher_; }
  const contract::Publisher& publisher() const noexcept { return *publisher_; }
  const contract::SnapshotRoot* current() const noexcept { return publisher_->current(); }
  bool dataplane_alive() const { return segment_->alive(contract::Side::dataplane); }
  /// The port whose kernel interface has this name.
  std::optional<uint8_t> port_of_interface(const std::string& interface) const;
  /// The kernel interface of a port.
  std::string interface_of(uint8_t index) const;
  const contract::PortRecord& port(uint8_t index) const noexcept { return segment_->header().ports[index]; }

  Traffic vip_traffic(uint32_t id) const;
  Traffic backend_traffic(uint32_t id) const;
  /// Of all workers there ever were, since the segment was made.
  health::HandshakeCounts handshakes(uint32_t id) const;
  /// Of all workers there ever were, and of those that are configured now.
  uint64_t drops(size_t reason) const;
  std::vector<uint64_t> drops_per_worker(size_t reason) const;
  uint32_t workers() const noexcept;

 private:
  void attach();
  template <typename Visit>
  void each_worker(const Visit& visit) const;

  std::string instance_;
  std::chrono::nanoseconds lease_;
  std::unique_ptr<contract::Segment> segment_;  // its address must not change: the publisher refers to it
  std::unique_ptr<contract::Publisher> publisher_;
  std::string obstacle_ = "not attached yet";
  uint64_t epoch_ = 0;
};

}  // namespace warmswap::controlplane
