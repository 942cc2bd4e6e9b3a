#include "perf/gen/collect.h"

#include <algorithm>

namespace warmswap::gen {
namespace {

BackendResult backend_result(const Checker& checker, uint32_t number, uint64_t start, double hz, uint64_t received) {
  const auto since = [&](uint64_t time) {
    const double ticks = static_cast<double>(time) - static_cast<double>(start);
    return std::chrono::nanoseconds(static_cast<int64_t>(ticks * 1e9 / hz));
  };
  BackendResult backend;
  backend.name =
      number < BackendTable::kCapacity ? format_backend(checker.backends().key(number)) : std::string("all others");
  backend.tally = checker.backend(number);
  backend.share = received > 0 ? static_cast<double>(backend.tally.packets) / static_cast<double>(received) : 0;
  backend.first = since(backend.tally.first);
  backend.last = since(backend.tally.last);
  const auto timeline = checker.timeline(number);
  backend.timeline.assign(timeline.begin(), timeline.end());
  return backend;
}

}  // namespace

void collect_received(const Checker& checker, const TrafficConfig& traffic, std::span<const uint64_t> transmitted,
                      uint64_t start, double hz, RunResult& result) {
  const std::vector<StreamTally>& tallies = checker.streams();
  for (size_t i = 0; i < tallies.size(); ++i) {
    result.streams.push_back({.name = i < traffic.streams.size() ? traffic.streams[i].name : "replay",
                              .transmitted = transmitted[i],
                              .tally = tallies[i]});
  }
  result.frames = checker.frames();
  result.corrupt = checker.corrupt();
  result.foreign = checker.foreign();
  result.stale = checker.stale();
  result.beyond = checker.beyond();
  const uint64_t received = result.received();
  for (uint32_t i = 0; i < checker.backends().size(); ++i) {
    result.backends.push_back(backend_result(checker, i, start, hz, received));
  }
  if (checker.backend(BackendTable::kCapacity).packets > 0) {
    result.backends.push_back(backend_result(checker, BackendTable::kCapacity, start, hz, received));
  }
  std::ranges::sort(result.backends, {}, &BackendResult::name);
}

void trim_timelines(RunResult& result) {
  size_t used = 0;
  const auto look = [&used](const std::vector<uint32_t>& counts) {
    for (size_t i = used; i < counts.size(); ++i) {
      if (counts[i] != 0) used = i + 1;
    }
  };
  look(result.transmitted_timeline);
  for (const BackendResult& backend : result.backends) look(backend.timeline);
  result.transmitted_timeline.resize(used);
  for (BackendResult& backend : result.backends) backend.timeline.resize(used);
}

}  // namespace warmswap::gen
