// What the agent asks the kernel by rtnetlink. Used from the agent's one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/contract/byte_order.h"
#include "dataplane/contract/result.h"

namespace warmswap::backend {

using contract::Be32;
using contract::Result;

/// The IPv4 addresses configured on the interface, without duplicates, in the kernel's order.
Result<std::vector<Be32>> interface_addresses(int ifindex);

/// Whether the kernel would deliver packets for `address` to local sockets (RTN_LOCAL), by whatever route.
Result<bool> is_local_address(Be32 address);

/// The interfaces of the IPv4 default routes in the main table; empty without one.
Result<std::vector<int>> default_route_interfaces();

/// The interface's index.
Result<int> index_of(const std::string& interface);

struct TcFilter {
  uint32_t priority = 0;
  uint32_t handle = 0;
  uint32_t chain = 0;
  uint32_t program_id = 0;  // 0 unless its kind is bpf
  std::string name;         // of the program as the filter's maker gave it; of the filter's kind unless that is bpf
};

/// The filters, of anybody's, on the interface's clsact ingress hook. Empty without the qdisc.
Result<std::vector<TcFilter>> ingress_filters(int ifindex);

/// How many tc filters, of anybody's, hang on the interface's clsact qdisc, ingress and egress.
Result<size_t> clsact_filter_count(int ifindex);

}  // namespace warmswap::backend
