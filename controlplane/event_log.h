// What happened, newest last: a bounded log in memory. One thread.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include "controlplane/api/model.h"
#include "controlplane/model.h"

namespace warmswap::controlplane {

/// The moments of a change on the steady clock; api::Timeline is relative to the first of them.
struct Moments {
  std::optional<Nanoseconds> first_bad;
  std::optional<Nanoseconds> decided;
  std::optional<Nanoseconds> published;
  std::optional<Nanoseconds> acknowledged;
};

struct Event {
  std::string kind;
  std::string pool;
  std::string backend;
  std::string text;
  std::string cause;
  bool timed = false;  // has a timeline
  Moments moments;
  std::optional<uint64_t> slots_moved;
  std::optional<uint64_t> survivor_slots_moved;
};

class EventLog {
 public:
  static constexpr size_t kCapacity = 4096;

  /// Returns the event's number, for completing it later.
  uint64_t add(Event event);
  /// Sets when the generation that carried the event was published, and when the last worker had it.
  void set_published(uint64_t seq, Nanoseconds at);
  void set_acknowledged(uint64_t seq, Nanoseconds at);

  /// As api::Service::events().
  api::EventPage page(std::optional<uint64_t> since, size_t limit) const;

 private:
  struct Entry {
    Event event;
    api::WallTime time;
  };
  Entry* find(uint64_t seq);
  api::EventView view(uint64_t seq, const Entry& entry) const;

  std::deque<Entry> entries_;
  uint64_t last_ = 0;
};

}  // namespace warmswap::controlplane
