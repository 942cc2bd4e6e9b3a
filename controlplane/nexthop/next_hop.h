// Where packets to a backend go next: plain values. Any thread may read what nobody writes.
#pragma once

#include <cstdint>
#include <string>

#include "dataplane/contract/byte_order.h"
#include "dataplane/contract/wire.h"

namespace warmswap::nexthop {

using contract::Be32;
using contract::MacAddress;

struct NextHop {
  uint32_t interface_index = 0;
  std::string interface;  // name of the egress interface
  Be32 neighbour;         // whose MAC it is: the gateway, or the destination itself when it is on the link
  MacAddress mac{};
  uint16_t mtu = 0;  // largest layer-3 packet: the route's MTU or the link's, whichever is smaller
  friend bool operator==(const NextHop&, const NextHop&) = default;
};

}  // namespace warmswap::nexthop
