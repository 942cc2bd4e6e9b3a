#include "dataplane/io/runtime.h"

#include <rte_launch.h>
#include <rte_lcore.h>
#include <spdlog/spdlog.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <exception>

namespace warmswap::io {
namespace {

using contract::DataplaneState;
using contract::Error;
using contract::Result;

constexpr long kHousekeepingNs = 10'000'000;
constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kSilentWorkerNs = 500'000'000;

int run_worker(void* worker) {
  static_cast<Worker*>(worker)->run();
  return 0;
}

void set_state(contract::Segment& segment, DataplaneState state) {
  segment.header().dataplane.state.store(static_cast<uint32_t>(state), std::memory_order_relaxed);
}

}  // namespace

Result<std::unique_ptr<Runtime>> Runtime::start(const Options& options, contract::Segment& segment) {
  if (options.cores.size() > segment.geometry().worker_capacity) {
    return Error{"dataplane.cores lists " + std::to_string(options.cores.size()) + " workers, the segment holds " +
                 std::to_string(segment.geometry().worker_capacity) + ": raise dataplane.limits.workers"};
  }
  std::unique_ptr<Runtime> runtime(new Runtime(segment));
  contract::DataplaneLine& line = segment.header().dataplane;
  line.pid.store(static_cast<uint32_t>(getpid()), std::memory_order_relaxed);
  line.started_ns.store(contract::realtime_ns(), std::memory_order_relaxed);
  line.worker_count.store(static_cast<uint32_t>(options.cores.size()), std::memory_order_relaxed);
  set_state(segment, DataplaneState::starting);
  // A lease that ran out before this start was counted by whoever ran then.
  const uint64_t lease = segment.header().control.lease_until_ns.load(std::memory_order_acquire);
  if (lease < contract::monotonic_ns()) runtime->expired_lease_ = lease;
  if (auto opened = runtime->open_ports(options); !opened) return Error{opened.error()};
  runtime->publish_ports();
  if (auto launched = runtime->launch_workers(options); !launched) return Error{launched.error()};
  set_state(segment, DataplaneState::running);
  runtime->reader_.online();
  return runtime;
}

Result<void> Runtime::open_ports(const Options& options) {
  auto pool = make_packet_pool(options);
  if (!pool) return Error{pool.error()};
  const auto workers = static_cast<uint16_t>(options.cores.size());
  for (const PortOptions& port_options : options.ports) {
    auto id = find_port(port_options);
    if (!id) return Error{id.error()};
    auto port = Port::start(port_options, *id, static_cast<uint8_t>(ports_.size()), workers, *pool);
    if (!port) return Error{port.error()};
    std::unique_ptr<Port> tap;
    if (port_options.exception_tap) {
      auto started = start_exception_tap(**port, port_options, workers, *pool);
      if (!started) return Error{started.error()};
      tap = std::move(*started);
    }
    link_up_.push_back((*port)->link_up());
    ports_.push_back(std::move(*port));
    taps_.push_back(std::move(tap));
  }
  return {};
}

void Runtime::publish_ports() {
  contract::SegmentHeader& header = segment_.header();
  // A control plane that is attached reads these at any time: what did not change is not touched.
  for (size_t i = 0; i < contract::kPortCapacity; ++i) {
    const contract::PortRecord record = i < ports_.size() ? ports_[i]->record() : contract::PortRecord{};
    if (std::memcmp(&record, &header.ports[i], sizeof(record)) != 0) header.ports[i] = record;
  }
  header.dataplane.port_count.store(static_cast<uint32_t>(ports_.size()), std::memory_order_relaxed);
  header.dataplane.tick_ns.store(contract::monotonic_ns(), std::memory_order_relaxed);
  // Release: a control plane that sees the new epoch (acquire) sees the records above.
  header.dataplane.epoch.fetch_add(1, std::memory_order_release);
}

WorkerSetup Runtime::worker_setup(const Options& options, uint16_t index) const {
  WorkerSetup setup;
  setup.index = index;
  setup.cpu = options.cores[index];
  setup.idle = options.idle;
  const auto workers = static_cast<uint16_t>(options.cores.size());
  for (size_t p = 0; p < ports_.size(); ++p) {
    Port& port = *ports_[p];
    Egress& egress = setup.egress[p];
    egress.present = true;
    egress.wire = port.transmit_queue(index);
    // Ports with fewer queues than workers start at different workers, so that two one-queue ports use two workers.
    const auto mine = [&](const Port& of) {
      std::vector<ReceiveQueue> queues;
      for (uint16_t queue = 0; queue < of.receive_queues(); ++queue) {
        if ((queue + p) % workers == index) queues.push_back({of.id(), queue, port.index()});
      }
      return queues;
    };
    for (const ReceiveQueue& queue : mine(port)) setup.from_wire.push_back(queue);
    if (taps_[p] == nullptr) continue;
    egress.has_kernel = true;
    egress.kernel = taps_[p]->transmit_queue(index);
    for (const ReceiveQueue& queue : mine(*taps_[p])) setup.from_kernel.push_back(queue);
  }
  return setup;
}

Result<void> Runtime::launch_workers(const Options& options) {
  for (uint16_t i = 0; i < options.cores.size(); ++i) {
    workers_.push_back(std::make_unique<Worker>(worker_setup(options, i), segment_));
    const int error = rte_eal_remote_launch(run_worker, workers_.back().get(), i + 1u);
    if (error != 0) {
      workers_.pop_back();
      return Error{"cannot launch worker " + std::to_string(i) + " on core " + std::to_string(options.cores[i])};
    }
  }
  silent_.assign(workers_.size(), false);
  return {};
}

Runtime::~Runtime() {
  for (const auto& worker : workers_) worker->stop();
  rte_eal_mp_wait_lcore();
  reader_.offline();
  taps_.clear();
  ports_.clear();
  set_state(segment_, DataplaneState::stopped);
}

int Runtime::run(const sigset_t& signals, const Hooks& hooks) {
  uint64_t next_second = 0;
  follow_snapshot(hooks);
  for (;;) {
    const timespec pause{0, kHousekeepingNs};
    const int signal = sigtimedwait(&signals, nullptr, &pause);
    if (signal > 0) return signal;
    const uint64_t now = contract::monotonic_ns();
    segment_.header().dataplane.tick_ns.store(now, std::memory_order_relaxed);
    follow_snapshot(hooks);
    watch_lease();
    if (now < next_second) continue;
    next_second = now + kSecondNs;
    watch_workers();
    watch_links();
    if (hooks.on_second) hooks.on_second();
  }
}

void Runtime::follow_snapshot(const Hooks& hooks) {
  bool changed = false;
  const contract::SnapshotRoot* root = reader_.acquire(changed);
  if (!(changed || hook_owed_) || !hooks.on_snapshot) return;
  try {
    hook_owed_ = !hooks.on_snapshot(root);
  } catch (const std::exception& error) {
    // Out of memory, say: the workers go on forwarding, whatever happens to the housekeeping.
    spdlog::error("following the snapshot failed, trying again: {}", error.what());
    hook_owed_ = true;
  }
}

void Runtime::watch_lease() {
  const contract::ControlLine& control = segment_.header().control;
  contract::DataplaneLine& line = segment_.header().dataplane;
  const uint64_t until = control.lease_until_ns.load(std::memory_order_acquire);
  const bool frozen = line.state.load(std::memory_order_relaxed) == static_cast<uint32_t>(DataplaneState::frozen);
  // Of our own start there was no promise yet: only a lease that was given can run out.
  const bool expired = until != 0 && until < contract::monotonic_ns();
  if (expired && !frozen) {
    if (until != expired_lease_) line.lease_expiries.fetch_add(1, std::memory_order_relaxed);
    expired_lease_ = until;
    set_state(segment_, DataplaneState::frozen);
    spdlog::warn("no sign of the control plane: going on with the last snapshot");
  } else if (!expired && frozen) {
    set_state(segment_, DataplaneState::running);
    spdlog::info("the control plane is back");
  }
}

void Runtime::watch_workers() {
  const uint64_t now = contract::monotonic_ns();
  for (size_t i = 0; i < workers_.size(); ++i) {
    const uint64_t tick = segment_.worker(static_cast<uint32_t>(i)).totals.tick_ns.load(std::memory_order_relaxed);
    const bool silent = now > tick && now - tick > kSilentWorkerNs;
    if (silent && !silent_[i]) spdlog::error("worker {} has not ticked for {} ms", i, (now - tick) / 1'000'000);
    if (!silent && silent_[i]) spdlog::info("worker {} ticks again", i);
    silent_[i] = silent;
  }
}

void Runtime::watch_links() {
  for (size_t i = 0; i < ports_.size(); ++i) {
    const bool up = ports_[i]->link_up();
    if (up != link_up_[i]) spdlog::warn("port {}: link is {}", ports_[i]->name(), up ? "up" : "down");
    link_up_[i] = up;
  }
}

}  // namespace warmswap::io
