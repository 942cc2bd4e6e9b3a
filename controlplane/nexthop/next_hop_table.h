// Puts links, routes and neighbours together into next hops. Pure bookkeeping, no sockets: the resolver feeds it what
// the kernel says. One thread.
//
// A neighbour's MAC is kept until another one is learned for it or nothing routes through it any more. The kernel
// forgets the MAC of a host that stops answering; taking that over would turn every dead backend's next hop into
// "unresolved" and back, a second, slower health signal that fights with the probes. Sending to a dead host's MAC harms
// nobody, and whether a backend serves is decided by its health alone.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "controlplane/nexthop/next_hop.h"

namespace warmswap::nexthop {

struct Link {
  std::string name;
  uint32_t mtu = 0;
  friend bool operator==(const Link&, const Link&) = default;
};

/// The answer to "how is this destination reached".
struct Route {
  uint32_t interface_index = 0;
  Be32 neighbour;    // gateway, or the destination itself
  uint32_t mtu = 0;  // 0 = the link's
  friend bool operator==(const Route&, const Route&) = default;
};

struct NeighbourKey {
  uint32_t interface_index = 0;
  Be32 address;
  friend auto operator<=>(const NeighbourKey&, const NeighbourKey&) = default;
};

class NextHopTable {
 public:
  void set_link(uint32_t index, Link link) { links_[index] = std::move(link); }
  /// Forgets the link and the neighbours on it.
  void remove_link(uint32_t index);

  /// Replaces all routes, by destination. Forgets the MACs of neighbours that no route leads through any more.
  void set_routes(std::map<Be32, Route> routes);

  std::optional<Route> route(Be32 destination) const;

  /// The neighbours that the routes lead through.
  const std::set<NeighbourKey>& neighbours() const noexcept { return neighbours_; }
  /// Remembers a MAC if a route leads through the neighbour: a busy network's other hosts are nothing to keep.
  void learn(const NeighbourKey& neighbour, const MacAddress& mac);

  std::optional<NextHop> find(Be32 destination) const;
  /// find() for every destination that is resolved.
  std::map<Be32, NextHop> all() const;

 private:
  std::map<uint32_t, Link> links_;
  std::map<Be32, Route> routes_;
  std::set<NeighbourKey> neighbours_;
  std::map<NeighbourKey, MacAddress> macs_;
};

}  // namespace warmswap::nexthop
