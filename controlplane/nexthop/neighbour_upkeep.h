// Asks the kernel to resolve the neighbours in use and to keep them resolved. One thread.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "controlplane/nexthop/netlink_socket.h"
#include "controlplane/nexthop/next_hop_table.h"

namespace warmswap::nexthop {

class NeighbourUpkeep {
 public:
  /// `requests` must outlive this. `log` takes a sentence.
  NeighbourUpkeep(NetlinkSocket& requests, std::function<void(const std::string&)> log);

  /// Asks for the neighbours that are new in `wanted`, and leaves those alone that are no longer in it. Without the
  /// permission to ask says so once, and then does nothing.
  void keep(const std::set<NeighbourKey>& wanted);

  /// The kernel's entry was deleted, and our request with it. Returns whether there was one: ask again.
  bool deleted(const NeighbourKey& neighbour) { return kept_.erase(neighbour) > 0; }

 private:
  bool ask(const NeighbourKey& neighbour);

  NetlinkSocket& requests_;
  std::function<void(const std::string&)> log_;
  std::set<NeighbourKey> kept_;
  bool permitted_ = true;
};

}  // namespace warmswap::nexthop
