// What the packet path costs: TSC cycles a packet from the received frame to the encapsulated one, over real tables,
// beside a loop that only rewrites the Ethernet addresses of the same buffers.
//
// One iteration is a pair of windows, the baseline's and the pipeline's, so that both meet the same weather on a shared
// machine. What counts are the medians over all pairs.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "dataplane/balance/pipeline.h"
#include "perf/micro/balancer.h"
#include "perf/micro/packet_window.h"
#include "perf/micro/tsc.h"

namespace warmswap::perf {
namespace {

using packet::Packet;

/// As dataplane/io/worker.h: what a worker takes from a queue at once.
constexpr size_t kReceiveBurst = 32;
static_assert(kWindowPackets % kReceiveBurst == 0);

using PacketBurst = std::array<Packet, kReceiveBurst>;

void receive(const Buffer* buffers, PacketBurst& packets) noexcept {
  for (size_t i = 0; i < kReceiveBurst; ++i) {
    packets[i].frame = buffers[i].frame;
    packets[i].length = packets[i].contiguous = buffers[i].length;
    packets[i].headroom = buffers[i].headroom;
  }
}

/// What remains of a forwarding loop when nothing is decided: as dpdk-testpmd's mac mode, one destination for all.
[[gnu::noinline]] void forward_only(PacketBurst& packets) noexcept {
  static constexpr uint8_t kAddresses[12] = {2, 0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 1};
  for (Packet& packet : packets) __builtin_prefetch(packet.frame, 1, 3);
  for (Packet& packet : packets) {
    std::memcpy(packet.frame, kAddresses, sizeof(kAddresses));
    packet.port = 0;
    packet.verdict = packet::Verdict::forward;
  }
}

/// One window through `decide`, in cycles a packet.
template <typename Decide>
double time_window(const PacketWindow& window, const Decide& decide) {
  PacketBurst packets;
  const uint64_t begin = tsc_begin();
  for (size_t at = 0; at < kWindowPackets; at += kReceiveBurst) {
    receive(window.buffers() + at, packets);
    decide(packets);
    benchmark::DoNotOptimize(packets.data());
  }
  return static_cast<double>(tsc_end() - begin) / kWindowPackets;
}

struct Distribution {
  std::vector<double> values;
  double at(double share) {
    const auto place = values.begin() + static_cast<long>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), place, values.end());
    return *place;
  }
};

void pipeline(benchmark::State& state, uint64_t flows, const BalancerShape& shape) {
  const Balancer balancer(shape);
  const balance::SnapshotView view = balancer.view();
  contract::WorkerRegion& region = balancer.worker();
  const contract::Geometry geometry = balancer.dataplane().geometry();
  const balance::ProcessBurst process = balance::process_burst_at(balance::best_vector_level());
  PacketWindow window(flows, shape.vips);
  Distribution baseline;
  Distribution whole;
  Distribution above;
  for ([[maybe_unused]] auto _ : state) {
    window.refill();
    baseline.values.push_back(time_window(window, forward_only));
    window.refill();
    whole.values.push_back(
        time_window(window, [&](PacketBurst& packets) { process(view, packets, region, geometry); }));
    above.values.push_back(whole.values.back() - baseline.values.back());
    state.SetIterationTime(whole.values.back() * kWindowPackets / tsc_hz());
  }
  const uint64_t expected = static_cast<uint64_t>(state.iterations()) * kWindowPackets;
  if (region.totals.forwarded_packets.get() != expected) state.SkipWithError("not every packet was forwarded");
  state.counters["cycles_per_packet"] = whole.at(0.5);
  state.counters["baseline_cycles_per_packet"] = baseline.at(0.5);
  state.counters["above_baseline"] = above.at(0.5);
  state.counters["p10"] = whole.at(0.1);
  state.counters["p90"] = whole.at(0.9);
  state.SetItemsProcessed(static_cast<int64_t>(expected));
}

void register_all() {
  const auto add = [](const std::string& name, uint64_t flows, const BalancerShape& shape) {
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { pipeline(state, flows, shape); })
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
  };
  for (const uint64_t flows : {1ul, 1'000ul, 10'000ul, 1'000'000ul, 10'000'000ul}) {
    add("ipip/flows:" + std::to_string(flows), flows, {});
  }
  for (const uint32_t backends : {10u, 1000u}) {
    add("ipip/backends:" + std::to_string(backends), 1'000'000, {.backends = backends});
  }
  for (const uint32_t vips : {100u, 10'000u}) {
    add("ipip/vips:" + std::to_string(vips), 1'000'000, {.vips = vips});
  }
}

}  // namespace
}  // namespace warmswap::perf

int main(int argc, char** argv) {
  warmswap::perf::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
