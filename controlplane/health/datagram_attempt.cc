// udp: a datagram is answered. icmp: an echo is.
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "controlplane/config/text.h"
#include "controlplane/health/attempt.h"

namespace warmswap::health {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::error_code;

class UdpAttempt final : public Attempt {
 public:
  UdpAttempt(asio::io_context& io, const Target& target, const std::string& request, Done done)
      : Attempt(io, target, std::move(done)),
        socket_(io),
        request_(request),
        expect_(config::parse_payload(target.probe.expect).value_or("")) {}

 private:
  std::shared_ptr<UdpAttempt> self() { return std::static_pointer_cast<UdpAttempt>(shared_from_this()); }

  void begin() override {
    error_code error;
    socket_.open(udp::v4(), error);
    // Connected, so that answers from elsewhere are not heard and ICMP errors are.
    if (!error) socket_.connect({asio::ip::address_v4(target().address.host()), target().port}, error);
    if (!error) socket_.send(asio::buffer(request_), 0, error);
    if (error) return fail_later(error);
    receive();
  }

  void receive() {
    socket_.async_receive(asio::buffer(buffer_), [self = self()](const error_code& error, size_t bytes) {
      if (self->over()) return;
      if (error) return self->fail(error);
      const std::string_view answer(self->buffer_.data(), bytes);
      if (answer.find(self->expect_) != std::string_view::npos) return self->finish(Outcome::good, "answered");
      self->finish(Outcome::bad, "answered with something else than expected");
    });
  }

  void close() noexcept override {
    error_code ignored;
    socket_.close(ignored);
  }

  std::string missing() const override { return "no answer"; }

  udp::socket socket_;
  const std::string& request_;
  const std::string expect_;
  std::array<char, 4096> buffer_{};
};

/// A ping socket (icmp(7), net.ipv4.ping_group_range): the kernel makes the identifier and gives back only what answers
/// it.
class IcmpAttempt final : public Attempt {
 public:
  IcmpAttempt(asio::io_context& io, const Target& target, Done done)
      : Attempt(io, target, std::move(done)), socket_(io) {}

 private:
  std::shared_ptr<IcmpAttempt> self() { return std::static_pointer_cast<IcmpAttempt>(shared_from_this()); }

  void begin() override {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (fd < 0 && (errno == EACCES || errno == EPERM)) {
      return finish_later(Outcome::not_run,
                          "no permission for ICMP: net.ipv4.ping_group_range must include this process's group");
    }
    if (fd < 0) return fail_later(last_error());
    error_code error;
    socket_.assign(fd, error);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(target().address.host());
    icmphdr echo{};
    echo.type = ICMP_ECHO;
    echo.un.echo.sequence = htons(1);
    const bool sent = connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0 &&
                      send(fd, &echo, sizeof(echo), 0) == static_cast<ssize_t>(sizeof(echo));
    if (!sent) return fail_later(last_error());
    receive();
  }

  void receive() {
    socket_.async_read_some(asio::buffer(buffer_), [self = self()](const error_code& error, size_t bytes) {
      if (self->over()) return;
      if (error) return self->fail(error);
      icmphdr header{};
      if (bytes >= sizeof(header)) std::memcpy(&header, self->buffer_.data(), sizeof(header));
      if (bytes < sizeof(header) || header.type != ICMP_ECHOREPLY) return self->receive();
      self->finish(Outcome::good, "echo answered");
    });
  }

  void close() noexcept override {
    error_code ignored;
    socket_.close(ignored);
  }

  std::string missing() const override { return "no echo"; }

  asio::posix::stream_descriptor socket_;
  std::array<char, 256> buffer_{};
};

}  // namespace

std::shared_ptr<Attempt> make_udp_attempt(asio::io_context& io, const Target& target, const Means& means,
                                          Attempt::Done done) {
  return std::make_shared<UdpAttempt>(io, target, means.request, std::move(done));
}

std::shared_ptr<Attempt> make_icmp_attempt(asio::io_context& io, const Target& target, Attempt::Done done) {
  return std::make_shared<IcmpAttempt>(io, target, std::move(done));
}

}  // namespace warmswap::health
