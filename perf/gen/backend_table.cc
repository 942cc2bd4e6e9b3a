#include "perf/gen/backend_table.h"

#include <algorithm>

#include "perf/gen/address.h"
#include "perf/gen/random.h"

namespace warmswap::gen {
namespace {

uint64_t hash(const BackendKey& key) noexcept {
  const auto first = contract::load<uint64_t>(key.address.data());
  const auto second = contract::load<uint64_t>(key.address.data() + 8);
  return mix64(first ^ mix64(second ^ static_cast<uint64_t>(key.encapsulation)));
}

}  // namespace

std::string format_backend(const BackendKey& key) {
  if (key.encapsulation == Encapsulation::none) {
    contract::MacAddress mac{};
    std::copy_n(key.address.begin(), mac.size(), mac.begin());
    return "plain " + format_mac(mac);
  }
  return std::string(to_string(key.encapsulation)) + " " + format_ip({key.address, key.size == 16});
}

uint32_t BackendTable::number(const BackendKey& key) noexcept {
  for (uint64_t slot = hash(key);; ++slot) {
    uint16_t& entry = slots_[slot % kSlots];
    if (entry == kEmpty) {
      if (keys_.size() == kCapacity) return kCapacity;
      entry = static_cast<uint16_t>(keys_.size());
      keys_.push_back(key);
      return entry;
    }
    if (keys_[entry] == key) return entry;
  }
}

}  // namespace warmswap::gen
