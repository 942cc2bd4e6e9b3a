// Over plain TCP: tcp, where opening the connection is all; http and grpc, which ask something over it.
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "controlplane/health/attempt.h"
#include "controlplane/health/grpc_call.h"
#include "controlplane/health/http_exchange.h"

namespace warmswap::health {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// What the kind asks once connected; null where that is nothing.
std::unique_ptr<Exchange> exchange_for(const Target& target, const std::string& request) {
  switch (target.probe.kind) {
    case config::ProbeKind::http:
      return std::make_unique<HttpExchange>(target.probe, request);
    case config::ProbeKind::grpc:
      return std::make_unique<GrpcCall>(http_authority(target), target.probe.service);
    default:
      return nullptr;
  }
}

class StreamAttempt final : public Attempt {
 public:
  StreamAttempt(asio::io_context& io, const Target& target, const std::string& request, Done done)
      : Attempt(io, target, std::move(done)), socket_(io), request_(request) {}

 private:
  std::shared_ptr<StreamAttempt> self() { return std::static_pointer_cast<StreamAttempt>(shared_from_this()); }

  void begin() override {
    connect_to_target(socket_, [self = self()] { self->on_connected(); });
  }

  void close() noexcept override {
    error_code ignored;
    socket_.close(ignored);
  }

  std::string missing() const override { return exchange_ ? exchange_->missing() : "no connection"; }

  void on_connected() {
    exchange_ = exchange_for(target(), request_);
    if (!exchange_) return finish(Outcome::good, "connected");
    go_on();
  }

  /// Says what there is to say, then listens.
  void go_on() {
    output_ = exchange_->take_output();
    if (output_.empty()) return read_more();
    asio::async_write(socket_, asio::buffer(output_), [self = self()](const error_code& result, size_t) {
      if (self->over()) return;
      // A server may answer and close without reading the request: what it said counts, so an error here shows on
      // reading.
      if (result && is_local(result)) return self->fail(result);
      self->read_more();
    });
  }

  void read_more() {
    socket_.async_read_some(asio::buffer(buffer_), [self = self()](const error_code& error, size_t bytes) {
      if (self->over()) return;
      if (error && error != asio::error::eof) return self->fail(error);
      const auto verdict =
          error ? std::optional(self->exchange_->ended()) : self->exchange_->feed({self->buffer_.data(), bytes});
      if (!verdict) return self->go_on();
      self->finish(verdict->outcome, verdict->detail);
    });
  }

  tcp::socket socket_;
  const std::string& request_;
  std::unique_ptr<Exchange> exchange_;
  std::string output_;
  std::array<char, 2048> buffer_;
};

}  // namespace

std::shared_ptr<Attempt> make_stream_attempt(asio::io_context& io, const Target& target, const std::string& request,
                                             Attempt::Done done) {
  return std::make_shared<StreamAttempt>(io, target, request, std::move(done));
}

}  // namespace warmswap::health
