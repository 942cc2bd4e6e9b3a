// One attempt at one target, whatever the kind of probe: begins, ends once with a result, and at the latest when its
// timeout is over. Single use; lives on the io_context's thread; kept alive by its own pending operations.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>
#include <functional>
#include <memory>
#include <string>

#include "controlplane/health/prober.h"

namespace boost::asio::ssl {
class context;
}

namespace warmswap::health {

class RawSockets;

class Attempt : public std::enable_shared_from_this<Attempt> {
 public:
  using Done = std::function<void(const ProbeResult&)>;

  virtual ~Attempt() = default;
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  /// Calls `done` once, later, from the event loop; never from within start().
  void start();
  /// Ends the attempt without a result.
  void cancel();

 protected:
  /// `target` must outlive the probe's start..done or start..cancel.
  Attempt(boost::asio::io_context& io, const Target& target, Done done);

  /// Opens what it needs and asks; what fails at once goes to fail_later().
  virtual void begin() = 0;
  /// Lets go of it: pending operations end with operation_aborted.
  virtual void close() noexcept = 0;
  /// What had not come when the time was over: "no connection".
  virtual std::string missing() const = 0;

  bool over() const noexcept { return !done_; }
  const Target& target() const noexcept { return target_; }
  boost::asio::io_context& io() noexcept { return io_; }
  void finish(Outcome outcome, std::string detail);
  /// Bad, or not run where the error arose on this host before anything reached the backend.
  void fail(const boost::system::error_code& error);
  /// From the event loop's next round, so that many answers can be taken in before anything is made of them.
  void fail_later(const boost::system::error_code& error);
  void finish_later(Outcome outcome, std::string detail);
  /// Opens a connection to the target that will end with a reset; `connected` is called unless that fails or the
  /// attempt is over before.
  void connect_to_target(boost::asio::ip::tcp::socket::lowest_layer_type& socket, std::function<void()> connected);

 private:
  void wait_for_deadline();
  void on_deadline();

  boost::asio::io_context& io_;
  boost::asio::steady_timer deadline_;
  const Target& target_;
  Done done_;  // empty once the probe is over
  Clock::time_point started_;
  bool extended_ = false;
  bool concluded_ = false;  // by finish_later() or fail_later(): the deadline no longer counts
};

/// Errors that arise on this host before anything reached the backend.
bool is_local(const boost::system::error_code& error);
/// As a sentence goes on: "connection refused".
std::string in_words(const boost::system::error_code& error);
std::string uncapitalised(std::string text);
/// errno.
boost::system::error_code last_error() noexcept;

/// What attempts at a target share. `request`: see below. `tls`: for probes over TLS; null where its
/// certificates cannot be read. `raw`: for what needs raw sockets. All must outlive the attempt.
struct Means {
  const std::string& request;
  boost::asio::ssl::context* tls = nullptr;
  RawSockets* raw = nullptr;
};

/// What the kind sends of itself: the GET of HTTP, else the payload.
std::string request_for(const Target& target);
/// Whether that a connection is opened, or would be, is all that is asked.
bool only_connects(const config::ProbeConfig& probe, const std::string& request);

std::shared_ptr<Attempt> make_attempt(boost::asio::io_context& io, const Target& target, const Means& means,
                                      Attempt::Done done);
/// The same, without regard to the target's tunnel.
std::shared_ptr<Attempt> make_direct_attempt(boost::asio::io_context& io, const Target& target, const Means& means,
                                             Attempt::Done done);
std::shared_ptr<Attempt> make_stream_attempt(boost::asio::io_context& io, const Target& target, const Means& means,
                                             Attempt::Done done);
std::shared_ptr<Attempt> make_udp_attempt(boost::asio::io_context& io, const Target& target, const Means& means,
                                          Attempt::Done done);
std::shared_ptr<Attempt> make_icmp_attempt(boost::asio::io_context& io, const Target& target, Attempt::Done done);
std::shared_ptr<Attempt> make_exec_attempt(boost::asio::io_context& io, const Target& target, Attempt::Done done);
std::shared_ptr<Attempt> make_raw_attempt(boost::asio::io_context& io, const Target& target, const Means& means,
                                          Attempt::Done done);

}  // namespace warmswap::health
