#include "dataplane/io/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <sched.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace warmswap::io {

using contract::Error;
using contract::Result;

Result<MemoryPlan> plan_memory(Hugepages policy, uint32_t memory_mib, uint64_t free_bytes, const OptionNames& names) {
  if (policy == Hugepages::off) return MemoryPlan{};
  const uint64_t need = uint64_t{memory_mib} << 20;
  if (free_bytes >= need) return MemoryPlan{.hugepages = true, .warning = {}};
  const std::string found = std::to_string(free_bytes >> 20) + " MiB of hugepages are free, " +
                            std::to_string(memory_mib) + " MiB are asked for";
  const std::string advice = "reserve them, for example: sysctl vm.nr_hugepages=" + std::to_string(need >> 21);
  if (policy == Hugepages::required) return Error{names.hugepages_required + ", but " + found + "; " + advice};
  return MemoryPlan{
      .hugepages = false,
      .warning = found + ": running on ordinary pages, slower on a real NIC (PCI ports need hugepages); " + advice};
}

uint64_t free_hugepage_bytes() {
  uint64_t bytes = 0;
  std::error_code error;
  for (const auto& size : std::filesystem::directory_iterator("/sys/kernel/mm/hugepages", error)) {
    const std::string name = size.path().filename();  // hugepages-2048kB
    uint64_t free = 0;
    uint64_t promised = 0;
    std::ifstream(size.path() / "free_hugepages") >> free;
    std::ifstream(size.path() / "resv_hugepages") >> promised;
    const uint64_t pages = free - std::min(free, promised);
    const size_t dash = name.find('-');
    if (dash != std::string::npos) bytes += pages * std::strtoull(name.c_str() + dash + 1, nullptr, 10) * 1024;
  }
  return bytes;
}

std::vector<uint32_t> allowed_cpus() {
  std::vector<uint32_t> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return cpus;
  for (uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

std::vector<std::string> eal_arguments(const Options& options, const MemoryPlan& memory,
                                       const std::vector<uint32_t>& allowed) {
  std::string free_cpus;
  std::string all_cpus;
  for (const uint32_t cpu : allowed) {
    const std::string text = std::to_string(cpu);
    all_cpus += (all_cpus.empty() ? "" : ",") + text;
    if (std::find(options.cores.begin(), options.cores.end(), cpu) != options.cores.end()) continue;
    free_cpus += (free_cpus.empty() ? "" : ",") + text;
  }
  std::string lcores = "0@(" + (free_cpus.empty() ? all_cpus : free_cpus) + ")";
  for (size_t i = 0; i < options.cores.size(); ++i) {
    lcores += "," + std::to_string(i + 1) + "@" + std::to_string(options.cores[i]);
  }
  std::vector<std::string> arguments{options.program,
                                     "--lcores",
                                     lcores,
                                     "--main-lcore",
                                     "0",
                                     "--file-prefix",
                                     "warmswap-" + options.instance,
                                     "--no-telemetry",
                                     "--log-level",
                                     "lib.*:warning",
                                     "--log-level",
                                     "pmd.*:warning"};
  arguments.insert(arguments.end(), {"-m", std::to_string(options.memory_mib)});
  // --in-memory leaves no hugetlbfs files behind a crash; without hugepages it does not go together with -m.
  arguments.push_back(memory.hugepages ? "--in-memory" : "--no-huge");
  bool any_pci = false;
  for (const PortOptions& port : options.ports) {
    if (port.pci) {
      any_pci = true;
      arguments.insert(arguments.end(), {"--allow", port.device});
    } else {
      arguments.insert(arguments.end(), {"--vdev", port.device});
    }
  }
  if (!any_pci) arguments.push_back("--no-pci");
  arguments.insert(arguments.end(), options.eal_args.begin(), options.eal_args.end());
  return arguments;
}

Result<void> start_eal(const Options& options, const MemoryPlan& memory) {
  const std::vector<uint32_t> cpus = allowed_cpus();
  for (const uint32_t core : options.cores) {
    if (std::find(cpus.begin(), cpus.end(), core) == cpus.end()) {
      return Error{options.names.cores + ": core " + std::to_string(core) + " is not among the " +
                   std::to_string(cpus.size()) + " processors this process may use"};
    }
  }
  std::vector<std::string> arguments = eal_arguments(options, memory, cpus);
  std::vector<char*> argv;
  argv.reserve(arguments.size());
  for (std::string& argument : arguments) argv.push_back(argument.data());
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
    std::string line;
    for (const std::string& argument : arguments) line += " " + argument;
    return Error{"DPDK did not start: " + std::string(rte_strerror(rte_errno)) + "; its arguments were:" + line};
  }
  return {};
}

void stop_eal() {
  rte_eal_cleanup();
}

}  // namespace warmswap::io
