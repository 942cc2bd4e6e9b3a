// How long rings take to build and how good they are, ours beside plain Maglev.
//
//   build/{ours,plain}/BACKENDS/SLOTS       a ring over backends of equal weight
//   build/{ours,plain}_weighted/…           weights 1 to 200
//   build/redeal/…                          one backend dies and nobody takes its seat
//   quality/{ours,plain}/…                  counters only:
//     share_error     largest share over the average one
//     loss_moved      slots that change owner when one backend dies, over those that must
//     loss_survivors  slots taken from backends that live on, over all slots
//     weight_moved    slots that change owner when one weight goes from 100 to 50, over those that must
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

#include "controlplane/table/re_deal.h"
#include "controlplane/table/ring.h"
#include "perf/micro/plain_maglev.h"

namespace warmswap::perf {
namespace {

using table::Ring;
using table::RingSeat;
using MakeRing = Ring (*)(uint32_t, std::span<const RingSeat>);

constexpr uint32_t kWeight = 100;
constexpr uint32_t kLoweredWeight = 50;

/// Backends under names such as an operator gives them.
class Backends {
 public:
  Backends(int64_t count, bool weighted) {
    names_.reserve(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) {
      names_.push_back("web-" + std::to_string(i) + ".example.org");
      // A fixed multiplier that walks through all of 1 … 200 in a scrambled order.
      seats_.push_back({names_.back(), weighted ? 1 + static_cast<uint32_t>(i * 77 % 200) : kWeight});
    }
  }
  std::vector<RingSeat>& seats() { return seats_; }
  /// Somebody in the middle.
  size_t victim() const { return seats_.size() / 2; }
  std::vector<table::Opening> openings() const {
    std::vector<table::Opening> openings(seats_.size());
    openings[victim()] = table::Opening::closed();
    return openings;
  }

 private:
  std::vector<std::string> names_;
  std::vector<RingSeat> seats_;
};

uint32_t slots_of(const benchmark::State& state) {
  return static_cast<uint32_t>(state.range(1));
}

void build(benchmark::State& state, MakeRing make, bool weighted) {
  Backends backends(state.range(0), weighted);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(make(slots_of(state), backends.seats()));
}

void redeal(benchmark::State& state) {
  Backends backends(state.range(0), true);
  const Ring base = table::base_ring(slots_of(state), backends.seats());
  const std::vector<table::Opening> openings = backends.openings();
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(table::re_deal(base, backends.seats(), openings));
}

/// What becomes of the ring when the victim dies: ours deals its slots, the paper's builds a ring without it.
Ring after_loss(MakeRing make, const Ring& before, Backends& backends) {
  if (make == table::base_ring) return table::re_deal(before, backends.seats(), backends.openings());
  std::vector<RingSeat> left = backends.seats();
  left.erase(left.begin() + static_cast<ptrdiff_t>(backends.victim()));
  Ring ring = make(static_cast<uint32_t>(before.size()), left);
  for (uint16_t& seat : ring) seat = static_cast<uint16_t>(seat + (seat >= backends.victim() ? 1 : 0));
  return ring;
}

void quality(benchmark::State& state, MakeRing make) {
  Backends backends(state.range(0), false);
  const double slots = slots_of(state);
  const auto count = static_cast<double>(state.range(0));
  Ring before;
  Ring lost;
  Ring lowered;
  for ([[maybe_unused]] auto _ : state) {
    before = make(slots_of(state), backends.seats());
    lost = after_loss(make, before, backends);
    Backends lower = backends;
    lower.seats()[lower.victim()].weight = kLoweredWeight;
    lowered = make(slots_of(state), lower.seats());
  }
  const std::vector<uint32_t> shares = table::slots_per_seat(before, backends.seats().size());
  std::vector<bool> survives(backends.seats().size(), true);
  survives[backends.victim()] = false;
  const table::SlotsMoved by_loss = table::slots_moved(before, lost, survives);
  const table::SlotsMoved by_weight = table::slots_moved(before, lowered, survives);
  const double must_move = slots / count - slots * kLoweredWeight / (kWeight * count - (kWeight - kLoweredWeight));
  state.counters["share_error"] = *std::max_element(shares.begin(), shares.end()) * count / slots;
  state.counters["loss_moved"] = by_loss.total / std::max(1.0, 1.0 * shares[backends.victim()]);
  state.counters["loss_survivors"] = by_loss.of_survivors / slots;
  state.counters["weight_moved"] = by_weight.total / must_move;
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Unit(benchmark::kMicrosecond);
  for (const int64_t backends : {10, 100, 1'000, 10'000}) {
    for (const int64_t slots : {4'099, 16'381, 65'537, 655'373}) {
      // With fewer slots than backends some have none, and there is nothing to compare.
      if (slots > backends) benchmark->Args({backends, slots});
    }
  }
}

void once(benchmark::internal::Benchmark* benchmark) {
  benchmark->Iterations(1);
  sizes(benchmark);
}

BENCHMARK_CAPTURE(build, ours, table::base_ring, false)->Apply(sizes);
BENCHMARK_CAPTURE(build, plain, plain_maglev, false)->Apply(sizes);
BENCHMARK_CAPTURE(build, ours_weighted, table::base_ring, true)->Apply(sizes);
BENCHMARK_CAPTURE(build, plain_weighted, plain_maglev, true)->Apply(sizes);
BENCHMARK(redeal)->Name("build/redeal")->Apply(sizes);
BENCHMARK_CAPTURE(quality, ours, table::base_ring)->Apply(once);
BENCHMARK_CAPTURE(quality, plain, plain_maglev)->Apply(once);

}  // namespace
}  // namespace warmswap::perf

BENCHMARK_MAIN();
