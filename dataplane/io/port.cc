#include "dataplane/io/port.h"

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "dataplane/io/kernel_interface.h"

namespace warmswap::io {
namespace {

using contract::Error;
using contract::Result;

constexpr uint32_t kEthernetOverhead = 14 + 2 * 4 + 4;  // header, two tags, FCS
constexpr uint32_t kPoolCache = 256;
/// What net_tap of DPDK 22.11 lets itself be configured for (max_rx_pktlen 1522). It moves whatever its interface's MTU
/// allows and the buffers hold.
constexpr uint16_t kMostTapMtu = 1500;

Error dpdk_error(const std::string& port, const std::string& what, int code) {
  return Error{"port " + port + ": cannot " + what + ": " + rte_strerror(code < 0 ? -code : code)};
}

}  // namespace

Result<rte_mempool*> make_packet_pool(const Options& options) {
  uint32_t buffers = 0;
  uint32_t largest = RTE_MBUF_DEFAULT_DATAROOM;
  const auto workers = static_cast<uint32_t>(options.cores.size());
  for (const PortOptions& port : options.ports) {
    // An exception tap has queues of its own.
    const uint32_t sets = port.exception_tap ? 2 : 1;
    buffers += sets * std::max<uint32_t>(workers, port.receive_queues) *
               (uint32_t{port.receive_descriptors} + port.transmit_descriptors);
    largest = std::max(largest, port.mtu + kEthernetOverhead);
  }
  // AF_XDP keeps its fill and completion rings filled beyond the descriptors asked for.
  buffers = std::max(buffers * 2 + workers * 2 * kPoolCache, 8191u);
  const auto data_room = static_cast<uint16_t>(std::min<uint32_t>(largest + RTE_PKTMBUF_HEADROOM, UINT16_MAX));
  rte_mempool* pool = rte_pktmbuf_pool_create("packets", buffers, kPoolCache, 0, data_room, SOCKET_ID_ANY);
  if (pool == nullptr) {
    return Error{"cannot make a pool of " + std::to_string(buffers) + " packet buffers of " +
                 std::to_string(data_room) + " bytes: " + rte_strerror(rte_errno) + "; raise " + options.names.memory +
                 " (now " + std::to_string(options.memory_mib) + ") or lower the descriptors"};
  }
  return pool;
}

Result<uint16_t> find_port(const PortOptions& options) {
  const std::string device = options.device.substr(0, options.device.find(','));
  uint16_t id = 0;
  if (rte_eth_dev_get_port_by_name(device.c_str(), &id) == 0) return id;
  return Error{"port " + options.name + ": DPDK found no device \"" + device + "\"" +
               (options.pci ? "; is it bound to vfio-pci? (dpdk-devbind.py --status)" : "")};
}

Result<std::unique_ptr<Port>> Port::start(const PortOptions& options, uint16_t dpdk_port, uint8_t index,
                                          uint16_t workers, rte_mempool* pool) {
  std::unique_ptr<Port> port(new Port(dpdk_port, index));
  port->name_ = options.name;
  port->kernel_interface_ = options.kernel_interface;
  if (auto configured = port->configure(options, workers, pool); !configured) return Error{configured.error()};
  return port;
}

Result<void> Port::configure(const PortOptions& options, uint16_t workers, rte_mempool* pool) {
  rte_eth_dev_info info{};
  if (const int error = rte_eth_dev_info_get(id_, &info); error != 0)
    return dpdk_error(name_, "be asked what it can", error);
  workers_ = workers;
  const uint16_t wanted = options.receive_queues != 0 ? options.receive_queues : workers;
  receive_queues_ = std::min(wanted, std::max<uint16_t>(info.max_rx_queues, 1));
  transmit_queues_ = std::min(workers, std::max<uint16_t>(info.max_tx_queues, 1));

  rte_eth_conf conf{};
  if (receive_queues_ > 1) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf =
        info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
  }
  mtu_ = options.mtu;
  if (info.max_mtu != 0 && mtu_ > info.max_mtu) {
    return Error{"port " + name_ + ": mtu " + std::to_string(mtu_) + " is above the device's " +
                 std::to_string(info.max_mtu)};
  }
  conf.rxmode.mtu = mtu_;
  if (const int error = rte_eth_dev_configure(id_, receive_queues_, transmit_queues_, &conf); error != 0) {
    return dpdk_error(name_,
                      "be configured with " + std::to_string(receive_queues_) + " receive and " +
                          std::to_string(transmit_queues_) + " transmit queues",
                      error);
  }
  uint16_t receive = options.receive_descriptors;
  uint16_t transmit = options.transmit_descriptors;
  if (const int error = rte_eth_dev_adjust_nb_rx_tx_desc(id_, &receive, &transmit); error != 0) {
    return dpdk_error(name_, "adjust its descriptors", error);
  }
  const auto socket = static_cast<unsigned>(std::max(rte_eth_dev_socket_id(id_), 0));
  for (uint16_t queue = 0; queue < receive_queues_; ++queue) {
    if (const int error = rte_eth_rx_queue_setup(id_, queue, receive, socket, nullptr, pool); error != 0) {
      return dpdk_error(name_, "set up receive queue " + std::to_string(queue), error);
    }
  }
  for (uint16_t queue = 0; queue < transmit_queues_; ++queue) {
    if (const int error = rte_eth_tx_queue_setup(id_, queue, transmit, socket, nullptr); error != 0) {
      return dpdk_error(name_, "set up transmit queue " + std::to_string(queue), error);
    }
  }
  locks_.resize(transmit_queues_);
  for (rte_spinlock_t& lock : locks_) rte_spinlock_init(&lock);
  if (const int error = rte_eth_dev_start(id_); error != 0) return dpdk_error(name_, "start", error);
  // The kernel behind the tap wants its neighbour discovery and routing hellos. A device that cannot filter need not be
  // told.
  if (options.exception_tap) rte_eth_allmulticast_enable(id_);
  return {};
}

Port::~Port() {
  rte_eth_dev_stop(id_);
  rte_eth_dev_close(id_);
}

TransmitQueue Port::transmit_queue(uint16_t worker) noexcept {
  const auto queue = static_cast<uint16_t>(worker % transmit_queues_);
  return {id_, queue, workers_ > transmit_queues_ ? &locks_[queue] : nullptr};
}

contract::PortRecord Port::record() const {
  contract::PortRecord record{};
  name_.copy(record.name, sizeof(record.name) - 1);
  kernel_interface_.copy(record.interface, sizeof(record.interface) - 1);
  rte_ether_addr mac{};
  rte_eth_macaddr_get(id_, &mac);
  std::memcpy(record.mac.data(), mac.addr_bytes, record.mac.size());
  record.mtu = mtu_;
  record.present = 1;
  return record;
}

bool Port::link_up() const noexcept {
  rte_eth_link link{};
  return rte_eth_link_get_nowait(id_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

Result<std::unique_ptr<Port>> start_exception_tap(const Port& port, const PortOptions& options, uint16_t workers,
                                                  rte_mempool* pool) {
  const contract::PortRecord record = port.record();
  char mac[18];
  std::snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", record.mac[0], record.mac[1], record.mac[2],
                record.mac[3], record.mac[4], record.mac[5]);
  const std::string device = "net_tap" + std::to_string(port.index());
  const std::string arguments = "iface=" + options.kernel_interface + ",mac=" + mac;
  if (const int error = rte_eal_hotplug_add("vdev", device.c_str(), arguments.c_str()); error != 0) {
    return dpdk_error(options.name, "make the tap " + options.kernel_interface + " for kernel traffic", error);
  }
  PortOptions tap = options;
  tap.name = options.name + " (tap " + options.kernel_interface + ")";
  tap.device = device;
  tap.receive_queues = 0;
  tap.mtu = std::min(options.mtu, kMostTapMtu);
  auto id = find_port(tap);
  if (!id) return Error{id.error()};
  auto started = Port::start(tap, *id, port.index(), workers, pool);
  if (!started) return started;
  // The kernel's view of the port: what it sends, and what next hops over the tap are given as their MTU.
  if (auto set = set_interface_mtu(options.kernel_interface, options.mtu); !set) {
    return Error{"port " + options.name + ": " + set.error()};
  }
  return started;
}

}  // namespace warmswap::io
