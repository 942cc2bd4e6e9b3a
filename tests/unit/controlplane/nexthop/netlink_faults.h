// Makes requests to the kernel fail that in reality fail once in a blue moon: send(2) of the test program stands before
// the C library's, and refuses netlink requests of one type while a NetlinkFault lives.
#pragma once

#include <cstdint>

namespace warmswap::test {

class NetlinkFault {
 public:
  /// Requests of `type` (RTM_*) fail with `error` (an errno). One at a time.
  NetlinkFault(uint16_t type, int error) noexcept;
  ~NetlinkFault();
  NetlinkFault(const NetlinkFault&) = delete;
  NetlinkFault& operator=(const NetlinkFault&) = delete;

  /// How many requests failed so far.
  int refused() const noexcept;
};

}  // namespace warmswap::test
