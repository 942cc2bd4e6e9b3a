// What happened, newest last: a bounded log in memory. One thread.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
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

  /// `complete` is called with each event once it will not change any more.
  explicit EventLog(std::function<void(const api::EventView&)> complete = {}) : complete_(std::move(complete)) {}

  /// Events are numbered from here on, after those of a former process.
  void continue_after(uint64_t seq);

  /// Returns the event's number, for completing it later. A timed one is complete when it is acknowledged or given up.
  uint64_t add(Event event);
  /// Sets when the generation that carried the event was published, and when the last worker had it.
  void set_published(uint64_t seq, Nanoseconds at);
  void set_acknowledged(uint64_t seq, Nanoseconds at);
  /// Nobody will acknowledge it.
  void give_up(uint64_t seq);
  void give_up_all();
  /// When it was decided, if it is an open one that has a timeline.
  std::optional<Nanoseconds> decided(uint64_t seq) const;

  /// As api::Service::events().
  api::EventPage page(std::optional<uint64_t> since, size_t limit) const;

 private:
  struct Entry {
    Event event;
    api::WallTime time;
    bool open = false;  // not complete yet
  };
  Entry* find(uint64_t seq);
  void close(uint64_t seq, Entry& entry);
  api::EventView view(uint64_t seq, const Entry& entry) const;

  std::function<void(const api::EventView&)> complete_;
  std::deque<Entry> entries_;
  uint64_t last_ = 0;
};

}  // namespace warmswap::controlplane
