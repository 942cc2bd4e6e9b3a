// HTTP/1.1 on the control socket, which takes changes, and on an optional TCP listener, which does not.
//
// One thread: everything runs inside the io_context given to start(), the handler too, and stop() and the destructor
// must be called from its thread. A peer can hold at most one request and one answer in memory per connection, for as
// long as the timeouts say, on at most max_connections connections a listener.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "controlplane/api/protocol.h"
#include "controlplane/api/router.h"
#include "dataplane/contract/result.h"

namespace boost::asio {
class io_context;
}

namespace warmswap::api {

struct ServerOptions {
  std::string socket_path;
  std::string group;            // of the control socket; empty = the process's own
  std::string listen_address;   // read-only TCP listener; empty = none
  uint16_t listen_port = 0;     // 0 = the kernel chooses
  size_t max_connections = 64;  // per listener; further ones are told 503
  size_t max_body_bytes = kMaxBodyBytes;
  uint32_t max_header_bytes = 8192;                 // request line and headers
  std::chrono::milliseconds idle_timeout{60000};    // between requests
  std::chrono::milliseconds header_timeout{10000};  // first byte of a request → end of its headers
  std::chrono::milliseconds body_timeout{10000};
  std::chrono::milliseconds write_timeout{30000};
  std::chrono::milliseconds linger_timeout{2000};  // for the peer to read the last answer before the close
};

class Server {
 public:
  using Handler = std::function<Response(const Request&)>;

  /// Listens on both, or reports what failed. The handler is not called after stop().
  static contract::Result<std::unique_ptr<Server>> start(boost::asio::io_context& context, ServerOptions options,
                                                         Handler handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Closes every connection and removes the socket file. May be called twice.
  void stop();

  /// The port of the TCP listener, 0 without one.
  uint16_t tcp_port() const noexcept;

  struct Core;  // defined in server.cc only

 private:
  explicit Server(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

}  // namespace warmswap::api
