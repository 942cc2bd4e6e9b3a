#include "controlplane/failover_statistics.h"

#include <algorithm>

namespace warmswap::controlplane {
namespace {

void add(api::Histogram& histogram, std::chrono::nanoseconds took) {
  const double seconds = std::chrono::duration<double>(std::max(took, std::chrono::nanoseconds(0))).count();
  size_t bucket = 0;
  while (bucket < api::kHistogramBounds.size() && seconds > api::kHistogramBounds[bucket]) ++bucket;
  ++histogram.buckets[bucket];
  histogram.sum_seconds += seconds;
}

}  // namespace

void FailoverStatistics::take(const std::string& pool, const failover::Outcome& outcome) {
  for (const failover::SeatChange& change : outcome.seats) {
    ++changes_[{pool, std::string(to_string(change.kind)), std::string(to_string(change.cause))}];
    const bool lost =
        change.kind == failover::SeatChangeKind::failover || change.kind == failover::SeatChangeKind::vacated;
    if (lost && change.first_bad) add(detection_, change.decided - *change.first_bad);
  }
  for (const failover::StateChange& change : outcome.states) {
    if (change.before_since.count() == 0) continue;
    spent_[pool + "/" + change.backend][change.from] += change.decided - change.before_since;
  }
}

void FailoverStatistics::switched(Nanoseconds decided, Nanoseconds acknowledged) {
  add(switch_, acknowledged - decided);
}

void FailoverStatistics::keep_only(const std::set<std::string>& backends) {
  std::erase_if(spent_, [&](const auto& entry) { return !backends.contains(entry.first); });
}

api::FailoverFigures FailoverStatistics::figures() const {
  api::FailoverFigures figures{.changes = {}, .detection = detection_, .switching = switch_};
  for (const auto& [key, count] : changes_) {
    figures.changes.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), count});
  }
  return figures;
}

std::map<std::string, double> FailoverStatistics::time_in_state(const std::string& pool,
                                                                const failover::BackendState& backend,
                                                                Nanoseconds now) const {
  std::map<std::string, double> seconds;
  if (const auto spent = spent_.find(pool + "/" + backend.name); spent != spent_.end()) {
    for (const auto& [state, time] : spent->second) {
      seconds[std::string(to_string(state))] += std::chrono::duration<double>(time).count();
    }
  }
  seconds[std::string(to_string(backend.state))] += std::chrono::duration<double>(now - backend.since).count();
  return seconds;
}

}  // namespace warmswap::controlplane
