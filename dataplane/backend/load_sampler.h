// The load of this host, from /proc and /sys. The parsers are pure functions over the files' text; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/contract/agent_report.h"

namespace warmswap::backend {

/// Jiffies since boot of all CPUs together: /proc/stat, first line (proc(5)). Busy is all but idle and iowait.
struct CpuTimes {
  uint64_t busy = 0;
  uint64_t total = 0;
};
std::optional<CpuTimes> parse_cpu_times(std::string_view proc_stat);
/// Tasks that run or could: procs_running of /proc/stat.
std::optional<uint32_t> parse_running(std::string_view proc_stat);
/// CPUs of /proc/stat.
uint32_t count_cpus(std::string_view proc_stat);

/// What could not be had without swapping: 1 - MemAvailable / MemTotal of /proc/meminfo, 0..1.
std::optional<double> parse_memory_in_use(std::string_view proc_meminfo);

/// Milliseconds since boot that the busiest whole disk had a request under way: field 13 of /proc/diskstats.
/// Partitions, loop devices and RAM disks are left out.
std::optional<uint64_t> parse_busiest_disk(std::string_view proc_diskstats);

/// Established TCP connections: "TCP: inuse" of /proc/net/sockstat.
std::optional<uint32_t> parse_connections(std::string_view proc_net_sockstat);

class LoadSampler {
 public:
  /// `link_mbps`: the speed of the interface where the kernel does not know it (virtual ones); 0 = as the kernel says.
  LoadSampler(std::string interface, uint32_t link_mbps);

  /// What happened since the last call; the first one has no rates yet. A file that cannot be read leaves its part out.
  contract::AgentLoad sample();

 private:
  std::string interface_;
  uint32_t link_mbps_;
  std::optional<CpuTimes> cpu_;
  std::optional<uint64_t> disk_ms_;
  std::optional<uint64_t> received_;
  std::optional<uint64_t> sent_;
  uint64_t sampled_ns_ = 0;
};

}  // namespace warmswap::backend
