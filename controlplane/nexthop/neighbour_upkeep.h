// Asks the kernel to resolve the neighbours in use and to keep them resolved. One thread.
#pragma once

#include <cstdint>
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
  /// permission to ask says so once, and then does nothing. Never touches an operator's permanent entry: each one is
  /// looked at just before, whatever the caller knows about it (the kernel has no request that does both at once).
  void keep(const std::set<NeighbourKey>& wanted);

  /// The kernel's entry was deleted or replaced by a fixed one, and our request with it.
  void lost(const NeighbourKey& neighbour) { kept_.erase(neighbour); }

 private:
  enum class Entry : uint8_t { absent, resolved_by_kernel, fixed, unknown };
  Entry look_at(const NeighbourKey& neighbour);
  bool ask(const NeighbourKey& neighbour);
  /// False when it must be tried again.
  bool release(const NeighbourKey& neighbour);

  NetlinkSocket& requests_;
  std::function<void(const std::string&)> log_;
  std::set<NeighbourKey> kept_;
  bool permitted_ = true;
};

}  // namespace warmswap::nexthop
