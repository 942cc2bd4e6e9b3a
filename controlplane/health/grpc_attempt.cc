// grpc: the standard health check of a gRPC server answers SERVING.
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

class GrpcAttempt final : public Attempt {
 public:
  GrpcAttempt(asio::io_context& io, const Target& target, Done done)
      : Attempt(io, target, std::move(done)), socket_(io), call_(http_authority(target), target.probe.service) {}

 private:
  std::shared_ptr<GrpcAttempt> self() { return std::static_pointer_cast<GrpcAttempt>(shared_from_this()); }

  void begin() override {
    error_code error;
    socket_.open(tcp::v4(), error);
    if (!error) socket_.set_option(asio::socket_base::linger(true, 0), error);
    if (error) return fail_later(error);
    socket_.async_connect({asio::ip::address_v4(target().address.host()), target().port},
                          [self = self()](const error_code& result) {
                            if (self->over()) return;
                            if (result) return self->fail(result);
                            self->connected_ = true;
                            self->send_and_read();
                          });
  }

  void send_and_read() {
    output_ = call_.take_output();
    if (output_.empty()) return read_more();
    asio::async_write(socket_, asio::buffer(output_), [self = self()](const error_code& result, size_t) {
      if (self->over()) return;
      if (result && is_local(result)) return self->fail(result);
      self->read_more();
    });
  }

  void read_more() {
    socket_.async_read_some(asio::buffer(buffer_), [self = self()](const error_code& error, size_t bytes) {
      if (self->over()) return;
      if (error && error != asio::error::eof) return self->fail(error);
      const auto verdict = error ? std::optional(self->call_.ended()) : self->call_.feed({self->buffer_.data(), bytes});
      if (!verdict) return self->send_and_read();
      self->finish(verdict->outcome, verdict->detail);
    });
  }

  void close() noexcept override {
    error_code ignored;
    socket_.close(ignored);
  }

  std::string missing() const override { return connected_ ? "no answer" : "no connection"; }

  tcp::socket socket_;
  GrpcCall call_;
  std::string output_;
  std::array<char, 2048> buffer_{};
  bool connected_ = false;
};

}  // namespace

std::shared_ptr<Attempt> make_grpc_attempt(asio::io_context& io, const Target& target, Attempt::Done done) {
  return std::make_shared<GrpcAttempt>(io, target, std::move(done));
}

}  // namespace warmswap::health
