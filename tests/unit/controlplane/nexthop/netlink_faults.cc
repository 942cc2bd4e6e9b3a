#include "tests/unit/controlplane/nexthop/netlink_faults.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>

namespace {

struct Fault {
  uint16_t type = 0;  // NLMSG_NOOP is 1: nobody sends a 0
  int error = 0;
  int refused = 0;
} fault;

bool refuse(int descriptor, const void* data, size_t bytes) {
  int domain = 0;
  socklen_t length = sizeof(domain);
  if (fault.type == 0 || bytes < sizeof(nlmsghdr)) return false;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0 || domain != AF_NETLINK) return false;
  return static_cast<const nlmsghdr*>(data)->nlmsg_type == fault.type;
}

}  // namespace

extern "C" ssize_t send(int descriptor, const void* data, size_t bytes, int flags) {
  if (refuse(descriptor, data, bytes)) {
    ++fault.refused;
    errno = fault.error;
    return -1;
  }
  return ::sendto(descriptor, data, bytes, flags, nullptr, 0);
}

namespace warmswap::test {

NetlinkFault::NetlinkFault(uint16_t type, int error) noexcept {
  fault = {.type = type, .error = error};
}
NetlinkFault::~NetlinkFault() {
  fault = {};
}
int NetlinkFault::refused() const noexcept {
  return fault.refused;
}

}  // namespace warmswap::test
