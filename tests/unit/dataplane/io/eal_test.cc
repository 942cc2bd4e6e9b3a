// What can be decided without starting DPDK; the running dataplane is tested end to end.
#include "dataplane/io/eal.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "dataplane/io/kernel_interface.h"

namespace warmswap::io {
namespace {

constexpr uint64_t kMiB = 1 << 20;

Options two_workers() {
  Options options;
  options.instance = "t";
  options.cores = {2, 3};
  options.memory_mib = 512;
  PortOptions port;
  port.device = "net_null0";
  options.ports = {port};
  return options;
}

/// The value after `flag`, "" when the flag is not there.
std::string value_of(const std::vector<std::string>& arguments, const std::string& flag) {
  const auto at = std::find(arguments.begin(), arguments.end(), flag);
  return at == arguments.end() || at + 1 == arguments.end() ? "" : *(at + 1);
}
bool has(const std::vector<std::string>& arguments, const std::string& flag) {
  return std::find(arguments.begin(), arguments.end(), flag) != arguments.end();
}

TEST(MemoryPlan, UsesHugepagesWhenEnoughAreFreeAndSaysWhenNot) {
  EXPECT_TRUE(plan_memory(Hugepages::automatic, 512, 512 * kMiB)->hugepages);
  EXPECT_TRUE(plan_memory(Hugepages::automatic, 512, 512 * kMiB)->warning.empty());
  const auto fallback = plan_memory(Hugepages::automatic, 512, 511 * kMiB);
  ASSERT_TRUE(fallback);
  EXPECT_FALSE(fallback->hugepages);
  EXPECT_NE(fallback->warning.find("511 MiB of hugepages are free, 512 MiB are asked for"), std::string::npos)
      << fallback->warning;
  const auto refused = plan_memory(Hugepages::required, 512, 0);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find("vm.nr_hugepages=256"), std::string::npos) << refused.error();
  EXPECT_FALSE(plan_memory(Hugepages::off, 512, 1024 * kMiB)->hugepages);
}

TEST(MemoryPlan, CallsTheOptionWhatTheProgramCallsIt) {
  EXPECT_EQ(plan_memory(Hugepages::required, 512, 0).error().rfind("dataplane.hugepages = \"required\", but 0 MiB", 0),
            0u);
  const OptionNames names{.cores = "--cores", .hugepages_required = "--huge required", .memory = "--memory"};
  EXPECT_EQ(plan_memory(Hugepages::required, 512, 0, names).error().rfind("--huge required, but 0 MiB", 0), 0u);
}

TEST(EalArguments, StartWithTheProgramsName) {
  Options options = two_workers();
  EXPECT_EQ(eal_arguments(options, {}, {0, 1, 2, 3}).front(), "warmswap-dataplane");
  options.program = "warmswap-gen";
  EXPECT_EQ(eal_arguments(options, {}, {0, 1, 2, 3}).front(), "warmswap-gen");
}

TEST(EalArguments, PinWorkersAndKeepHouseElsewhere) {
  const auto arguments = eal_arguments(two_workers(), {.hugepages = true, .warning = {}}, {0, 1, 2, 3});
  EXPECT_EQ(value_of(arguments, "--lcores"), "0@(0,1),1@2,2@3");
  EXPECT_EQ(value_of(arguments, "--main-lcore"), "0");
  EXPECT_EQ(value_of(arguments, "-m"), "512");
  EXPECT_TRUE(has(arguments, "--in-memory"));
  EXPECT_TRUE(has(arguments, "--no-pci")) << "no PCI port is configured: leave the host's devices alone";
  EXPECT_EQ(value_of(arguments, "--vdev"), "net_null0");
}

TEST(EalArguments, HousekeepingSharesWhenEveryCpuHasAWorker) {
  const auto arguments = eal_arguments(two_workers(), {.hugepages = false, .warning = {}}, {2, 3});
  EXPECT_EQ(value_of(arguments, "--lcores"), "0@(2,3),1@2,2@3");
  EXPECT_TRUE(has(arguments, "--no-huge"));
  EXPECT_FALSE(has(arguments, "--in-memory")) << "DPDK 22.11 refuses --in-memory together with --no-huge";
}

TEST(EalArguments, PciPortsAreAllowedByAddressAndUserArgumentsComeLast) {
  Options options = two_workers();
  options.ports[0].pci = true;
  options.ports[0].device = "0000:03:00.0";
  options.eal_args = {"--log-level", "debug"};
  const auto arguments = eal_arguments(options, {.hugepages = true, .warning = {}}, {0, 2, 3});
  EXPECT_EQ(value_of(arguments, "--allow"), "0000:03:00.0");
  EXPECT_FALSE(has(arguments, "--no-pci"));
  EXPECT_EQ(arguments.back(), "debug");
}

TEST(AfXdp, DeviceStringCarriesWhatTheDriverNeeds) {
  EXPECT_EQ(device_string({.number = 1, .interface = "eth0", .queues = 4, .program = "/p", .busy_poll = false}),
            "net_af_xdp1,iface=eth0,start_queue=0,queue_count=4,xdp_prog=/p,busy_budget=0");
  EXPECT_EQ(device_string({.number = 0, .interface = "eth1", .queues = 1, .program = "/p", .busy_poll = true}),
            "net_af_xdp0,iface=eth1,start_queue=0,queue_count=1,xdp_prog=/p");
}

TEST(AfXdp, InterfaceFacts) {
  EXPECT_EQ(receive_channels("lo"), 1) << "a driver that does not say has one queue";
  EXPECT_GE(*interface_mtu("lo"), 1500);
  const auto missing = interface_mtu("nosuchinterface0");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().find("nosuchinterface0"), std::string::npos);
}

}  // namespace
}  // namespace warmswap::io
