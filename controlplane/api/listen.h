// Listening sockets as file descriptors: the control socket's file with its rights, and the TCP port.
// Called at start-up from one thread; only system calls.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <utility>

#include "dataplane/contract/descriptor.h"
#include "dataplane/contract/result.h"

namespace warmswap::api {

/// The name of a bound UNIX socket in the file system; removed with the object, unless another file has taken the name
/// or this one was changed by somebody else meanwhile.
class SocketFile {
 public:
  SocketFile() = default;
  SocketFile(SocketFile&& other) noexcept : path_(std::exchange(other.path_, {})), identity_(other.identity_) {}
  SocketFile& operator=(SocketFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(identity_, other.identity_);
    return *this;
  }
  ~SocketFile() { remove(); }

  /// Takes what stands at `path` now for its own. False when nothing does.
  bool claim(const std::string& path);
  void remove() noexcept;

 private:
  std::string path_;
  struct stat identity_ {};
};

struct UnixListener {
  contract::Descriptor descriptor;
  SocketFile file;
};

/// Binds and listens with mode 0660 and the group (empty = the process's own). A socket file nobody listens on is
/// replaced; one that answers is left alone and refused. Two processes starting at once cannot both win.
contract::Result<UnixListener> listen_unix(const std::string& path, const std::string& group);

/// `address` is a numeric IPv4 or IPv6 address; port 0 lets the kernel choose.
contract::Result<contract::Descriptor> listen_tcp(const std::string& address, uint16_t port);

/// The port a TCP listener is bound to.
uint16_t bound_port(int fd) noexcept;

}  // namespace warmswap::api
