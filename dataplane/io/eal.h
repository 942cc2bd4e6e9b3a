// Starting DPDK's environment abstraction layer from our options. Once per process, before anything else of io/.
#pragma once

#include <string>
#include <vector>

#include "dataplane/contract/result.h"
#include "dataplane/io/options.h"

namespace warmswap::io {

/// The decision about memory, separate so that it can be tested and shown.
struct MemoryPlan {
  bool hugepages = false;
  std::string warning;  // not empty when hugepages were wanted and are not there
};

/// `free_bytes`: hugepage memory free on the host now.
contract::Result<MemoryPlan> plan_memory(Hugepages policy, uint32_t memory_mib, uint64_t free_bytes,
                                         const OptionNames& names = {});

/// Hugepage memory of all sizes that is free and not promised to anybody, from sysfs.
uint64_t free_hugepage_bytes();

/// The argument vector for rte_eal_init: lcore 0 keeps house wherever no worker is pinned, lcore i + 1 is worker i.
std::vector<std::string> eal_arguments(const Options& options, const MemoryPlan& memory,
                                       const std::vector<uint32_t>& allowed_cpus);

/// Processors this process may use.
std::vector<uint32_t> allowed_cpus();

/// Initialises EAL.
contract::Result<void> start_eal(const Options& options, const MemoryPlan& memory);

/// Gives back what EAL holds; after the last port is closed.
void stop_eal();

}  // namespace warmswap::io
