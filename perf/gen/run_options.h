// What a generator process is asked for: devices, cores, memory, and how to run. Plain values without DPDK.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/io/options.h"
#include "perf/gen/decode.h"
#include "perf/gen/traffic.h"

namespace warmswap::gen {

struct Device {
  std::string name;  // PCI address, or a DPDK device string such as "net_memif0,role=server"
  bool pci = false;
  friend bool operator==(const Device&, const Device&) = default;
};

struct EngineOptions {
  /// RunOptions choose among them.
  std::vector<Device> devices;
  /// CPUs: two = transmit on the first and receive on the second, one = both in turn; none = the last two this process
  /// may use, or the only one.
  std::vector<uint32_t> cores;
  io::Hugepages hugepages = io::Hugepages::automatic;
  uint32_t memory_mib = 256;
  std::vector<std::string> eal_args;
  uint16_t descriptors = 1024;
  uint32_t largest_frame = kSmallestFrame;  // that will be sent
  uint16_t mtu = 0;                         // 0 = what the frames need with a tunnel's headers around them
  std::chrono::milliseconds link_wait{10'000};
};

struct RunOptions {
  size_t transmit = 0;  // index into EngineOptions::devices
  size_t receive = 0;
  bool receiving = true;  // false: transmit only
  double rate = 1e6;      // packets/s, infinite = as fast as the device takes them
  std::chrono::nanoseconds duration{std::chrono::seconds(10)};
  std::chrono::nanoseconds drain{std::chrono::milliseconds(500)};  // how long stragglers are waited for
  std::chrono::nanoseconds catch_up{std::chrono::milliseconds(10)};
  std::chrono::nanoseconds late{std::chrono::microseconds(100)};
  std::chrono::nanoseconds interval{std::chrono::milliseconds(100)};
  uint16_t burst = 32;
  bool flow_table = true;
  bool replay = false;
  uint16_t gue_port = kGuePort;
};

}  // namespace warmswap::gen
