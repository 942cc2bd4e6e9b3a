// HTTP over the control socket, one request a connection, with one deadline for all of it. Any thread; blocks.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "dataplane/contract/result.h"

namespace warmswap::cli {

struct Reply {
  unsigned status = 0;
  std::string body;
};

class Client {
 public:
  Client(std::string socket_path, std::chrono::milliseconds timeout)
      : socket_path_(std::move(socket_path)), timeout_(timeout) {}

  /// An error means that there was no answer; it names the socket and what to look at. `body` is JSON, or empty.
  contract::Result<Reply> call(std::string_view method, std::string_view target, std::string_view body = {}) const;

  const std::string& socket_path() const noexcept { return socket_path_; }

 private:
  std::string socket_path_;
  std::chrono::milliseconds timeout_;
};

}  // namespace warmswap::cli
