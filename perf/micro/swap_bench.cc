// What publishing costs: how long a publish takes, how soon the worker has the new tables, and what forwarding loses to
// it. Windows with and without publishes alternate, so that both meet the same weather on a shared machine. Prints one
// JSON object.
#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <thread>
#include <vector>

#include "perf/micro/balancer.h"
#include "perf/micro/replay.h"
#include "perf/micro/table_change.h"
#include "perf/stats/hdr_histogram.h"

namespace warmswap::perf {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// A worker that has not followed after this long is not running.
constexpr auto kAckPatience = 5s;

struct Options {
  BalancerShape shape;
  std::string change = "seat";
  double rate = 1000;  // publishes a second; 0 = as fast as the worker acknowledges
  uint32_t pairs = 10;
  uint32_t window_ms = 100;
  uint32_t flows = 16384;
  unsigned worker_cpu = 1;
  bool without_publishes = false;
};

struct PairOfWindows {
  double quiet = 0;  // packets per second of processor time
  double publishing = 0;
};

/// The publisher must not take the worker's processor from it.
void keep_off(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) CPU_CLR(cpu, &set);
  if (sched_setaffinity(0, sizeof(set), &set) != 0) {
    throw std::runtime_error(fmt::format("there is no processor beside {}, the worker's; expected one more", cpu));
  }
}

class SwapBench {
 public:
  explicit SwapBench(const Options& options)
      : options_(options),
        balancer_(options.shape),
        change_(balancer_, change_kind(options.change)),
        replay_(balancer_, options.flows, options.worker_cpu) {}

  void run();
  std::string json() const;

 private:
  template <typename Body>
  double window(Body&& body);
  void publish_for_a_window();
  void publish_once();
  void wait_for_acknowledgement(bool spin);

  Options options_;
  Balancer balancer_;
  TableChange change_;
  Replay replay_;
  std::vector<PairOfWindows> pairs_;
  // Nanoseconds. Both directions of a change are published; what applies it is what must be fast.
  HdrHistogram publish_{60'000'000'000, 3};
  HdrHistogram acknowledge_{60'000'000'000, 3};
  contract::Published last_{};
  uint64_t publishes_ = 0;
  std::chrono::nanoseconds publishing_{0};
};

template <typename Body>
double SwapBench::window(Body&& body) {
  const Progress before = replay_.progress();
  body();
  const Progress after = replay_.progress();
  return static_cast<double>(after.packets - before.packets) * 1e9 / static_cast<double>(after.cpu_ns - before.cpu_ns);
}

void SwapBench::publish_once() {
  const uint64_t begin = contract::monotonic_ns();
  const bool applied = change_.toggle();
  last_ = balancer_.publish();
  ++publishes_;
  if (applied) publish_.record(last_.stored_ns - begin);
}

void SwapBench::wait_for_acknowledgement(bool spin) {
  const auto deadline = Clock::now() + kAckPatience;
  contract::Acknowledgement seen = balancer_.publisher().acknowledged(last_.generation);
  while (!seen.complete) {
    if (Clock::now() > deadline) throw std::runtime_error("the worker has not seen a publish for 5 s");
    if (!spin) std::this_thread::sleep_for(20us);
    seen = balancer_.publisher().acknowledged(last_.generation);
  }
  acknowledge_.record(seen.last_seen_ns > last_.stored_ns ? seen.last_seen_ns - last_.stored_ns : 0);
}

void SwapBench::publish_for_a_window() {
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::milliseconds(options_.window_ms);
  const bool flat_out = options_.rate == 0;
  const auto interval = std::chrono::nanoseconds(flat_out ? 0 : static_cast<int64_t>(1e9 / options_.rate));
  for (auto next = begin + interval; next <= end && Clock::now() < end; next += interval) {
    if (!flat_out) std::this_thread::sleep_until(next);
    publish_once();
    // Nobody spins beside the worker at a given rate: the worker stamps the moment, it may be read late.
    wait_for_acknowledgement(flat_out);
    if (flat_out) next = Clock::now();
  }
  std::this_thread::sleep_until(end);
  publishing_ += Clock::now() - begin;
}

void SwapBench::run() {
  keep_off(options_.worker_cpu);
  const auto quiet = [this] { std::this_thread::sleep_for(std::chrono::milliseconds(options_.window_ms)); };
  const auto publishing = [this, quiet] {
    if (options_.without_publishes) return quiet();
    publish_for_a_window();
  };
  window(quiet);
  for (uint32_t pair = 0; pair < options_.pairs; ++pair) {
    PairOfWindows both;
    // Every second time in the opposite order, so that neither always comes first.
    if (pair % 2 == 0) both.quiet = window(quiet);
    both.publishing = window(publishing);
    if (pair % 2 == 1) both.quiet = window(quiet);
    pairs_.push_back(both);
  }
  if (replay_.not_forwarded() != 0) {
    throw std::runtime_error(fmt::format("{} packets were not forwarded", replay_.not_forwarded()));
  }
}

std::string histogram_json(const HdrHistogram& histogram) {
  return fmt::format(R"({{"count": {}, "p50": {}, "p90": {}, "p99": {}, "max": {}}})", histogram.count(),
                     histogram.value_at_percentile(50), histogram.value_at_percentile(90),
                     histogram.value_at_percentile(99), histogram.max());
}

std::string SwapBench::json() const {
  std::string pairs;
  for (const PairOfWindows& pair : pairs_) {
    pairs += fmt::format("{}[{:.0f}, {:.0f}]", pairs.empty() ? "" : ", ", pair.quiet, pair.publishing);
  }
  const double seconds = std::chrono::duration<double>(publishing_).count();
  return fmt::format(
      R"({{"pools": {}, "backends": {}, "change": "{}", "asked_per_s": {}, "publishes": {}, "per_s": {:.1f}, )"
      R"("publish_ns": {}, "acknowledge_ns": {}, "pps": [{}]}})",
      options_.shape.pools, options_.shape.backends, options_.change, options_.rate, publishes_,
      seconds > 0 ? static_cast<double>(publishes_) / seconds : 0.0, histogram_json(publish_),
      histogram_json(acknowledge_), pairs);
}

void add_options(CLI::App& app, Options& options) {
  app.add_option("--pools", options.shape.pools, "Pools, each with a vip")->check(CLI::Range(1, 600));
  app.add_option("--backends", options.shape.backends, "Backends of each pool")->check(CLI::Range(2, 10000));
  app.add_option("--change", options.change, "What is published: seat, every-pool or redeal");
  app.add_option("--rate", options.rate, "Publishes a second; 0 = as fast as the worker acknowledges")
      ->check(CLI::Range(0.0, 1e6));
  app.add_option("--pairs", options.pairs, "Pairs of windows, one without publishes")->check(CLI::Range(1, 10000));
  app.add_option("--window-ms", options.window_ms, "Length of a window")->check(CLI::Range(1, 60000));
  app.add_option("--flows", options.flows, "Flows that are replayed");
  app.add_option("--worker-cpu", options.worker_cpu, "Processor of the worker");
  app.add_flag("--without-publishes", options.without_publishes, "Publish in no window: what the machine alone loses");
}

}  // namespace
}  // namespace warmswap::perf

int main(int argc, char** argv) {
  warmswap::perf::Options options;
  CLI::App app("Measures what publishing new tables costs.", "swap_bench");
  warmswap::perf::add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  options.shape.vips = options.shape.pools;
  // Sleeps end when they should, not up to 50 µs later.
  prctl(PR_SET_TIMERSLACK, 1);
  try {
    warmswap::perf::SwapBench bench(options);
    bench.run();
    std::puts(bench.json().c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "swap_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
