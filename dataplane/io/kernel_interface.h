// The kernel network interfaces that belong to ports: those of AF_XDP, and the taps for what is not for a vip. Any
// thread.
#pragma once

#include <cstdint>
#include <string>

#include "dataplane/contract/result.h"

namespace warmswap::io {

/// Receive queues of an interface that can take a socket each (ethtool channels); 1 where the driver does not say.
uint16_t receive_channels(const std::string& interface);

/// The interface's MTU as the kernel has it.
contract::Result<uint16_t> interface_mtu(const std::string& interface);

contract::Result<void> set_interface_mtu(const std::string& interface, uint16_t mtu);

struct AfXdpDevice {
  uint32_t number = 0;  // of the virtual device, unique in the process
  std::string interface;
  uint16_t queues = 1;
  std::string program;    // file with our XDP program
  bool busy_poll = true;  // let the driver busy-poll the NIC from the worker; pointless for one that sleeps
};

/// The DPDK device string.
std::string device_string(const AfXdpDevice& device);

}  // namespace warmswap::io
