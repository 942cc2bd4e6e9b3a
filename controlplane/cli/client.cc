#include "controlplane/cli/client.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <cstring>
#include <thread>

namespace warmswap::cli {

namespace http = boost::beast::http;
using contract::Error;
using contract::Result;
using Clock = std::chrono::steady_clock;

namespace {

constexpr uint64_t kMaxAnswerBytes = 256u << 20;
// A full accept queue answers EAGAIN at once instead of letting connect wait.
constexpr std::chrono::milliseconds kConnectRetry{10};

class Socket {
 public:
  Socket() : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

bool wait_for(int fd, short events, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd entry{.fd = fd, .events = events, .revents = 0};
    const int ready = poll(&entry, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

std::string advice(int fault) {
  switch (fault) {
    case ENOENT:
      return "there is no such socket. Is warmswap-controlplane running, and is this its instance (--instance, "
             "--socket)?";
    case ECONNREFUSED:
      return "the socket is there but nobody listens. Has warmswap-controlplane stopped or crashed?";
    case EACCES:
    case EPERM:
      return "permission denied. The socket is for root and its group only (ls -l shows which): use sudo or join the "
             "group";
    default:
      return std::strerror(fault);
  }
}

Error unreachable(const std::string& path, std::string_view why) {
  return {fmt::format("cannot reach the control plane at {}: {}", path, why)};
}

Result<void> connect_to(const Socket& socket, const std::string& path, Clock::time_point deadline) {
  sockaddr_un address{};
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return unreachable(path, fmt::format("a socket path has 1 to {} bytes", sizeof(address.sun_path) - 1));
  }
  if (socket.get() < 0) return unreachable(path, std::strerror(errno));
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  while (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    if (errno != EAGAIN && errno != EINTR) return unreachable(path, advice(errno));
    if (Clock::now() >= deadline) return unreachable(path, "too many others wait to be connected");
    std::this_thread::sleep_for(kConnectRetry);
  }
  return {};
}

/// Sends what the peer takes. A peer that closes early may have answered already, so a failed send is no error yet.
void send_all(const Socket& socket, std::string_view text, Clock::time_point deadline) {
  while (!text.empty()) {
    const ssize_t sent = send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      text.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!wait_for(socket.get(), POLLOUT, deadline)) return;
    } else if (errno != EINTR) {
      return;
    }
  }
}

Result<Reply> receive(const Socket& socket, const std::string& path, Clock::time_point deadline) {
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaxAnswerBytes);
  parser.eager(true);
  std::string pending;
  std::array<char, 65536> chunk;
  while (!parser.is_done()) {
    if (!wait_for(socket.get(), POLLIN, deadline)) return unreachable(path, "no answer within the timeout (--timeout)");
    const ssize_t got = recv(socket.get(), chunk.data(), chunk.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got < 0) return unreachable(path, std::strerror(errno));
    boost::system::error_code fault;
    if (got == 0) {
      parser.put_eof(fault);
      if (fault || !parser.is_done()) return unreachable(path, "it closed the connection without a whole answer");
      break;
    }
    pending.append(chunk.data(), static_cast<size_t>(got));
    const size_t used = parser.put(boost::asio::buffer(pending), fault);
    pending.erase(0, used);
    if (fault && fault != http::error::need_more) {
      return unreachable(path, fmt::format("what answers there does not speak HTTP ({})", fault.message()));
    }
  }
  return Reply{parser.get().result_int(), std::move(parser.get().body())};
}

}  // namespace

Result<Reply> Client::call(std::string_view method, std::string_view target, std::string_view body) const {
  const auto deadline = Clock::now() + timeout_;
  const Socket socket;
  if (const auto connected = connect_to(socket, socket_path_, deadline); !connected) return Error{connected.error()};
  std::string request = fmt::format(
      "{} {} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: warmswapctl\r\nConnection: close\r\n", method, target);
  if (method == "POST") {
    request += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
  }
  request += "\r\n";
  request += body;
  send_all(socket, request, deadline);
  return receive(socket, socket_path_, deadline);
}

}  // namespace warmswap::cli
