#include "controlplane/nexthop/netlink_messages.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace warmswap::nexthop {
namespace {

/// The attributes of a message by type; `kLast` is the highest type kept.
template <size_t kLast>
class Attributes {
 public:
  Attributes(const nlmsghdr& message, size_t fixed_bytes) {
    mnl_attr_parse(&message, static_cast<unsigned>(fixed_bytes), &Attributes::keep, this);
  }
  explicit Attributes(const nlattr* nested) { mnl_attr_parse_nested(nested, &Attributes::keep, this); }

  const nlattr* operator[](size_t type) const { return kept_[type]; }

  std::optional<uint32_t> number(size_t type) const {
    if (kept_[type] == nullptr || mnl_attr_get_payload_len(kept_[type]) < sizeof(uint32_t)) return std::nullopt;
    return mnl_attr_get_u32(kept_[type]);
  }
  std::optional<Be32> address(size_t type) const {
    const auto raw = number(type);
    if (!raw) return std::nullopt;
    return Be32::from_raw(*raw);
  }

 private:
  static int keep(const nlattr* attribute, void* self) {
    const uint16_t type = mnl_attr_get_type(attribute);
    if (type <= kLast) static_cast<Attributes*>(self)->kept_[type] = attribute;
    return MNL_CB_OK;
  }
  std::array<const nlattr*, kLast + 1> kept_{};
};

template <typename Fixed>
const Fixed* fixed_part(const nlmsghdr& message) {
  if (mnl_nlmsg_get_payload_len(&message) < sizeof(Fixed)) return nullptr;
  return static_cast<const Fixed*>(mnl_nlmsg_get_payload(&message));
}

template <typename Fixed>
Fixed* add_fixed_part(Request& request) {
  return static_cast<Fixed*>(mnl_nlmsg_put_extra_header(request.header(), sizeof(Fixed)));
}

}  // namespace

Request::Request(uint16_t type, uint16_t flags) {
  nlmsghdr* made = mnl_nlmsg_put_header(buffer_.data());
  made->nlmsg_type = type;
  made->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
}

Request dump_links() {
  Request request(RTM_GETLINK, NLM_F_DUMP);
  add_fixed_part<ifinfomsg>(request)->ifi_family = AF_UNSPEC;
  return request;
}

Request dump_neighbours() {
  Request request(RTM_GETNEIGH, NLM_F_DUMP);
  add_fixed_part<ndmsg>(request)->ndm_family = AF_INET;
  return request;
}

Request get_route(Be32 destination) {
  Request request(RTM_GETROUTE, 0);
  auto* fixed = add_fixed_part<rtmsg>(request);
  fixed->rtm_family = AF_INET;
  fixed->rtm_dst_len = 32;
  mnl_attr_put_u32(request.header(), RTA_DST, destination.raw());
  return request;
}

bool means_no_route(int refused) noexcept {
  // No entry; then the route types unreachable, prohibit and blackhole (fib_props in net/ipv4/fib_semantics.c).
  return refused == ENETUNREACH || refused == EHOSTUNREACH || refused == EACCES || refused == EINVAL;
}

Request get_neighbour(const NeighbourKey& neighbour) {
  Request request(RTM_GETNEIGH, 0);
  auto* fixed = add_fixed_part<ndmsg>(request);
  fixed->ndm_family = AF_INET;
  fixed->ndm_ifindex = static_cast<int>(neighbour.interface_index);
  mnl_attr_put_u32(request.header(), NDA_DST, neighbour.address.raw());
  return request;
}

Request use_neighbour(const NeighbourKey& neighbour, Upkeep upkeep) {
  Request request(RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE);
  auto* fixed = add_fixed_part<ndmsg>(request);
  fixed->ndm_family = AF_INET;
  fixed->ndm_ifindex = static_cast<int>(neighbour.interface_index);
  // With either flag below the kernel does not look at this but keeps the state, less NUD_PERMANENT (__neigh_update).
  fixed->ndm_state = NUD_NONE;
  if (upkeep == Upkeep::once) fixed->ndm_flags = NTF_USE;
  mnl_attr_put_u32(request.header(), NDA_DST, neighbour.address.raw());
  if (upkeep == Upkeep::managed) mnl_attr_put_u32(request.header(), NDA_FLAGS_EXT, NTF_EXT_MANAGED);
  return request;
}

std::optional<LinkMessage> read_link(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWLINK && message.nlmsg_type != RTM_DELLINK) return std::nullopt;
  const auto* fixed = fixed_part<ifinfomsg>(message);
  // A message of another family (a bridge's, AF_BRIDGE) tells about a port's membership, not about the link.
  if (fixed == nullptr || fixed->ifi_family != AF_UNSPEC) return std::nullopt;
  const Attributes<IFLA_MTU> attributes(message, sizeof(*fixed));
  LinkMessage link;
  link.index = static_cast<uint32_t>(fixed->ifi_index);
  link.removed = message.nlmsg_type == RTM_DELLINK;
  if (attributes[IFLA_IFNAME] != nullptr) {
    const nlattr* name = attributes[IFLA_IFNAME];
    const auto* text = static_cast<const char*>(mnl_attr_get_payload(name));
    link.link.name.assign(text, strnlen(text, mnl_attr_get_payload_len(name)));
  }
  link.link.mtu = attributes.number(IFLA_MTU).value_or(0);
  return link;
}

std::optional<NeighbourMessage> read_neighbour(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWNEIGH && message.nlmsg_type != RTM_DELNEIGH) return std::nullopt;
  const auto* fixed = fixed_part<ndmsg>(message);
  if (fixed == nullptr || fixed->ndm_family != AF_INET) return std::nullopt;
  const Attributes<NDA_LLADDR> attributes(message, sizeof(*fixed));
  const auto address = attributes.address(NDA_DST);
  if (!address) return std::nullopt;
  NeighbourMessage neighbour;
  neighbour.key = {static_cast<uint32_t>(fixed->ndm_ifindex), *address};
  neighbour.removed = message.nlmsg_type == RTM_DELNEIGH;
  neighbour.fixed = (fixed->ndm_state & (NUD_PERMANENT | NUD_NOARP)) != 0;
  constexpr unsigned kUsable = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT;
  const nlattr* mac = attributes[NDA_LLADDR];
  if ((fixed->ndm_state & kUsable) != 0 && mac != nullptr && mnl_attr_get_payload_len(mac) == sizeof(MacAddress)) {
    neighbour.mac.emplace();
    std::memcpy(neighbour.mac->data(), mnl_attr_get_payload(mac), sizeof(MacAddress));
  }
  return neighbour;
}

std::optional<Route> read_route(const nlmsghdr& message, Be32 destination) {
  if (message.nlmsg_type != RTM_NEWROUTE) return std::nullopt;
  const auto* fixed = fixed_part<rtmsg>(message);
  if (fixed == nullptr || fixed->rtm_family != AF_INET || fixed->rtm_type != RTN_UNICAST) return std::nullopt;
  const Attributes<RTA_VIA> attributes(message, sizeof(*fixed));
  const auto interface_index = attributes.number(RTA_OIF);
  if (!interface_index || attributes[RTA_VIA] != nullptr) return std::nullopt;
  Route route;
  route.interface_index = *interface_index;
  route.neighbour = attributes.address(RTA_GATEWAY).value_or(destination);
  if (attributes[RTA_METRICS] != nullptr) {
    route.mtu = Attributes<RTAX_MTU>(attributes[RTA_METRICS]).number(RTAX_MTU).value_or(0);
  }
  return route;
}

}  // namespace warmswap::nexthop
