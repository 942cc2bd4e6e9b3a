// Who is heard in time. Pure: beats and the time come from the caller, so that tests live in simulated time. One
// thread.
//
// A backend is watched from its first beat on: before that nothing is known, since its agent may not report here. After
// each beat the next is due one interval later, by the sender's own word. Half an interval past that it is late, and
// `missed` intervals after the beat it is lost: with 50 ms and 3, late after 75 ms and lost after 150 ms of silence.
//
// Cost: a beat is O(1). Each watched backend has one entry in a heap, which is looked at when its time comes and put
// back if beats have moved it on meanwhile: O(log n) for every 1.5 intervals of each.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <queue>
#include <unordered_map>
#include <vector>

namespace warmswap::heartbeat {

using Nanoseconds = std::chrono::nanoseconds;

/// Late once the silence exceeds this part of the interval; a datagram may be delayed, or one be lost, without harm.
inline constexpr double kLateAfter = 1.5;

enum class Pulse : uint8_t {
  silent,  // never heard, or it said goodbye
  beating,
  late,
  lost,
};

/// Whether a beat this old is lost: the threshold itself is.
constexpr bool is_lost(Nanoseconds age, Nanoseconds threshold) noexcept {
  return age >= threshold;
}

struct Change {
  uint64_t id = 0;
  Pulse pulse = Pulse::silent;
  bool ready = true;
  Nanoseconds silence{0};  // since the last beat
};

class Tracker {
 public:
  struct Beat {
    Nanoseconds interval{0};  // > 0
    bool ready = true;
    bool leaving = false;  // silence follows, and no service either
  };

  /// How many intervals of silence are a loss; at least 2. Ids that were never heard need not be known.
  void set_missed(uint64_t id, uint32_t missed);
  void forget(uint64_t id);

  /// A fresh report arrived. The change it makes, if any.
  std::optional<Change> on_beat(uint64_t id, const Beat& beat, Nanoseconds now);

  /// What has become late or lost by `now`. Call it at next_check(), after all beats that have arrived were told.
  std::vector<Change> check(Nanoseconds now);
  std::optional<Nanoseconds> next_check() const;

  Pulse pulse(uint64_t id) const;

 private:
  struct Watched {
    Pulse pulse = Pulse::silent;
    bool ready = true;
    bool queued = false;
    uint32_t missed = 3;
    Nanoseconds last{0};
    Nanoseconds interval{0};

    Nanoseconds late_at() const;
    Nanoseconds lost_at() const { return last + interval * static_cast<int64_t>(missed); }
  };
  struct Due {
    Nanoseconds at;
    uint64_t id;
    bool operator>(const Due& other) const { return at != other.at ? at > other.at : id > other.id; }
  };
  void queue(uint64_t id, Watched& watched, Nanoseconds at);

  std::unordered_map<uint64_t, Watched> watched_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
};

}  // namespace warmswap::heartbeat
