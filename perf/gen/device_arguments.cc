#include <fmt/format.h>

#include "perf/gen/arguments.h"

namespace warmswap::gen {
namespace {

using std::chrono::nanoseconds;

io::Hugepages read_hugepages(const std::string& text) {
  if (text == "auto") return io::Hugepages::automatic;
  if (text == "required") return io::Hugepages::required;
  if (text == "off") return io::Hugepages::off;
  refuse("--huge " + text + ": expected auto, required or off");
}

}  // namespace

void DeviceArguments::add_devices(CLI::App* app, Options& options) {
  vdev_ = app->add_option("--vdev", vdevs_, "DPDK virtual device, such as net_memif0,role=client,socket=/run/m.sock")
              ->type_name("ARGS");
  pci_ = app->add_option("--pci", pcis_, "NIC bound to vfio-pci (or left with its driver: mlx5)")->type_name("ADDR");
  for (CLI::Option* option : {vdev_, pci_}) option->allow_extra_args(false)->group("Devices");
  app->add_option("--mtu", options.engine.mtu, "of the ports; when left out, what the frames need in a tunnel")
      ->type_name("BYTES")
      ->check(CLI::Range(576, 9600))
      ->group("Devices");
  duration_option(app, "--link-wait", link_wait_, nanoseconds(0), "how long to wait until the links are up")
      ->group("Devices");
}

void DeviceArguments::add_to(CLI::App* app, Options& options, bool own_devices) {
  if (!own_devices) add_devices(app, options);
  app->add_option("--cores", options.engine.cores,
                  "CPUs: two = transmit on the first, receive on the second; one = both in turn. When left out, the "
                  "last two this process may use; of two or three the last one")
      ->delimiter(',')
      ->type_name("LIST")
      ->group("Devices");
  CLI::Option* huge = app->add_option_function<std::string>(
      "--huge", [&options](const std::string& text) { options.engine.hugepages = read_hugepages(text); },
      "hugepages: auto, required or off");
  huge->type_name("WHEN")->default_str("auto")->group("Devices");
  app->add_flag_callback(
         "--no-huge", [&options] { options.engine.hugepages = io::Hugepages::off; }, "as --huge off")
      ->excludes(huge)
      ->group("Devices");
  app->add_option("--memory", options.engine.memory_mib, "MiB for packet buffers")
      ->type_name("MIB")
      ->check(CLI::Range(64, 65536))
      ->capture_default_str()
      ->group("Devices");
  app->add_option("--descriptors", options.engine.descriptors, "of each queue")
      ->type_name("N")
      ->check(CLI::Range(64, 16384))
      ->capture_default_str()
      ->group("Devices");
  app->add_option("--eal", options.engine.eal_args,
                  "further argument for DPDK; may be repeated: --eal=--single-file-segments")
      ->allow_extra_args(false)
      ->type_name("ARG")
      ->group("Devices");
}

void DeviceArguments::finish(const CLI::App* app, Options& options) const {
  size_t vdev = 0;
  size_t pci = 0;
  for (const CLI::Option* option : app->parse_order()) {
    if (option == vdev_) options.engine.devices.push_back({vdevs_[vdev++], false});
    if (option == pci_) options.engine.devices.push_back({pcis_[pci++], true});
  }
  if (options.engine.devices.empty()) {
    refuse("no device: name the transmitting and the receiving one with --vdev or --pci, or one that does both");
  }
  if (options.engine.devices.size() > 2) {
    refuse(fmt::format("{} devices, expected one or two: the first transmits, the second receives",
                       options.engine.devices.size()));
  }
  options.run.receive = options.engine.devices.size() - 1;
  options.engine.link_wait = std::chrono::duration_cast<std::chrono::milliseconds>(link_wait_);
}

}  // namespace warmswap::gen
