#include "controlplane/event_log.h"

#include <algorithm>

namespace warmswap::controlplane {

uint64_t EventLog::add(Event event) {
  const bool open = event.timed;
  entries_.push_back({std::move(event), std::chrono::system_clock::now(), open});
  ++last_;
  if (!open && complete_) complete_(view(last_, entries_.back()));
  if (entries_.size() > kCapacity) {
    close(last_ - entries_.size() + 1, entries_.front());
    entries_.pop_front();
  }
  return last_;
}

void EventLog::continue_after(uint64_t seq) {
  if (entries_.empty()) last_ = seq;
}

void EventLog::close(uint64_t seq, Entry& entry) {
  if (!entry.open) return;
  entry.open = false;
  if (complete_) complete_(view(seq, entry));
}

void EventLog::give_up(uint64_t seq) {
  if (Entry* entry = find(seq)) close(seq, *entry);
}

void EventLog::give_up_all() {
  for (size_t i = 0; i < entries_.size(); ++i) close(last_ - entries_.size() + 1 + i, entries_[i]);
}

std::optional<Nanoseconds> EventLog::decided(uint64_t seq) const {
  const uint64_t first = last_ - entries_.size() + 1;
  if (entries_.empty() || seq < first || seq > last_) return std::nullopt;
  const Entry& entry = entries_[seq - first];
  return entry.open ? entry.event.moments.decided : std::nullopt;
}

EventLog::Entry* EventLog::find(uint64_t seq) {
  const uint64_t first = last_ - entries_.size() + 1;
  if (entries_.empty() || seq < first || seq > last_) return nullptr;
  return &entries_[seq - first];
}

void EventLog::set_published(uint64_t seq, Nanoseconds at) {
  if (Entry* entry = find(seq)) entry->event.moments.published = at;
}

void EventLog::set_acknowledged(uint64_t seq, Nanoseconds at) {
  Entry* entry = find(seq);
  if (entry == nullptr) return;
  entry->event.moments.acknowledged = at;
  close(seq, *entry);
}

api::EventPage EventLog::page(std::optional<uint64_t> since, size_t limit) const {
  api::EventPage page;
  page.last = last_;
  if (entries_.empty()) return page;
  page.first = last_ - entries_.size() + 1;
  uint64_t from = page.first;
  if (since) {
    from = std::max(page.first, *since + 1);
  } else if (entries_.size() > limit) {
    from = last_ - limit + 1;
  }
  for (uint64_t seq = from; seq <= last_ && page.events.size() < limit; ++seq) {
    page.events.push_back(view(seq, entries_[seq - page.first]));
  }
  return page;
}

api::EventView EventLog::view(uint64_t seq, const Entry& entry) const {
  const Event& event = entry.event;
  api::EventView view;
  view.seq = seq;
  view.time = entry.time;
  view.kind = event.kind;
  view.pool = event.pool;
  view.backend = event.backend;
  view.text = event.text;
  view.cause = event.cause;
  view.slots_moved = event.slots_moved;
  view.survivor_slots_moved = event.survivor_slots_moved;
  if (!event.timed) return view;
  const Moments& m = event.moments;
  std::optional<Nanoseconds> origin;
  for (const auto& moment : {m.first_bad, m.decided, m.published, m.acknowledged}) {
    if (moment && (!origin || *moment < *origin)) origin = moment;
  }
  const auto relative = [&origin](const std::optional<Nanoseconds>& moment) -> std::optional<api::Microseconds> {
    if (!moment) return std::nullopt;
    return std::chrono::duration_cast<api::Microseconds>(*moment - *origin);
  };
  view.timeline =
      api::Timeline{relative(m.first_bad), relative(m.decided), relative(m.published), relative(m.acknowledged)};
  return view;
}

}  // namespace warmswap::controlplane
