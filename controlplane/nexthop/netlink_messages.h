// The rtnetlink messages the resolver speaks (rtnetlink(7)), as values: requests to send, and readers for what comes
// back. Built and parsed with libmnl. No state; any thread.
#pragma once

#include <linux/netlink.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "controlplane/nexthop/next_hop_table.h"

namespace warmswap::nexthop {

/// A request in its own buffer; NetlinkSocket sets the sequence number.
class Request {
 public:
  Request(uint16_t type, uint16_t flags);
  nlmsghdr* header() noexcept { return reinterpret_cast<nlmsghdr*>(buffer_.data()); }

 private:
  alignas(nlmsghdr) std::array<std::byte, 256> buffer_{};
};

Request dump_links();
Request dump_neighbours();
Request get_route(Be32 destination);
/// Whether this refusal of get_route is the answer "there is no route", rather than a fault on the way to an answer.
bool means_no_route(int refused) noexcept;
/// One entry of the neighbour table; refused with ENOENT when there is none.
Request get_neighbour(const NeighbourKey& neighbour);

enum class Upkeep : uint8_t {
  managed,  // the kernel resolves the neighbour and keeps it resolved (NTF_EXT_MANAGED, since Linux 5.16)
  once,     // the kernel resolves it now, as if a packet were sent (NTF_USE); ends `managed`
};
/// Either one makes the kernel forget a fixed neighbour's MAC: not for those.
Request use_neighbour(const NeighbourKey& neighbour, Upkeep upkeep);

struct LinkMessage {
  uint32_t index = 0;
  Link link;
  bool removed = false;
};
std::optional<LinkMessage> read_link(const nlmsghdr& message);

struct NeighbourMessage {
  NeighbourKey key;
  std::optional<MacAddress> mac;  // nullopt: not resolved, or not an Ethernet address
  bool fixed = false;  // nothing is resolved: set by hand (NUD_PERMANENT), or on a link without ARP (NUD_NOARP)
  bool removed = false;
};
/// nullopt for other families and for what is no neighbour message.
std::optional<NeighbourMessage> read_neighbour(const nlmsghdr& message);

/// The answer to get_route(destination); nullopt when the destination is not forwarded to an IPv4 neighbour (local,
/// blackhole, unreachable, an IPv6 gateway).
std::optional<Route> read_route(const nlmsghdr& message, Be32 destination);

}  // namespace warmswap::nexthop
