// What the agent hears from the kernel by rtnetlink. Used from the agent's one thread.
#pragma once

#include "dataplane/contract/result.h"

struct mnl_socket;

namespace warmswap::backend {

/// Wakes its owner when the interface changes or disappears, and knows whether its IPv4 addresses changed.
class InterfaceMonitor {
 public:
  static contract::Result<InterfaceMonitor> open(int ifindex);
  InterfaceMonitor(InterfaceMonitor&& other) noexcept;
  InterfaceMonitor& operator=(InterfaceMonitor&&) = delete;
  ~InterfaceMonitor();

  /// Readable when drain() has something to read.
  int fd() const noexcept;

  /// Reads all that is pending without blocking. True when the interface's IPv4 addresses changed or the kernel had to
  /// discard notifications: the caller reads the state afresh.
  bool drain();

 private:
  InterfaceMonitor(mnl_socket* socket, int ifindex) noexcept : socket_(socket), ifindex_(ifindex) {}
  mnl_socket* socket_;
  int ifindex_;
};

}  // namespace warmswap::backend
