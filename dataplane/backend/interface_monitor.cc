#include "dataplane/backend/interface_monitor.h"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace warmswap::backend {
namespace {

struct Changes {
  int ifindex;
  bool met = false;
};

int note_change(const nlmsghdr* message, void* data) {
  auto& changes = *static_cast<Changes*>(data);
  if (message->nlmsg_type != RTM_NEWADDR && message->nlmsg_type != RTM_DELADDR) return MNL_CB_OK;
  const auto& header = *static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(message));
  if (static_cast<int>(header.ifa_index) == changes.ifindex) changes.met = true;
  return MNL_CB_OK;
}

}  // namespace

using contract::Error;
using contract::Result;

Result<InterfaceMonitor> InterfaceMonitor::open(int ifindex) {
  mnl_socket* socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket == nullptr) return Error{fmt::format("cannot open a netlink socket: {}", std::strerror(errno))};
  InterfaceMonitor monitor(socket, ifindex);
  if (mnl_socket_bind(socket, RTMGRP_LINK | RTMGRP_IPV4_IFADDR, MNL_SOCKET_AUTOPID) < 0)
    return Error{fmt::format("cannot listen for changes of the interface: {}", std::strerror(errno))};
  return monitor;
}

InterfaceMonitor::InterfaceMonitor(InterfaceMonitor&& other) noexcept
    : socket_(std::exchange(other.socket_, nullptr)), ifindex_(other.ifindex_) {}

InterfaceMonitor::~InterfaceMonitor() {
  if (socket_ != nullptr) mnl_socket_close(socket_);
}

int InterfaceMonitor::fd() const noexcept {
  return mnl_socket_get_fd(socket_);
}

bool InterfaceMonitor::drain() {
  Changes changes{.ifindex = ifindex_};
  // Room for the largest message the kernel sends.
  std::array<char, 32768> buffer;
  for (;;) {
    const ssize_t bytes = mnl_socket_recvfrom(socket_, buffer.data(), buffer.size());
    if (bytes < 0 && errno == ENOBUFS) {
      changes.met = true;
      continue;
    }
    if (bytes < 0) return changes.met;
    mnl_cb_run(buffer.data(), static_cast<size_t>(bytes), 0, 0, note_change, &changes);
  }
}

}  // namespace warmswap::backend
