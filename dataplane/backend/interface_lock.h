// One agent per interface: an flock on a file that only root can open, so that no other user of the host can hold the
// agent off. The kernel gives the lock back however the process ends; the file goes at an orderly end, and one that a
// killed agent left is taken over.
#pragma once

#include <string>

#include "dataplane/contract/descriptor.h"
#include "dataplane/contract/result.h"

namespace warmswap::backend {

class InterfaceLock {
 public:
  /// Names the interface by index and network namespace, because /run is shared by all namespaces. Does not wait.
  static contract::Result<InterfaceLock> take(const std::string& interface, int ifindex);
  InterfaceLock(InterfaceLock&&) noexcept = default;
  InterfaceLock& operator=(InterfaceLock&&) = delete;
  ~InterfaceLock();

 private:
  InterfaceLock(contract::Descriptor file, std::string path) noexcept
      : file_(std::move(file)), path_(std::move(path)) {}
  contract::Descriptor file_;
  std::string path_;
};

}  // namespace warmswap::backend
