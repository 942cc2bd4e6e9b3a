// A NETLINK_ROUTE socket. One thread.
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <vector>

#include "controlplane/nexthop/netlink_messages.h"
#include "dataplane/contract/result.h"

namespace warmswap::nexthop {

using MessageHandler = std::function<void(const nlmsghdr&)>;

class NetlinkSocket {
 public:
  /// For request(): answers are awaited, at most a second.
  static contract::Result<NetlinkSocket> for_requests();
  /// For receive(): member of `groups` (RTNLGRP_*), never waits.
  static contract::Result<NetlinkSocket> for_notifications(std::initializer_list<int> groups);

  NetlinkSocket(NetlinkSocket&& other) noexcept;
  NetlinkSocket& operator=(NetlinkSocket&&) = delete;
  ~NetlinkSocket();

  int descriptor() const noexcept { return descriptor_; }

  /// Sends a request and hands each message of its answer to `handler`. The kernel works a request off while it is
  /// sent, so this waits for nobody but the kernel's own locks. Returns 0 or an errno: the kernel's refusal, ETIMEDOUT,
  /// or EINTR when a dump was inconsistent because something changed meanwhile.
  int request(Request request, const MessageHandler& handler);

  /// Hands every waiting notification to `handler`. Returns 0, or ENOBUFS when the kernel had to drop some.
  int receive(const MessageHandler& handler);

 private:
  explicit NetlinkSocket(int descriptor);
  static contract::Result<NetlinkSocket> open(int flags);
  /// One datagram into buffer_: its length, or -errno.
  long receive_datagram();

  int descriptor_ = -1;
  uint32_t sequence_ = 0;
  std::vector<std::byte> buffer_;
};

}  // namespace warmswap::nexthop
