#include "controlplane/health/attempt.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>

#include "controlplane/config/text.h"
#include "controlplane/health/http_exchange.h"

namespace warmswap::health {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// A deadline met this much too late says that the loop was held up, not the backend.
constexpr auto kLoopWasHeldUp = std::chrono::milliseconds(1);

std::string milliseconds(Clock::duration duration) {
  return fmt::format("{:g} ms", std::chrono::duration<double, std::milli>(duration).count());
}

}  // namespace

bool is_local(const error_code& error) {
  if (error.category() != boost::system::system_category()) return false;
  switch (error.value()) {
    case EMFILE:  // RLIMIT_NOFILE
    case ENFILE:  // fs.file-max
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:         // fs.epoll.max_user_watches
    case EADDRNOTAVAIL:  // no free local port towards this target
    case ENETDOWN:       // our own interface is down
    case EAGAIN:
    case EPERM:  // a local firewall
    case EACCES:
      return true;
    default:
      return false;
  }
}

std::string in_words(const error_code& error) {
  return uncapitalised(error.message());
}

error_code last_error() noexcept {
  return {errno, boost::system::system_category()};
}

std::string uncapitalised(std::string text) {
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

Attempt::Attempt(asio::io_context& io, const Target& target, Done done)
    : io_(io), deadline_(io), target_(target), done_(std::move(done)) {}

void Attempt::start() {
  started_ = Clock::now();
  deadline_.expires_at(started_ + target_.probe.timeout);
  wait_for_deadline();
  begin();
}

void Attempt::cancel() {
  done_ = nullptr;
  deadline_.cancel();
  close();
}

void Attempt::wait_for_deadline() {
  deadline_.async_wait([self = shared_from_this()](const error_code& error) {
    if (!error && !self->over() && !self->concluded_) self->on_deadline();
  });
}

void Attempt::on_deadline() {
  const Clock::duration late = Clock::now() - deadline_.expiry();
  // The answer may lie unread in the socket because this process did not run. Give it that time back, once.
  if (late > kLoopWasHeldUp && !extended_) {
    extended_ = true;
    deadline_.expires_after(std::min<Clock::duration>(late, target_.probe.timeout));
    return wait_for_deadline();
  }
  finish(Outcome::bad, fmt::format("timed out after {}: {}", milliseconds(target_.probe.timeout), missing()));
}

void Attempt::fail(const error_code& error) {
  if (done_) finish(is_local(error) ? Outcome::not_run : Outcome::bad, in_words(error));
}

void Attempt::fail_later(const error_code& error) {
  concluded_ = true;
  asio::post(io_, [self = shared_from_this(), error] { self->fail(error); });
}

void Attempt::finish_later(Outcome outcome, std::string detail) {
  concluded_ = true;
  asio::post(io_, [self = shared_from_this(), outcome, detail = std::move(detail)] {
    if (!self->over()) self->finish(outcome, detail);
  });
}

void Attempt::connect_to_target(asio::ip::tcp::socket::lowest_layer_type& socket, std::function<void()> connected) {
  error_code error;
  socket.open(asio::ip::tcp::v4(), error);
  if (!error) socket.set_option(asio::socket_base::linger(true, 0), error);
  if (error) return fail_later(error);
  socket.async_connect({asio::ip::address_v4(target_.address.host()), target_.port},
                       [self = shared_from_this(), connected = std::move(connected)](const error_code& result) {
                         if (self->over()) return;
                         if (result) return self->fail(result);
                         connected();
                       });
}

void Attempt::finish(Outcome outcome, std::string detail) {
  const Done done = std::move(done_);
  const ProbeResult result{target_.id, outcome, std::move(detail), started_, Clock::now()};
  cancel();
  done(result);
}

std::string request_for(const Target& target) {
  const config::ProbeKind kind = target.probe.kind;
  if (kind == config::ProbeKind::http || kind == config::ProbeKind::https) return http_request(target);
  return config::parse_payload(target.probe.payload).value_or("");
}

bool only_connects(const config::ProbeConfig& probe, const std::string& request) {
  if (probe.kind == config::ProbeKind::tcp_half_open) return true;
  return probe.kind == config::ProbeKind::tcp && !config::over_tls(probe) && request.empty() && probe.expect.empty();
}

std::shared_ptr<Attempt> make_attempt(asio::io_context& io, const Target& target, const Means& means,
                                      Attempt::Done done) {
  const bool raw = target.tunnel || target.probe.kind == config::ProbeKind::tcp_half_open;
  if (raw && means.raw != nullptr) return make_raw_attempt(io, target, means, std::move(done));
  return make_direct_attempt(io, target, means, std::move(done));
}

std::shared_ptr<Attempt> make_direct_attempt(asio::io_context& io, const Target& target, const Means& means,
                                             Attempt::Done done) {
  switch (target.probe.kind) {
    case config::ProbeKind::udp:
      return make_udp_attempt(io, target, means, std::move(done));
    case config::ProbeKind::icmp:
      return make_icmp_attempt(io, target, std::move(done));
    case config::ProbeKind::exec:
      return make_exec_attempt(io, target, std::move(done));
    case config::ProbeKind::none:
    case config::ProbeKind::tcp:
    case config::ProbeKind::tcp_half_open:
    case config::ProbeKind::http:
    case config::ProbeKind::https:
    case config::ProbeKind::grpc:
      break;
  }
  return make_stream_attempt(io, target, means, std::move(done));
}

}  // namespace warmswap::health
