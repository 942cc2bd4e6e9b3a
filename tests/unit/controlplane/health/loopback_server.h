// TCP servers on 127.0.0.1 for the probes to meet: plain blocking sockets on a thread of their own, so that they share
// nothing with the code under test.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace warmswap::health {

/// A bound socket, listening or not.
class Listener {
 public:
  explicit Listener(int backlog = 128) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (fd_ < 0 || ::bind(fd_, raw, size) != 0 || (backlog >= 0 && ::listen(fd_, backlog) != 0) ||
        ::getsockname(fd_, raw, &size) != 0) {
      throw std::runtime_error("cannot listen on loopback");
    }
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { ::close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int fd() const { return fd_; }
  uint16_t port() const { return port_; }

 private:
  int fd_;
  uint16_t port_ = 0;
};

/// Bound and not listening: connecting to it is refused, and nobody else gets the port meanwhile.
class RefusingPort : public Listener {
 public:
  RefusingPort() : Listener(-1) {}
};

/// Its queue is full, so the kernel drops further SYNs: as silent as a host that is gone.
class SilentPort : public Listener {
 public:
  SilentPort() : Listener(0) {
    for (int i = 0; i < 4; ++i) {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      address.sin_port = htons(port());
      (void)::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
      fillers_.push_back(fd);
    }
  }
  ~SilentPort() {
    for (const int fd : fillers_) ::close(fd);
  }

 private:
  std::vector<int> fillers_;
};

/// Accepts, one connection after the other, and lets `serve` do what it likes with each.
class Server {
 public:
  /// One accepted connection; closed when served.
  class Connection {
   public:
    Connection(int fd, const std::atomic<bool>& stopping) : fd_(fd), stopping_(stopping) {}
    virtual ~Connection() = default;
    /// Up to the blank line; what came until then when the peer goes away.
    std::string read_request() const {
      std::string request;
      while (request.find("\r\n\r\n") == request.npos) {
        const std::string more = receive();
        if (more.empty()) break;
        request += more;
      }
      return request;
    }
    /// What comes next; empty once the peer is gone, or the server stops.
    virtual std::string receive() const {
      char buffer[1024];
      const ssize_t got = readable() ? ::recv(fd_, buffer, sizeof(buffer), 0) : 0;
      return {buffer, static_cast<size_t>(got > 0 ? got : 0)};
    }
    /// False once the peer is gone.
    virtual bool send(std::string_view text) const {
      return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
    }
    /// Until the peer closes or sends, or the server stops.
    bool readable() const {
      pollfd poll_fd{fd_, POLLIN, 0};
      while (!stopping_) {
        if (::poll(&poll_fd, 1, 10) > 0) return true;
      }
      return false;
    }
    int fd() const { return fd_; }
    void reset_on_close() const {
      const linger hard{1, 0};
      ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    }

   private:
    int fd_;
    const std::atomic<bool>& stopping_;
  };
  using Serve = std::function<void(const Connection&)>;

  explicit Server(Serve serve) : serve_(std::move(serve)), thread_([this] { run(); }) {}
  ~Server() {
    stopping_ = true;
    thread_.join();
  }
  uint16_t port() const { return listener_.port(); }
  int accepted() const { return accepted_; }

 private:
  void run() {
    pollfd poll_fd{listener_.fd(), POLLIN, 0};
    while (!stopping_) {
      if (::poll(&poll_fd, 1, 10) <= 0) continue;
      const int fd = ::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      ++accepted_;
      serve_(Connection(fd, stopping_));
      ::close(fd);
    }
  }

  Listener listener_;
  Serve serve_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> accepted_{0};
  std::thread thread_;
};

/// Takes a request and answers with fixed bytes.
inline Server::Serve answering(std::string response) {
  return [response = std::move(response)](const Server::Connection& connection) {
    connection.read_request();
    connection.send(response);
  };
}

/// Answers without reading, and hangs up when the answer is on its way: the kernel then sends a reset after it.
inline Server::Serve answering_unasked(std::string response) {
  return [response = std::move(response)](const Server::Connection& connection) {
    connection.send(response);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  };
}

}  // namespace warmswap::health
