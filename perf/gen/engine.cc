#include "perf/gen/engine.h"

#include <fmt/format.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>

#include "dataplane/io/eal.h"
#include "perf/gen/run.h"

namespace warmswap::gen {
namespace {

using contract::Error;
using contract::Result;

/// Headers that a balancer may put around a frame: GUE with private data over IPv6.
constexpr uint32_t kTunnelRoom = 96;
constexpr uint32_t kUsualMtu = 1500;
constexpr uint32_t kLinkBytes = 14;

/// Several generators may run beside each other.
std::string instance() {
  return fmt::format("gen-{}", getpid());
}

io::Options io_options(const EngineOptions& options) {
  io::Options out;
  out.program = "warmswap-gen";
  out.names = {.cores = "--cores", .hugepages_required = "--huge required", .memory = "--memory"};
  out.instance = instance();
  out.cores = options.cores;
  out.hugepages = options.hugepages;
  out.memory_mib = options.memory_mib;
  out.eal_args = options.eal_args;
  const uint32_t needed = options.largest_frame > kUsualMtu ? options.largest_frame - kLinkBytes + kTunnelRoom : 0;
  for (const Device& device : options.devices) {
    io::PortOptions port;
    port.name = device.name.substr(0, device.name.find(','));
    port.device = device.name;
    port.pci = device.pci;
    port.receive_queues = 1;
    port.receive_descriptors = options.descriptors;
    port.transmit_descriptors = options.descriptors;
    port.mtu = options.mtu != 0 ? options.mtu : static_cast<uint16_t>(std::max(kUsualMtu, needed));
    out.ports.push_back(std::move(port));
  }
  return out;
}

/// The CPUs to use when none are named: the last two this process may use, or the last one where what is tested, which
/// needs one too, would be left with less than two.
std::vector<uint32_t> default_cores() {
  std::vector<uint32_t> cpus = io::allowed_cpus();
  const ptrdiff_t used = cpus.size() < 4 ? 1 : 2;
  cpus.erase(cpus.begin(), cpus.end() - used);
  return cpus;
}

/// Packets on their way out, apart from those that come in: a receiver that is behind cannot starve the transmitter.
Result<rte_mempool*> make_transmit_pool(const EngineOptions& options) {
  constexpr uint32_t kInFlight = 8191;  // in rings and caches besides the descriptors
  constexpr uint32_t kCache = 256;
  const uint32_t buffers = kInFlight + 2u * options.descriptors;
  const auto room = static_cast<uint16_t>(
      std::max<uint32_t>(RTE_MBUF_DEFAULT_BUF_SIZE, options.largest_frame + RTE_PKTMBUF_HEADROOM));
  rte_mempool* pool = rte_pktmbuf_pool_create("departures", buffers, kCache, 0, room, SOCKET_ID_ANY);
  if (pool == nullptr) {
    return Error{fmt::format("cannot make a pool of {} packet buffers of {} bytes: {}; raise --memory (now {})",
                             buffers, room, rte_strerror(rte_errno), options.memory_mib)};
  }
  return pool;
}

bool is_memif_client(const Device& device) {
  // The role is the client's when none is named (DPDK, memif poll mode driver).
  return device.name.starts_with("net_memif") && device.name.find("role=server") == std::string::npos;
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::start(const EngineOptions& asked, const std::atomic<bool>& interrupted) {
  std::unique_ptr<Engine> engine(new Engine());
  EngineOptions& options = engine->options_;
  options = asked;
  if (options.cores.empty()) options.cores = default_cores();
  const io::Options io = io_options(options);
  auto memory = io::plan_memory(options.hugepages, options.memory_mib, io::free_hugepage_bytes(), io.names);
  if (!memory) return Error{memory.error()};
  if (!memory->warning.empty()) std::fprintf(stderr, "warning: %s\n", memory->warning.c_str());
  engine->hugepages_ = memory->hugepages;
  if (auto started = io::start_eal(io, *memory); !started) return Error{started.error()};
  engine->started_ = true;
  if (auto opened = engine->open(options, interrupted); !opened) return Error{opened.error()};
  return engine;
}

Result<void> Engine::open(const EngineOptions& options, const std::atomic<bool>& interrupted) {
  const io::Options io = io_options(options);
  auto pool = io::make_packet_pool(io);
  if (!pool) return Error{pool.error()};
  auto transmit_pool = make_transmit_pool(options);
  if (!transmit_pool) return Error{transmit_pool.error()};
  transmit_pool_ = *transmit_pool;
  for (const io::PortOptions& port_options : io.ports) {
    auto id = io::find_port(port_options);
    if (!id) return Error{id.error()};
    auto port = io::Port::start(port_options, *id, static_cast<uint8_t>(ports_.size()), 1, *pool);
    if (!port) return Error{port.error()};
    // A balancer sends to the next hop's MAC, which need not be this port's. A device that cannot filter cannot refuse.
    rte_eth_promiscuous_enable((*port)->id());
    ports_.push_back(std::move(*port));
  }
  return wait_for_links(options.link_wait, interrupted);
}

Result<void> Engine::wait_for_links(std::chrono::milliseconds wait, const std::atomic<bool>& interrupted) const {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kAgain{300};
  const auto until = Clock::now() + wait;
  for (size_t i = 0; i < ports_.size(); ++i) {
    const auto& port = ports_[i];
    for (auto again = Clock::now() + kAgain; !port->link_up();) {
      if (interrupted.load()) return Error{fmt::format("interrupted: port {} had no link yet", port->name())};
      const auto now = Clock::now();
      if (now >= until) {
        return Error{fmt::format("port {}: its link is down after {} ms; is the other side there? (--link-wait)",
                                 port->name(), wait.count())};
      }
      if (now >= again && is_memif_client(options_.devices[i])) {
        // One that met its server before that had started was turned away, and does not try again by itself.
        rte_eth_dev_stop(port->id());
        rte_eth_dev_start(port->id());
        again = now + kAgain;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  return {};
}

Engine::~Engine() {
  ports_.clear();
  const std::filesystem::path runtime = rte_eal_get_runtime_dir();
  if (started_) io::stop_eal();
  // Named after this process, so that nobody would ever use it again.
  std::error_code ignored;
  if (runtime.filename() == "warmswap-" + instance()) std::filesystem::remove_all(runtime, ignored);
}

contract::MacAddress Engine::mac(size_t device) const {
  return ports_[device]->record().mac;
}

Result<RunResult> Engine::run(PacketSource& source, const TrafficConfig& traffic, const RunOptions& options,
                              const std::atomic<bool>& interrupted, const OnProgress& on_progress) {
  RunPlan plan;
  plan.options = options;
  plan.cores = options_.cores;
  plan.transmit_port = ports_[options.transmit]->id();
  plan.receive_port = ports_[options.receive]->id();
  plan.descriptors = options_.descriptors;
  plan.pool = transmit_pool_;
  plan.conditions = {.transmit_device = options_.devices[options.transmit].name,
                     .receive_device = options.receiving ? options_.devices[options.receive].name : "",
                     .replay = {},
                     .cores = options_.cores,
                     .hugepages = hugepages_,
                     .tsc_hz = 0,
                     .processor = {},
                     .kernel = {},
                     .burst = options.burst,
                     .seed = traffic.seed,
                     .start_realtime = {},
                     .start_monotonic = {}};
  return run_once(source, traffic, plan, interrupted, on_progress);
}

}  // namespace warmswap::gen
