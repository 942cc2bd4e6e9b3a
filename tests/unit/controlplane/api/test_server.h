// A server on real sockets in a thread of its own, with its control socket in a fresh directory.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "controlplane/api/server.h"

namespace warmswap::api {

/// A directory that goes away with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class TestServer {
 public:
  /// Listens on a socket in its folder and on a TCP port of the kernel's choice. The handler runs in the server's
  /// thread.
  explicit TestServer(Server::Handler handler, ServerOptions options = {});
  ~TestServer();

  const std::string& socket_path() const noexcept { return socket_path_; }
  uint16_t tcp_port() const noexcept { return tcp_port_; }
  /// Runs a function in the server's thread and waits for it.
  void run(const std::function<void()>& function);
  void stop();

 private:
  struct Loop;
  TemporaryFolder folder_;
  std::string socket_path_;
  std::unique_ptr<Loop> loop_;
  uint16_t tcp_port_ = 0;
};

}  // namespace warmswap::api
