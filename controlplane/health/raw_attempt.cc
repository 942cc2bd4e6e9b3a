// Probes over raw sockets: tcp_half_open, which only begins a handshake, and all that travel the clients' way. Of a udp
// probe the whole does; of the kinds over TCP the beginning of a handshake, which shows that the backend unpacks what
// the dataplane sends and that something listens on the vip there. The kinds that ask more then ask it on the direct
// way.
#include <fmt/format.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include "controlplane/config/text.h"
#include "controlplane/health/attempt.h"
#include "controlplane/health/raw_sockets.h"

namespace warmswap::health {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::error_code;

constexpr const char* kNoPermission = "no permission: probes of this kind, or through the tunnel, need CAP_NET_RAW";

bool is_permission(const error_code& error) {
  return error.category() == boost::system::system_category() && (error.value() == EPERM || error.value() == EACCES);
}

class HalfOpenAttempt final : public Attempt {
 public:
  HalfOpenAttempt(asio::io_context& io, const Target& target, const Means& means, Done done)
      : Attempt(io, target, std::move(done)), means_(means) {}

 private:
  std::shared_ptr<HalfOpenAttempt> self() { return std::static_pointer_cast<HalfOpenAttempt>(shared_from_this()); }

  void begin() override {
    error_code error;
    // The handshake knows this attempt weakly: it must not keep alive what keeps it.
    const std::weak_ptr<HalfOpenAttempt> weak = self();
    handshake_ = means_.raw->shake_hands(
        target(),
        [weak](RawSockets::Answer answer) {
          if (const auto attempt = weak.lock(); attempt && !attempt->over()) attempt->on_answer(answer);
        },
        error);
    if (!error) return;
    if (is_permission(error)) return finish_later(Outcome::not_run, kNoPermission);
    fail_later(error);
  }

  void on_answer(RawSockets::Answer answer) {
    handshake_.reset();
    if (answer == RawSockets::Answer::reset) return finish_later(Outcome::bad, "connection refused" + way());
    if (only_connects(target().probe, means_.request)) return finish_later(Outcome::good, "answered" + way());
    const std::weak_ptr<HalfOpenAttempt> weak = self();
    direct_ = make_direct_attempt(io(), target(), means_, [weak](const ProbeResult& result) {
      const auto attempt = weak.lock();
      if (!attempt || attempt->over()) return;
      attempt->finish(result.outcome,
                      result.outcome == Outcome::good ? result.detail + ", and through the tunnel" : result.detail);
    });
    direct_->start();
  }

  void close() noexcept override {
    handshake_.reset();
    if (direct_) direct_->cancel();
    direct_.reset();
  }

  std::string missing() const override { return direct_ ? "no end of the direct probe" : "no answer" + way(); }

  std::string way() const { return target().tunnel ? " through the tunnel" : ""; }

  const Means means_;
  std::shared_ptr<RawSockets::Handshake> handshake_;
  std::shared_ptr<Attempt> direct_;
};

class TunnelUdpAttempt final : public Attempt {
 public:
  TunnelUdpAttempt(asio::io_context& io, const Target& target, const Means& means, Done done)
      : Attempt(io, target, std::move(done)),
        means_(means),
        socket_(io),
        expect_(config::parse_payload(target.probe.expect).value_or("")) {}

 private:
  std::shared_ptr<TunnelUdpAttempt> self() { return std::static_pointer_cast<TunnelUdpAttempt>(shared_from_this()); }

  void begin() override {
    error_code error;
    socket_.open(udp::v4(), error);
    if (!error) socket_.bind({udp::v4(), 0}, error);
    if (error) return fail_later(error);
    means_.raw->send_datagram(target(), socket_.local_endpoint(error).port(), means_.request, error);
    if (is_permission(error)) return finish_later(Outcome::not_run, kNoPermission);
    if (error) return fail_later(error);
    receive();
  }

  void receive() {
    socket_.async_receive_from(asio::buffer(buffer_), peer_, [self = self()](const error_code& error, size_t bytes) {
      if (self->over()) return;
      if (error) return self->fail(error);
      const TunnelPath& path = *self->target().tunnel;
      if (self->peer_ != udp::endpoint(asio::ip::address_v4(path.vip.host()), path.port)) return self->receive();
      const std::string_view answer(self->buffer_.data(), bytes);
      if (answer.find(self->expect_) == std::string_view::npos) {
        return self->finish(Outcome::bad, "answered with something else than expected");
      }
      self->finish(Outcome::good, "answered through the tunnel");
    });
  }

  void close() noexcept override {
    error_code ignored;
    socket_.close(ignored);
  }

  std::string missing() const override { return "no answer through the tunnel"; }

  const Means means_;
  udp::socket socket_;
  udp::endpoint peer_;
  const std::string expect_;
  std::array<char, 4096> buffer_{};
};

}  // namespace

std::shared_ptr<Attempt> make_raw_attempt(asio::io_context& io, const Target& target, const Means& means,
                                          Attempt::Done done) {
  if (target.probe.kind == config::ProbeKind::udp) {
    return std::make_shared<TunnelUdpAttempt>(io, target, means, std::move(done));
  }
  return std::make_shared<HalfOpenAttempt>(io, target, means, std::move(done));
}

}  // namespace warmswap::health
