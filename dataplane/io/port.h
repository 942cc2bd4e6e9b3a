// DPDK ports: found by device, configured with one receive and transmit queue per worker where the device allows.
// All but the members named as a worker's belong to the main thread, before the workers start and after they stop.
#pragma once

#include <rte_ethdev.h>
#include <rte_spinlock.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/contract/layout.h"
#include "dataplane/contract/result.h"
#include "dataplane/io/options.h"

namespace warmswap::io {

/// The receive pool for all ports, sized for every descriptor and what the workers hold in flight.
contract::Result<rte_mempool*> make_packet_pool(const Options& options);

/// One transmit queue and the lock it needs when the device has fewer queues than there are workers.
struct TransmitQueue {
  uint16_t port = 0;
  uint16_t queue = 0;
  rte_spinlock_t* shared = nullptr;
};

/// A started DPDK port; stopped and closed (an XDP program detached with it) when destroyed.
class Port {
 public:
  /// `index` is the port's place in SegmentHeader::ports.
  static contract::Result<std::unique_ptr<Port>> start(const PortOptions& options, uint16_t dpdk_port, uint8_t index,
                                                       uint16_t workers, rte_mempool* pool);
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  ~Port();

  uint16_t id() const noexcept { return id_; }
  uint8_t index() const noexcept { return index_; }
  uint16_t receive_queues() const noexcept { return receive_queues_; }
  TransmitQueue transmit_queue(uint16_t worker) noexcept;
  /// What the control plane needs to know of it.
  contract::PortRecord record() const;
  const std::string& name() const noexcept { return name_; }
  bool link_up() const noexcept;

 private:
  Port(uint16_t id, uint8_t index) : id_(id), index_(index) {}
  contract::Result<void> configure(const PortOptions& options, uint16_t workers, rte_mempool* pool);

  uint16_t id_;
  uint8_t index_;
  uint16_t workers_ = 1;
  uint16_t receive_queues_ = 1;
  uint16_t transmit_queues_ = 1;
  uint16_t mtu_ = 0;
  std::string name_;
  std::string kernel_interface_;
  std::vector<rte_spinlock_t> locks_;
};

/// The DPDK port number of a device given as in PortOptions::device.
contract::Result<uint16_t> find_port(const PortOptions& options);

/// Creates the tap through which `port` exchanges with the kernel what is not for a vip: same MAC, the name of the
/// port's kernel interface.
contract::Result<std::unique_ptr<Port>> start_exception_tap(const Port& port, const PortOptions& options,
                                                            uint16_t workers, rte_mempool* pool);

}  // namespace warmswap::io
