// What a DPDK process runs with: plain values, filled by main from the configuration (or from the generator's options).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace warmswap::io {

/// `poll` spins: lowest latency, one whole core per worker. `backoff` sleeps when idle, up to 200 µs at a time.
enum class Idle : uint8_t { poll, backoff };

/// `automatic` uses hugepages when enough are free and says so when not.
enum class Hugepages : uint8_t { automatic, required, off };

struct PortOptions {
  std::string name;
  std::string device;  // PCI address, or a DPDK device string such as "net_af_xdp0,iface=eth0,…"
  bool pci = false;
  std::string kernel_interface;  // whose routes and neighbours count for this port; empty = none
  uint16_t receive_queues = 0;   // 0 = one for each worker
  bool exception_tap = false;    // make `kernel_interface` a tap that carries what is not for a vip
  uint16_t receive_descriptors = 1024;
  uint16_t transmit_descriptors = 1024;
  uint16_t mtu = 1500;
};

/// What messages call the things that the person who runs the program can change.
struct OptionNames {
  std::string cores = "dataplane.cores";
  std::string hugepages_required = "dataplane.hugepages = \"required\"";
  std::string memory = "dataplane.memory_mb";
};

struct Options {
  std::string program = "warmswap-dataplane";
  OptionNames names;
  std::string instance;
  std::vector<uint32_t> cores;  // one worker each
  Idle idle = Idle::poll;
  Hugepages hugepages = Hugepages::automatic;
  uint32_t memory_mib = 512;
  std::vector<PortOptions> ports;
  std::vector<std::string> eal_args;
};

}  // namespace warmswap::io
