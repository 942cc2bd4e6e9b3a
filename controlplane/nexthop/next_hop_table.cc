#include "controlplane/nexthop/next_hop_table.h"

#include <algorithm>
#include <limits>

namespace warmswap::nexthop {

void NextHopTable::remove_link(uint32_t index) {
  links_.erase(index);
  std::erase_if(macs_, [index](const auto& mac) { return mac.first.interface_index == index; });
}

void NextHopTable::set_routes(std::map<Be32, Route> routes) {
  routes_ = std::move(routes);
  neighbours_.clear();
  for (const auto& [destination, route] : routes_) neighbours_.insert({route.interface_index, route.neighbour});
  std::erase_if(macs_, [this](const auto& mac) { return !neighbours_.contains(mac.first); });
}

void NextHopTable::learn(const NeighbourKey& neighbour, const MacAddress& mac) {
  if (neighbours_.contains(neighbour)) macs_[neighbour] = mac;
}

std::optional<Route> NextHopTable::route(Be32 destination) const {
  const auto found = routes_.find(destination);
  return found != routes_.end() ? std::optional(found->second) : std::nullopt;
}

std::optional<NextHop> NextHopTable::find(Be32 destination) const {
  const auto route = routes_.find(destination);
  if (route == routes_.end()) return std::nullopt;
  const auto& [interface_index, neighbour, route_mtu] = route->second;
  const auto link = links_.find(interface_index);
  const auto mac = macs_.find({interface_index, neighbour});
  if (link == links_.end() || mac == macs_.end()) return std::nullopt;
  uint32_t mtu = std::min<uint32_t>(link->second.mtu, std::numeric_limits<uint16_t>::max());
  if (route_mtu != 0) mtu = std::min(mtu, route_mtu);
  return NextHop{interface_index, link->second.name, neighbour, mac->second, static_cast<uint16_t>(mtu)};
}

std::map<Be32, NextHop> NextHopTable::all() const {
  std::map<Be32, NextHop> resolved;
  for (const auto& [destination, route] : routes_) {
    if (auto next_hop = find(destination)) resolved.emplace_hint(resolved.end(), destination, *std::move(next_hop));
  }
  return resolved;
}

}  // namespace warmswap::nexthop
