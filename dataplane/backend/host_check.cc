#include "dataplane/backend/host_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <optional>

#include "dataplane/backend/address.h"
#include "dataplane/backend/netlink.h"

namespace warmswap::backend {
namespace {

using contract::Be32;

std::optional<int> read_number(const std::string& path) {
  std::ifstream file(path);
  int number = 0;
  if (file >> number) return number;
  return std::nullopt;
}

/// For arp_ignore, arp_announce and rp_filter the larger of `all` and the interface's own value counts
/// (Documentation/networking/ip-sysctl.rst).
std::optional<int> effective_setting(const std::string& interface, const char* name) {
  const auto all = read_number(fmt::format("/proc/sys/net/ipv4/conf/all/{}", name));
  const auto own = read_number(fmt::format("/proc/sys/net/ipv4/conf/{}/{}", interface, name));
  if (!all || !own) return std::nullopt;
  return std::max(*all, *own);
}

void check_arp(const std::string& interface, std::vector<std::string>& warnings) {
  const auto ignore = effective_setting(interface, "arp_ignore");
  if (ignore && *ignore == 0)
    warnings.push_back(
        fmt::format("this host answers ARP requests for the vips on {0} and would draw their traffic past "
                    "the balancer: sysctl -w net.ipv4.conf.{0}.arp_ignore=1",
                    interface));
  const auto announce = effective_setting(interface, "arp_announce");
  if (announce && *announce < 2)
    warnings.push_back(
        fmt::format("this host may name a vip as the sender of its ARP requests on {0}, which teaches "
                    "neighbours the wrong MAC address: sysctl -w net.ipv4.conf.{0}.arp_announce=2",
                    interface));
}

/// Strict filtering (1) drops a client's packet that arrives on another interface than the answer would leave by.
void check_reverse_path(const std::string& interface, int ifindex, std::vector<std::string>& warnings) {
  if (effective_setting(interface, "rp_filter") != 1) return;
  const auto ways_out = default_route_interfaces();
  if (!ways_out || std::find(ways_out->begin(), ways_out->end(), ifindex) != ways_out->end()) return;
  warnings.push_back(
      fmt::format("strict reverse path filtering drops the clients' packets on {0}, because the default "
                  "route does not leave by {0}: sysctl -w net.ipv4.conf.{0}.rp_filter=2",
                  interface));
}

/// The usual 1500 bytes of a client's packet and the outer header.
constexpr int kNeededMtu = 1500 + 20;

void check_mtu(const std::string& interface, std::vector<std::string>& warnings) {
  const auto mtu = read_number(fmt::format("/sys/class/net/{}/mtu", interface));
  if (mtu && *mtu < kNeededMtu)
    warnings.push_back(
        fmt::format("the MTU of {0} is {1}, so full-sized packets of clients do not fit once encapsulated: "
                    "ip link set dev {0} mtu {2} (and on the fabric), or announce a smaller segment with "
                    "`advmss {3}` on the route to the clients",
                    interface, *mtu, kNeededMtu, *mtu - 20 - 40));
}

}  // namespace

std::vector<std::string> host_warnings(const std::string& interface, int ifindex, const std::vector<Be32>& vips) {
  std::vector<std::string> warnings;
  for (const Be32 vip : vips) {
    const auto local = is_local_address(vip);
    if (local && !*local)
      warnings.push_back(
          fmt::format("the vip {0} is not an address of this host, so the kernel will not accept its "
                      "packets: ip address add {0}/32 dev lo",
                      to_string(vip)));
  }
  check_arp(interface, warnings);
  check_reverse_path(interface, ifindex, warnings);
  check_mtu(interface, warnings);
  return warnings;
}

}  // namespace warmswap::backend
