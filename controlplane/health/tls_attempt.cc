// https: a TLS handshake, the server's certificate where it shall be looked at, then a GET.
#include <openssl/ssl.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include "controlplane/health/attempt.h"
#include "controlplane/health/http_exchange.h"

namespace warmswap::health {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class TlsAttempt final : public Attempt {
 public:
  TlsAttempt(asio::io_context& io, const Target& target, const std::string& request, asio::ssl::context& tls, Done done)
      : Attempt(io, target, std::move(done)), stream_(io, tls), http_(target.probe, request) {}

 private:
  enum class Stage { connecting, shaking_hands, asking };

  std::shared_ptr<TlsAttempt> self() { return std::static_pointer_cast<TlsAttempt>(shared_from_this()); }
  tcp::socket& socket() noexcept { return stream_.next_layer(); }

  void begin() override {
    name_the_server();
    connect_to_target(socket(), [self = self()] { self->shake_hands(); });
  }

  /// SNI, and the name the certificate must have where it is verified.
  void name_the_server() {
    const std::string& name = target().probe.host;
    if (!name.empty()) SSL_set_tlsext_host_name(stream_.native_handle(), name.c_str());
    const std::string expected = name.empty() ? asio::ip::address_v4(target().address.host()).to_string() : name;
    if (target().probe.verify) stream_.set_verify_callback(asio::ssl::host_name_verification(expected));
  }

  void shake_hands() {
    stage_ = Stage::shaking_hands;
    stream_.async_handshake(asio::ssl::stream_base::client, [self = self()](const error_code& error) {
      if (self->over()) return;
      if (error) return self->finish(Outcome::bad, "TLS: " + in_words(error));
      self->ask();
    });
  }

  void ask() {
    stage_ = Stage::asking;
    output_ = http_.take_output();
    asio::async_write(stream_, asio::buffer(output_), [self = self()](const error_code& error, size_t) {
      if (self->over()) return;
      if (error) return self->fail(error);
      self->read_more();
    });
  }

  void read_more() {
    stream_.async_read_some(asio::buffer(buffer_), [self = self()](const error_code& error, size_t bytes) {
      if (self->over()) return;
      // Servers that close without a goodbye of TLS are common; what they said before counts.
      const auto verdict =
          error && bytes == 0 ? std::optional(self->http_.ended()) : self->http_.feed({self->buffer_.data(), bytes});
      if (!verdict) return self->read_more();
      self->finish(verdict->outcome, verdict->detail);
    });
  }

  void close() noexcept override {
    error_code ignored;
    socket().close(ignored);
  }

  std::string missing() const override {
    if (stage_ == Stage::connecting) return "no connection";
    return stage_ == Stage::shaking_hands ? "no end of the TLS handshake" : http_.missing();
  }

  asio::ssl::stream<tcp::socket> stream_;
  std::string output_;
  std::array<char, 2048> buffer_{};
  HttpExchange http_;
  Stage stage_ = Stage::connecting;
};

/// What is wrong with the CA file was found at the start; nothing can be asked with it.
class NoTls final : public Attempt {
 public:
  NoTls(asio::io_context& io, const Target& target, Done done) : Attempt(io, target, std::move(done)) {}

 private:
  void begin() override {
    finish_later(Outcome::not_run, "cannot read the certificates of ca_file " + target().probe.ca_file);
  }
  void close() noexcept override {}
  std::string missing() const override { return "no TLS"; }
};

}  // namespace

std::shared_ptr<Attempt> make_tls_attempt(asio::io_context& io, const Target& target, const std::string& request,
                                          asio::ssl::context* tls, Attempt::Done done) {
  if (tls == nullptr) return std::make_shared<NoTls>(io, target, std::move(done));
  return std::make_shared<TlsAttempt>(io, target, request, *tls, std::move(done));
}

}  // namespace warmswap::health
