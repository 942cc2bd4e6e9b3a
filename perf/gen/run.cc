#include "perf/gen/run.h"

#include <fmt/format.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <sys/utsname.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <thread>

#include "perf/gen/collect.h"
#include "perf/gen/lcores.h"
#include "perf/gen/ticks.h"

namespace warmswap::gen {
namespace {

using contract::Error;
using contract::Result;

constexpr uint32_t kMostIntervals = 100'000;
constexpr std::chrono::milliseconds kLead{20};  // from the decision to start until the first departure

std::chrono::nanoseconds clock_now(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

/// Of the first CPU, as the kernel tells.
std::string processor_model() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return {};
}

std::string kernel_release() {
  utsname names{};
  return uname(&names) == 0 ? names.release : "";
}

Result<void> launch(int (*loop)(void*), Lcores& lcores, unsigned lcore) {
  if (rte_eal_remote_launch(loop, &lcores, lcore) == 0) return {};
  return Error{fmt::format("lcore {} is busy", lcore)};
}

uint64_t device_drops(uint16_t port) {
  rte_eth_stats stats{};
  return rte_eth_stats_get(port, &stats) == 0 ? stats.imissed + stats.rx_nombuf : 0;
}

uint32_t interval_count(const RunOptions& options) {
  const auto whole = options.duration + options.drain;
  return static_cast<uint32_t>(whole / options.interval) + 1;
}

void collect_transmitted(Transmitter& transmitter, PacketSource& source, uint64_t start, double hz, RunResult& result) {
  result.transmitted = transmitter.transmitted();
  result.transmitted_bytes = transmitter.transmitted_bytes();
  result.skipped = transmitter.skipped();
  result.late = transmitter.late();
  result.blocked = transmitter.blocked();
  result.refused = transmitter.refused();
  result.inter_departure = transmitter.inter_departure();
  result.lateness = transmitter.lateness();
  result.transmitted_timeline = transmitter.timeline();
  result.offered = result.transmitted + result.refused + result.skipped;
  if (!std::isinf(result.offered_rate)) result.offered += source.skip_to(transmitter.end());
  result.duration = std::chrono::nanoseconds(
      static_cast<int64_t>(static_cast<double>(transmitter.end() - std::min(start, transmitter.end())) * 1e9 / hz));
}

/// Until the lcores are done.
void watch(Lcores& lcores, uint64_t start, double hz, const std::atomic<bool>& interrupted,
           const OnProgress& on_progress) {
  bool told = false;
  while (lcores.transmitting.load(std::memory_order_acquire) ||
         (lcores.receiver != nullptr && lcores.receiving.load(std::memory_order_acquire))) {
    std::this_thread::sleep_for(std::chrono::milliseconds(interrupted.load() || told ? 1 : 20));
    const uint64_t now = rte_rdtsc();
    if (interrupted.load() && !told) {
      told = true;
      lcores.transmitter.finish(std::max(now, start));
    }
    const uint64_t elapsed = now > start ? now - start : 0;
    on_progress({std::chrono::nanoseconds(static_cast<int64_t>(static_cast<double>(elapsed) * 1e9 / hz)),
                 lcores.transmitter.transmitted(), lcores.checker.received()});
  }
}

CheckerOptions checker_options(const RunOptions& options, double hz, uint32_t intervals) {
  return {.flow_table = options.flow_table,
          .replay = options.replay,
          .gue_port = options.gue_port,
          .hz = hz,
          .interval = options.interval,
          .intervals = intervals};
}

TransmitterOptions transmitter_options(const RunPlan& plan, const Checker& checker, double hz, uint32_t intervals) {
  return {.port = plan.transmit_port,
          .pool = plan.pool,
          .streams = static_cast<uint32_t>(checker.streams().size()),
          .burst = plan.options.burst,
          .rate = plan.options.rate,
          .hz = hz,
          .duration = plan.options.duration,
          .catch_up = plan.options.catch_up,
          .late = plan.options.late,
          .interval = plan.options.interval,
          .intervals = intervals};
}

/// Runs the loops on their lcores until they are done.
Result<void> run_lcores(Lcores& lcores, bool two, uint64_t start, double hz, const std::atomic<bool>& interrupted,
                        const OnProgress& on_progress) {
  // lcore 0 is this thread; worker i has lcore i + 1 (io::eal_arguments).
  constexpr unsigned kFirst = 1;
  if (lcores.receiver != nullptr && two) {
    if (auto launched = launch(receive_loop, lcores, kFirst + 1); !launched) return launched;
  }
  auto launched = launch(lcores.receiver != nullptr && !two ? both_loop : transmit_loop, lcores, kFirst);
  if (launched) {
    watch(lcores, start, hz, interrupted, on_progress);
  } else {
    lcores.transmitting.store(false);
  }
  rte_eal_mp_wait_lcore();
  return launched;
}

}  // namespace

Result<RunResult> run_once(PacketSource& source, const TrafficConfig& traffic, const RunPlan& plan,
                           const std::atomic<bool>& interrupted, const OnProgress& on_progress) {
  const RunOptions& options = plan.options;
  const auto hz = static_cast<double>(rte_get_tsc_hz());
  const uint32_t intervals = interval_count(options);
  if (intervals > kMostIntervals) {
    return Error{
        fmt::format("a timeline of {} intervals, expected at most {}: choose longer ones", intervals, kMostIntervals)};
  }
  auto checker = Checker::make(traffic, checker_options(options, hz, intervals));
  if (!checker) return Error{checker.error()};
  Transmitter transmitter(source, transmitter_options(plan, **checker, hz, intervals));
  Receiver receiver(plan.receive_port, plan.descriptors, **checker);
  if (options.receiving) receiver.drain();
  const uint64_t drops_before = device_drops(plan.receive_port);
  const std::vector<unsigned> cpus(plan.cores.begin(), plan.cores.end());
  const auto ticks_before = perf::read_cpu_ticks(cpus);

  RunResult result;
  result.conditions = plan.conditions;
  result.conditions.tsc_hz = hz;
  result.conditions.processor = processor_model();
  result.conditions.kernel = kernel_release();
  result.conditions.start_realtime = clock_now(CLOCK_REALTIME) + kLead;
  result.conditions.start_monotonic = clock_now(CLOCK_MONOTONIC) + kLead;
  // Without the bits that a compact signature drops, so that no departure reads as one before the start.
  const uint64_t start = (rte_rdtsc() + to_ticks(kLead, hz)) >> kCompactShift << kCompactShift;
  transmitter.begin(start);
  (*checker)->begin(start);
  Lcores lcores{transmitter, options.receiving ? &receiver : nullptr, **checker, to_ticks(options.drain, hz)};
  auto ran = run_lcores(lcores, plan.cores.size() > 1, start, hz, interrupted, on_progress);
  if (!ran) return Error{ran.error()};

  result.traffic = traffic.streams;
  result.interval = options.interval;
  result.interrupted = interrupted.load();
  result.flow_table = options.flow_table;
  result.signed_packets = !options.replay;
  result.waited = std::chrono::nanoseconds(static_cast<int64_t>(lcores.waited_ns.load()));
  result.offered_rate = source.total_rate(options.rate);
  collect_transmitted(transmitter, source, start, hz, result);
  if (options.receiving) {
    collect_received(**checker, traffic, transmitter.transmitted_by_stream(), start, hz, result);
    result.device_drops = device_drops(plan.receive_port) - drops_before;
    result.overruns = receiver.overruns();
  }
  trim_timelines(result);
  const auto ticks_after = perf::read_cpu_ticks(cpus);
  if (ticks_before && ticks_after) result.cpu_use = perf::use_between(*ticks_before, *ticks_after);
  return result;
}

}  // namespace warmswap::gen
