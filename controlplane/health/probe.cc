#include "controlplane/health/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>

namespace warmswap::health {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// A deadline met this much too late says that the loop was held up, not the backend.
constexpr auto kLoopWasHeldUp = std::chrono::milliseconds(1);

/// Errors that arise on this host before anything reached the backend.
bool is_local(const error_code& error) {
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
  std::string text = error.message();
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

std::string milliseconds(Clock::duration duration) {
  return fmt::format("{:g} ms", std::chrono::duration<double, std::milli>(duration).count());
}

}  // namespace

std::string http_request(const Target& target) {
  const std::string address = asio::ip::address_v4(target.address.host()).to_string();
  // RFC 9110 section 7.2: the default port is left out of Host.
  const std::string fallback = target.port == 80 ? address : fmt::format("{}:{}", address, target.port);
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: warmswap-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n",
      target.probe.path, target.probe.host.empty() ? fallback : target.probe.host);
}

Probe::Probe(asio::io_context& io, const Target& target, const std::string& request, Done done)
    : socket_(io), deadline_(io), target_(target), request_(request), done_(std::move(done)) {}

void Probe::start() {
  started_ = Clock::now();
  error_code error;
  socket_.open(tcp::v4(), error);
  if (!error) socket_.set_option(asio::socket_base::linger(true, 0), error);
  if (error) {
    asio::post(socket_.get_executor(), [self = shared_from_this(), error] { self->fail(error); });
    return;
  }
  socket_.async_connect({asio::ip::address_v4(target_.address.host()), target_.port},
                        [self = shared_from_this()](const error_code& result) { self->on_connected(result); });
  deadline_.expires_at(started_ + target_.probe.timeout);
  wait_for_deadline();
}

void Probe::cancel() {
  done_ = nullptr;
  deadline_.cancel();
  error_code ignored;
  socket_.close(ignored);
}

void Probe::on_connected(const error_code& error) {
  if (!done_) return;
  if (error) return fail(error);
  if (target_.probe.kind == config::ProbeKind::tcp) return finish(Outcome::good, "connected");
  stage_ = Stage::asking;
  http_ = std::make_unique<Http>();
  asio::async_write(socket_, asio::buffer(request_), [self = shared_from_this()](const error_code& result, size_t) {
    if (!self->done_) return;
    // A server may answer and close without reading the request: what it said counts, so an error here shows on
    // reading.
    if (result && is_local(result)) return self->fail(result);
    self->read_more();
  });
}

void Probe::read_more() {
  socket_.async_read_some(
      asio::buffer(http_->buffer),
      [self = shared_from_this()](const error_code& error, size_t bytes) { self->on_read(error, bytes); });
}

void Probe::on_read(const error_code& error, size_t bytes) {
  if (!done_) return;
  if (error == asio::error::eof)
    return finish(Outcome::bad, "connection closed before the end of an HTTP response header");
  if (error) return fail(error);
  switch (http_->head.feed({http_->buffer.data(), bytes})) {
    case ResponseHead::Progress::more:
      return read_more();
    case ResponseHead::Progress::complete:
      return judge_status();
    case ResponseHead::Progress::malformed:
      return finish(Outcome::bad, fmt::format("not a usable HTTP response: {}", http_->head.problem()));
  }
}

void Probe::judge_status() {
  const unsigned status = http_->head.status();
  const auto& wanted = target_.probe.expect_status;
  if (std::ranges::find(wanted, status) != wanted.end())
    return finish(Outcome::good, fmt::format("HTTP status {}", status));
  std::string list;
  for (const uint16_t code : wanted) list += fmt::format("{}{}", list.empty() ? "" : ", ", code);
  finish(Outcome::bad, fmt::format("HTTP status {}, expected {}", status, list));
}

void Probe::wait_for_deadline() {
  deadline_.async_wait([self = shared_from_this()](const error_code& error) {
    if (!error && self->done_) self->on_deadline();
  });
}

void Probe::on_deadline() {
  const Clock::duration late = Clock::now() - deadline_.expiry();
  // The answer may lie unread in the socket because this process did not run. Give it that time back, once.
  if (late > kLoopWasHeldUp && !extended_) {
    extended_ = true;
    deadline_.expires_after(std::min<Clock::duration>(late, target_.probe.timeout));
    return wait_for_deadline();
  }
  finish(Outcome::bad, fmt::format("timed out after {}: {}", milliseconds(target_.probe.timeout),
                                   stage_ == Stage::connecting ? "no connection" : "no complete HTTP response header"));
}

void Probe::fail(const error_code& error) {
  if (done_) finish(is_local(error) ? Outcome::not_run : Outcome::bad, in_words(error));
}

void Probe::finish(Outcome outcome, std::string detail) {
  const Done done = std::move(done_);
  const ProbeResult result{target_.id, outcome, std::move(detail), started_, Clock::now()};
  cancel();
  done(result);
}

}  // namespace warmswap::health
