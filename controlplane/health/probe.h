// One attempt at one target: connect, for HTTP ask and read the status, within the timeout. Single use; lives on the
// io_context's thread; kept alive by its own pending operations.
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "controlplane/health/prober.h"
#include "controlplane/health/response_head.h"

namespace warmswap::health {

/// The GET a target is asked with.
std::string http_request(const Target& target);

class Probe : public std::enable_shared_from_this<Probe> {
 public:
  using Done = std::function<void(const ProbeResult&)>;

  /// `target` and `request` must outlive the probe's start..done or start..cancel.
  Probe(boost::asio::io_context& io, const Target& target, const std::string& request, Done done);

  /// Calls `done` once, later, from the event loop; never from within start().
  void start();
  /// Ends the attempt without a result.
  void cancel();

 private:
  enum class Stage { connecting, asking };
  struct Http {
    ResponseHead head;
    std::array<char, 2048> buffer;
  };

  void on_connected(const boost::system::error_code& error);
  void read_more();
  void on_read(const boost::system::error_code& error, size_t bytes);
  void wait_for_deadline();
  void on_deadline();
  void judge_status();
  void finish(Outcome outcome, std::string detail);
  void fail(const boost::system::error_code& error);

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer deadline_;
  const Target& target_;
  const std::string& request_;
  Done done_;  // empty once the probe is over
  std::unique_ptr<Http> http_;
  Clock::time_point started_;
  Stage stage_ = Stage::connecting;
  bool extended_ = false;
};

}  // namespace warmswap::health
