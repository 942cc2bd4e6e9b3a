// Over TCP, or TLS over it: what the kind asks, once the connection is there. Where it asks nothing, that is all.
#include <openssl/ssl.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <type_traits>

#include "controlplane/health/attempt.h"
#include "controlplane/health/grpc_call.h"
#include "controlplane/health/http_exchange.h"
#include "controlplane/health/text_exchange.h"

namespace warmswap::health {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using TlsStream = asio::ssl::stream<tcp::socket>;

/// What the kind asks once connected; null where that is nothing.
std::unique_ptr<Exchange> exchange_for(const Target& target, const std::string& request) {
  switch (target.probe.kind) {
    case config::ProbeKind::http:
    case config::ProbeKind::https:
      return std::make_unique<HttpExchange>(target.probe, request);
    case config::ProbeKind::grpc:
      return std::make_unique<GrpcCall>(target);
    default:
      if (request.empty() && target.probe.expect.empty()) return nullptr;
      return std::make_unique<TextExchange>(target.probe, request);
  }
}

/// Servers that close without a goodbye of TLS are common; what they said before counts.
bool is_end(const error_code& error) {
  return error == asio::error::eof || error == asio::ssl::error::stream_truncated;
}

template <typename Stream>
class StreamAttempt final : public Attempt {
 public:
  template <typename... Tls>
  StreamAttempt(asio::io_context& io, const Target& target, const std::string& request, Done done, Tls&... tls)
      : Attempt(io, target, std::move(done)), stream_(io, tls...), request_(request) {}

 private:
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

  std::shared_ptr<StreamAttempt> self() { return std::static_pointer_cast<StreamAttempt>(shared_from_this()); }

  void begin() override {
    connect_to_target(stream_.lowest_layer(), [self = self()] {
      if constexpr (kTls) {
        self->shake_hands();
      } else {
        self->ask();
      }
    });
  }

  void close() noexcept override {
    error_code ignored;
    stream_.lowest_layer().close(ignored);
  }

  std::string missing() const override {
    if (exchange_) return exchange_->missing();
    return shaking_hands_ ? "no end of the TLS handshake" : "no connection";
  }

  void shake_hands() {
    shaking_hands_ = true;
    name_the_server();
    offer_protocol();
    stream_.async_handshake(asio::ssl::stream_base::client, [self = self()](const error_code& error) {
      if (self->over()) return;
      if (error) return self->finish(Outcome::bad, "TLS: " + in_words(error));
      self->ask();
    });
  }

  /// SNI, and the name the certificate must have where it is verified.
  void name_the_server() {
    const std::string name = http_host(target());
    error_code no_address;
    asio::ip::make_address(name, no_address);
    // Addresses are not asked for (RFC 6066 section 3).
    if (no_address) SSL_set_tlsext_host_name(stream_.native_handle(), name.c_str());
    if (target().probe.verify) stream_.set_verify_callback(asio::ssl::host_name_verification(name));
  }

  /// HTTP/2 over TLS is agreed on by ALPN (RFC 9113 section 3.2). A server that knows nothing of it may still speak it.
  void offer_protocol() {
    if (target().probe.kind != config::ProbeKind::grpc) return;
    constexpr std::array<unsigned char, 3> kHttp2 = {2, 'h', '2'};
    SSL_set_alpn_protos(stream_.native_handle(), kHttp2.data(), kHttp2.size());
  }

  void ask() {
    exchange_ = exchange_for(target(), request_);
    if (!exchange_) return finish(Outcome::good, kTls ? "connected over TLS" : "connected");
    go_on();
  }

  /// Says what there is to say, then listens.
  void go_on() {
    output_ = exchange_->take_output();
    if (output_.empty()) return read_more();
    asio::async_write(stream_, asio::buffer(output_), [self = self()](const error_code& result, size_t) {
      if (self->over()) return;
      // A server may answer and close without reading the request: what it said counts, so an error here shows on
      // reading.
      if (result && is_local(result)) return self->fail(result);
      self->read_more();
    });
  }

  void read_more() {
    stream_.async_read_some(asio::buffer(buffer_), [self = self()](const error_code& error, size_t bytes) {
      if (self->over()) return;
      if (error && !is_end(error)) return self->fail(error);
      const auto verdict =
          error ? std::optional(self->exchange_->ended()) : self->exchange_->feed({self->buffer_.data(), bytes});
      if (!verdict) return self->go_on();
      self->finish(verdict->outcome, verdict->detail);
    });
  }

  Stream stream_;
  const std::string& request_;
  std::unique_ptr<Exchange> exchange_;
  std::string output_;
  std::array<char, 2048> buffer_;
  bool shaking_hands_ = false;
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

std::shared_ptr<Attempt> make_stream_attempt(asio::io_context& io, const Target& target, const Means& means,
                                             Attempt::Done done) {
  if (!config::over_tls(target.probe)) {
    return std::make_shared<StreamAttempt<tcp::socket>>(io, target, means.request, std::move(done));
  }
  if (means.tls == nullptr) return std::make_shared<NoTls>(io, target, std::move(done));
  return std::make_shared<StreamAttempt<TlsStream>>(io, target, means.request, std::move(done), *means.tls);
}

}  // namespace warmswap::health
