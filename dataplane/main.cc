// warmswap-dataplane: wires configuration, segment, steering and the DPDK runtime together.
#include <pthread.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/config/config.h"
#include "controlplane/config/load.h"
#include "dataplane/contract/segment.h"
#include "dataplane/io/eal.h"
#include "dataplane/io/kernel_interface.h"
#include "dataplane/io/runtime.h"
#include "dataplane/steer/steering.h"

namespace {

using namespace warmswap;
using contract::Error;
using contract::Result;

io::Hugepages to_hugepages(config::HugepagePolicy policy) {
  if (policy == config::HugepagePolicy::off) return io::Hugepages::off;
  return policy == config::HugepagePolicy::required ? io::Hugepages::required : io::Hugepages::automatic;
}

/// An AF_XDP port's device string, its interface cleared of what a crashed dataplane may have left.
Result<void> prepare_af_xdp(const config::PortConfig& port, const std::string& program, bool polling, uint32_t number,
                            io::PortOptions& options) {
  if (auto ready = steer::prepare_interface(port.interface); !ready)
    return Error{"port " + port.name + ": " + ready.error()};
  auto mtu = io::interface_mtu(port.interface);
  if (!mtu) return Error{"port " + port.name + ": " + mtu.error()};
  if (port.mtu == 0) options.mtu = *mtu;
  // A socket on every queue, also when there are fewer workers: the NIC spreads over all of them.
  options.receive_queues = io::receive_channels(port.interface);
  options.device = io::device_string({.number = number,
                                      .interface = port.interface,
                                      .queues = options.receive_queues,
                                      .program = program,
                                      .busy_poll = polling});
  return {};
}

Result<io::Options> to_options(const config::Config& config, const std::string& program) {
  const config::DataplaneConfig& dataplane = config.dataplane;
  io::Options options;
  options.instance = config.instance.name;
  options.cores = dataplane.cores;
  options.idle = dataplane.idle == config::IdlePolicy::poll ? io::Idle::poll : io::Idle::backoff;
  options.hugepages = to_hugepages(dataplane.hugepages);
  options.memory_mib = dataplane.memory_mib;
  options.eal_args = dataplane.eal_args;
  for (const config::PortConfig& port : dataplane.ports) {
    io::PortOptions to;
    to.name = port.name;
    to.device = port.device;
    to.pci = port.driver == config::PortDriver::pci;
    to.kernel_interface = port.interface;
    to.exception_tap = port.driver != config::PortDriver::af_xdp && !port.interface.empty();
    to.receive_descriptors = port.receive_descriptors;
    to.transmit_descriptors = port.transmit_descriptors;
    if (port.mtu != 0) to.mtu = port.mtu;
    if (port.driver == config::PortDriver::af_xdp) {
      auto prepared = prepare_af_xdp(port, program, options.idle == io::Idle::poll,
                                     static_cast<uint32_t>(options.ports.size()), to);
      if (!prepared) return Error{prepared.error()};
    }
    options.ports.push_back(std::move(to));
  }
  return options;
}

/// Keeps the XDP programs of all AF_XDP ports at the current snapshot and warns of packets they had to drop.
class SteeringSet {
 public:
  Result<void> attach(const config::Config& config) {
    for (const config::PortConfig& port : config.dataplane.ports) {
      if (port.driver != config::PortDriver::af_xdp) continue;
      auto steering = steer::Steering::attach(port.interface);
      if (!steering) return Error{"port " + port.name + ": " + steering.error()};
      ports_.push_back({std::move(*steering), 0, {}});
    }
    return {};
  }
  /// False when a port could not follow; the caller tries again. Says so once.
  bool sync(const std::byte* base, const contract::SnapshotRoot* root) {
    bool followed = true;
    for (Entry& port : ports_) {
      const auto synced = port.steering.sync(base, root);
      followed = followed && synced.ok();
      if (!synced && port.failure != synced.error()) spdlog::error("{}", synced.error());
      port.failure = synced ? "" : synced.error();
    }
    return followed;
  }
  void report() {
    for (Entry& port : ports_) {
      const auto counters = port.steering.counters();
      if (!counters || counters->no_socket == port.reported) continue;
      spdlog::warn(
          "{}: {} packets for a vip came on a receive queue that no worker serves; give the interface as many "
          "queues as there are workers (ethtool -L {} combined N)",
          port.steering.interface(), counters->no_socket - port.reported, port.steering.interface());
      port.reported = counters->no_socket;
    }
  }

 private:
  struct Entry {
    steer::Steering steering;
    uint64_t reported;
    std::string failure;
  };
  std::vector<Entry> ports_;
};

Result<int> serve(const config::Config& config, const sigset_t& signals) {
  const uint64_t free_hugepages = io::free_hugepage_bytes();
  auto memory = io::plan_memory(to_hugepages(config.dataplane.hugepages), config.dataplane.memory_mib, free_hugepages);
  if (!memory) return Error{memory.error()};
  if (!memory->warning.empty()) spdlog::warn("{}", memory->warning);
  // The packet buffers come first; the segment goes to hugepages only with what is left.
  const contract::Geometry& geometry = config.dataplane.geometry;
  const uint64_t wanted = (uint64_t{config.dataplane.memory_mib} << 20) + contract::region_sizes(geometry).total();
  auto segment = contract::Segment::create_or_adopt(
      {.instance = config.instance.name,
       .group = config.instance.group,
       .geometry = geometry,
       .paths = contract::segment_paths(config.instance.name, true),
       .create_at = contract::segment_paths(config.instance.name, memory->hugepages && free_hugepages >= wanted)});
  if (!segment) return Error{segment.error()};
  if (!segment->notice().empty()) spdlog::warn("{}", segment->notice());
  // Only the holder of the instance may touch its interfaces.
  auto program = steer::ProgramFile::open();
  if (!program) return Error{program.error()};
  auto options = to_options(config, program->path());
  if (!options) return Error{options.error()};
  if (auto started = io::start_eal(*options, *memory); !started) return Error{started.error()};
  int signal = 0;
  {
    auto runtime = io::Runtime::start(*options, *segment);
    if (!runtime) return Error{runtime.error()};
    SteeringSet steering;
    if (auto attached = steering.attach(config); !attached) return Error{attached.error()};
    const bool has_snapshot = segment->adopted() && segment->header().control.root.load() != 0;
    std::printf("ready: instance %s, %zu worker%s, %zu port%s, segment %s%s\n", config.instance.name.c_str(),
                (*runtime)->worker_count(), (*runtime)->worker_count() == 1 ? "" : "s", options->ports.size(),
                options->ports.size() == 1 ? "" : "s", segment->path().c_str(),
                has_snapshot ? ", forwarding with the snapshot found" : ", waiting for the control plane");
    std::fflush(stdout);
    const std::byte* base = segment->base();
    signal =
        (*runtime)->run(signals, {.on_snapshot = [&](const auto* snapshot) { return steering.sync(base, snapshot); },
                                  .on_second = [&] { steering.report(); }});
    spdlog::info("signal {}: stopping; the segment stays for the next start", signal);
  }
  io::stop_eal();
  return signal;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"warmswap-dataplane: forwards vip traffic to backends with poll-mode workers (DPDK)"};
  std::string file = "/etc/warmswap/warmswap.toml";
  app.add_option("-c,--config", file, "configuration; [instance] and [dataplane] are read")->capture_default_str();
  app.set_version_flag("--version", "warmswap-dataplane " WARMSWAP_VERSION);
  app.footer("Stop it with SIGTERM. It keeps its shared-memory segment, so that the next start forwards at once.");
  CLI11_PARSE(app, argc, argv);

  spdlog::set_default_logger(spdlog::stderr_logger_st("dataplane"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %n %l: %v");
  // Before any thread exists, so that all of them inherit it and only the housekeeping loop takes these signals.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  auto loaded = config::load_dataplane_part(file);
  if (!loaded) {
    std::fprintf(stderr, "%s\n", loaded.error().c_str());
    return 2;
  }
  for (const std::string& warning : loaded->warnings) spdlog::warn("{}", warning);
  const auto served = serve(loaded->config, signals);
  if (!served) {
    spdlog::error("{}", served.error());
    return 1;
  }
  return 0;
}
