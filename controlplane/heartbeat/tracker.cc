#include "controlplane/heartbeat/tracker.h"

#include <algorithm>

namespace warmswap::heartbeat {

Nanoseconds Tracker::Watched::late_at() const {
  return last + Nanoseconds(static_cast<int64_t>(static_cast<double>(interval.count()) * kLateAfter));
}

void Tracker::set_missed(uint64_t id, uint32_t missed) {
  watched_[id].missed = std::max(missed, 2u);
}

void Tracker::forget(uint64_t id) {
  watched_.erase(id);
}

void Tracker::queue(uint64_t id, Watched& watched, Nanoseconds at) {
  due_.push({at, id});
  watched.queued = true;
}

std::optional<Change> Tracker::on_beat(uint64_t id, const Beat& beat, Nanoseconds now) {
  Watched& watched = watched_[id];
  const Pulse before = watched.pulse;
  const bool was_ready = watched.ready;
  const Nanoseconds silence = before == Pulse::silent ? Nanoseconds(0) : now - watched.last;
  watched.pulse = beat.leaving ? Pulse::silent : Pulse::beating;
  watched.ready = beat.ready && !beat.leaving;
  watched.last = now;
  // A shorter interval than before brings the check forward; an entry that is in the heap for later does no harm.
  const bool sooner = beat.interval < watched.interval;
  watched.interval = beat.interval;
  if (!beat.leaving && (!watched.queued || sooner)) queue(id, watched, watched.late_at());
  if (watched.pulse == before && watched.ready == was_ready) return std::nullopt;
  return Change{id, watched.pulse, watched.ready, silence};
}

std::vector<Change> Tracker::check(Nanoseconds now) {
  std::vector<Change> changes;
  while (!due_.empty() && due_.top().at <= now) {
    const uint64_t id = due_.top().id;
    due_.pop();
    const auto found = watched_.find(id);
    if (found == watched_.end()) continue;
    Watched& watched = found->second;
    watched.queued = false;
    if (watched.pulse == Pulse::silent || watched.pulse == Pulse::lost) continue;
    const Nanoseconds silence = now - watched.last;
    if (is_lost(now, watched.lost_at())) {
      watched.pulse = Pulse::lost;
      changes.push_back({id, Pulse::lost, watched.ready, silence});
    } else if (now >= watched.late_at()) {
      if (watched.pulse != Pulse::late) changes.push_back({id, Pulse::late, watched.ready, silence});
      watched.pulse = Pulse::late;
      queue(id, watched, watched.lost_at());
    } else {
      queue(id, watched, watched.late_at());
    }
  }
  return changes;
}

std::optional<Nanoseconds> Tracker::next_check() const {
  if (due_.empty()) return std::nullopt;
  return due_.top().at;
}

Pulse Tracker::pulse(uint64_t id) const {
  const auto found = watched_.find(id);
  return found == watched_.end() ? Pulse::silent : found->second.pulse;
}

}  // namespace warmswap::heartbeat
