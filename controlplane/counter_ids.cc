#include "controlplane/counter_ids.h"

namespace warmswap::controlplane {

std::optional<CounterIds::Entry> CounterIds::get(const std::string& key, const Sum& sum) {
  if (const auto found = find(key)) return found;
  for (uint32_t tried = 0; tried < capacity_; ++tried) {
    const uint32_t id = (next_ + tried) % capacity_;
    if (used_.contains(id)) continue;
    next_ = (id + 1) % capacity_;
    const Entry entry{id, sum(id)};
    used_.insert(id);
    entries_.emplace(key, entry);
    return entry;
  }
  return std::nullopt;
}

std::optional<CounterIds::Entry> CounterIds::find(const std::string& key) const {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  return found->second;
}

bool CounterIds::adopt(const std::string& key, const Entry& entry) {
  if (entry.id >= capacity_ || used_.contains(entry.id) || entries_.contains(key)) return false;
  used_.insert(entry.id);
  entries_.emplace(key, entry);
  if (next_ <= entry.id) next_ = (entry.id + 1) % capacity_;
  return true;
}

void CounterIds::keep_only(const std::set<std::string>& keys) {
  std::erase_if(entries_, [&](const auto& entry) {
    if (keys.contains(entry.first)) return false;
    used_.erase(entry.second.id);
    return true;
  });
}

}  // namespace warmswap::controlplane
