// Which counters in shared memory belong to which vip and backend. Workers never reset a counter, so an id that is
// given out anew starts from a baseline: the sum it had at that moment. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace warmswap::controlplane {

struct Traffic {
  uint64_t packets = 0;
  uint64_t bytes = 0;
  friend bool operator==(const Traffic&, const Traffic&) = default;
};

class CounterIds {
 public:
  struct Entry {
    uint32_t id = 0;
    Traffic baseline;
  };
  using Sum = std::function<Traffic(uint32_t id)>;  // what the counter shows now, over all workers

  /// Ids 0 … capacity − 1.
  explicit CounterIds(uint32_t capacity) : capacity_(capacity) {}

  /// The entry of `key`, a new one when it has none. Ids are given out in turn, so that one that was given back rests
  /// as long as possible: a worker may still count under it for a burst. nullopt when all are in use.
  std::optional<Entry> get(const std::string& key, const Sum& sum);
  std::optional<Entry> find(const std::string& key) const;
  /// Takes over an entry found in a snapshot. False when the id is taken or out of range.
  bool adopt(const std::string& key, const Entry& entry);
  /// Gives back the ids of all keys that are not in `keys`.
  void keep_only(const std::set<std::string>& keys);

 private:
  uint32_t capacity_;
  uint32_t next_ = 0;
  std::map<std::string, Entry> entries_;
  std::set<uint32_t> used_;
};

}  // namespace warmswap::controlplane
