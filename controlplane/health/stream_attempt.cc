// tcp: a connection can be opened. http: and a GET is answered with an expected status.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "controlplane/health/attempt.h"
#include "controlplane/health/http_exchange.h"

namespace warmswap::health {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class StreamAttempt final : public Attempt {
 public:
  StreamAttempt(asio::io_context& io, const Target& target, const std::string& request, Done done)
      : Attempt(io, target, std::move(done)), socket_(io), request_(request) {}

 private:
  std::shared_ptr<StreamAttempt> self() { return std::static_pointer_cast<StreamAttempt>(shared_from_this()); }

  void begin() override {
    error_code error;
    socket_.open(tcp::v4(), error);
    if (!error) socket_.set_option(asio::socket_base::linger(true, 0), error);
    if (error) return fail_later(error);
    socket_.async_connect({asio::ip::address_v4(target().address.host()), target().port},
                          [self = self()](const error_code& result) { self->on_connected(result); });
  }

  void close() noexcept override {
    error_code ignored;
    socket_.close(ignored);
  }

  std::string missing() const override { return http_ ? http_->missing() : "no connection"; }

  void on_connected(const error_code& error) {
    if (over()) return;
    if (error) return fail(error);
    if (target().probe.kind == config::ProbeKind::tcp) return finish(Outcome::good, "connected");
    http_ = std::make_unique<HttpExchange>(target().probe);
    asio::async_write(socket_, asio::buffer(request_), [self = self()](const error_code& result, size_t) {
      if (self->over()) return;
      // A server may answer and close without reading the request: what it said counts, so an error here shows on
      // reading.
      if (result && is_local(result)) return self->fail(result);
      self->read_more();
    });
  }

  void read_more() {
    socket_.async_read_some(asio::buffer(http_->buffer()), [self = self()](const error_code& error, size_t bytes) {
      if (self->over()) return;
      if (error && error != asio::error::eof) return self->fail(error);
      const auto verdict = error ? std::optional(self->http_->ended()) : self->http_->feed(bytes);
      if (!verdict) return self->read_more();
      self->finish(verdict->outcome, verdict->detail);
    });
  }

  tcp::socket socket_;
  const std::string& request_;
  std::unique_ptr<HttpExchange> http_;
};

}  // namespace

std::shared_ptr<Attempt> make_stream_attempt(asio::io_context& io, const Target& target, const std::string& request,
                                             Attempt::Done done) {
  return std::make_shared<StreamAttempt>(io, target, request, std::move(done));
}

}  // namespace warmswap::health
