#include "controlplane/api/server.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <optional>
#include <set>

#include "controlplane/api/listen.h"

namespace warmswap::api {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using contract::Error;
using contract::Result;
// Any stream socket, so that one instantiation of all this serves UNIX and TCP.
using Protocol = asio::generic::stream_protocol;
using Stream = beast::basic_stream<Protocol>;
using Acceptor = asio::basic_socket_acceptor<Protocol>;
using Parser = http::request_parser<http::string_body>;

namespace {

// Of the read buffer: what was read ahead of the parser. Bounds chunk extensions and trailers, too.
constexpr size_t kBufferBytes = 64 * 1024;
constexpr size_t kReadBytes = 4096;
// After a failed accept (out of descriptors): time for others to give theirs back.
constexpr std::chrono::milliseconds kAcceptPause{100};

constexpr auto kAwaitable = asio::as_tuple(asio::use_awaitable);

struct Listener {
  Acceptor acceptor;
  bool read_only;
  size_t open = 0;  // connections, those being told 503 included
};

}  // namespace

struct Server::Core {
  asio::io_context& context;
  ServerOptions options;
  Handler handler;
  bool stopped = false;
  SocketFile file;
  std::unique_ptr<Listener> control;
  std::unique_ptr<Listener> readers;
  uint16_t tcp_port = 0;
  std::set<Stream*> streams;

  Core(asio::io_context& io, ServerOptions settings, Handler answer)
      : context(io), options(std::move(settings)), handler(std::move(answer)) {}
};

namespace {

/// What to tell a peer whose request could not be read, or nothing when it is gone or was too slow.
std::optional<Response> fault_response(error_code fault, const ServerOptions& options) {
  static const auto& http_faults = http::make_error_code(http::error::bad_method).category();
  if (fault.category() != http_faults || fault == http::error::end_of_stream) return std::nullopt;
  if (fault == http::error::body_limit) {
    return error_response(413, fmt::format("the body is larger than {} bytes", options.max_body_bytes));
  }
  if (fault == http::error::header_limit || fault == http::error::buffer_overflow) {
    return error_response(431,
                          fmt::format("request line and headers are larger than {} bytes", options.max_header_bytes));
  }
  if (fault == http::error::partial_message) return error_response(400, "the request ended before it was complete");
  return error_response(400, fmt::format("not an HTTP/1.1 request: {}", fault.message()));
}

/// How an answer is framed.
struct Framing {
  unsigned version = 11;  // 10 or 11
  bool head = false;      // leave the body out
  bool keep_alive = false;
};

/// One connection: requests in turn, each answered before the next is read. Pipelined ones wait in the buffer.
class Connection {
 public:
  Connection(std::shared_ptr<Server::Core> core, Listener& listener, Protocol::socket socket);
  ~Connection();
  asio::awaitable<void> run();

 private:
  asio::awaitable<bool> serve_one();
  asio::awaitable<error_code> read_request(Parser& parser);
  asio::awaitable<bool> write(Response response, Framing framing);
  asio::awaitable<void> linger();

  std::shared_ptr<Server::Core> core_;
  Listener& listener_;
  Stream stream_;
  beast::flat_buffer buffer_{kBufferBytes};
};

Connection::Connection(std::shared_ptr<Server::Core> core, Listener& listener, Protocol::socket socket)
    : core_(std::move(core)), listener_(listener), stream_(std::move(socket)) {
  core_->streams.insert(&stream_);
  ++listener_.open;
}

Connection::~Connection() {
  core_->streams.erase(&stream_);
  --listener_.open;
}

asio::awaitable<void> Connection::run() {
  if (listener_.open > core_->options.max_connections) {
    co_await write(error_response(503, fmt::format("more than {} connections at once, try again later",
                                                   core_->options.max_connections)),
                   {});
  } else {
    bool more = true;
    while (more) more = co_await serve_one();
  }
  co_await linger();
}

/// True when the connection may carry another request.
asio::awaitable<bool> Connection::serve_one() {
  Parser parser;
  parser.header_limit(core_->options.max_header_bytes);
  parser.body_limit(core_->options.max_body_bytes);
  const error_code fault = co_await read_request(parser);
  if (core_->stopped) co_return false;
  if (fault) {
    const auto response = fault_response(fault, core_->options);
    if (response) co_await write(*response, {});
    co_return false;
  }
  auto& message = parser.get();
  const Request request{.method = message.method_string(),
                        .target = message.target(),
                        .content_type = message[http::field::content_type],
                        .body = std::move(message.body()),
                        .read_only = listener_.read_only};
  const Framing framing{.version = message.version(),
                        .head = message.method() == http::verb::head,
                        .keep_alive = parser.is_done() && message.keep_alive()};
  co_return co_await write(core_->handler(request), framing);
}

/// Reads one request; leaves the body out, and the parser not done, where it would be refused anyway.
asio::awaitable<error_code> Connection::read_request(Parser& parser) {
  if (buffer_.size() == 0) {
    stream_.expires_after(core_->options.idle_timeout);
    const auto [fault, bytes] = co_await stream_.async_read_some(buffer_.prepare(kReadBytes), kAwaitable);
    if (fault) co_return fault;
    buffer_.commit(bytes);
  }
  stream_.expires_after(core_->options.header_timeout);
  const auto [header_fault, header_bytes] = co_await http::async_read_header(stream_, buffer_, parser, kAwaitable);
  if (header_fault) co_return header_fault;
  const auto& message = parser.get();
  if (parser.is_done() || (listener_.read_only && !safe_method(std::string_view(message.method_string())))) {
    co_return error_code{};
  }
  if (message.version() >= 11 && beast::iequals(message[http::field::expect], "100-continue")) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto [fault, bytes] = co_await asio::async_write(stream_, asio::buffer(kContinue), kAwaitable);
    if (fault) co_return fault;
  }
  stream_.expires_after(core_->options.body_timeout);
  const auto [body_fault, body_bytes] = co_await http::async_read(stream_, buffer_, parser, kAwaitable);
  co_return body_fault;
}

/// True when the answer is out and the connection stays.
asio::awaitable<bool> Connection::write(Response response, Framing framing) {
  http::response<http::string_body> message(static_cast<http::status>(response.status), framing.version);
  message.set(http::field::server, "warmswap");
  message.set(http::field::content_type, response.content_type);
  message.set(http::field::cache_control, "no-store");
  if (!response.allow.empty()) message.set(http::field::allow, response.allow);
  message.keep_alive(framing.keep_alive);
  message.content_length(response.body.size());
  if (!framing.head) message.body() = std::move(response.body);
  stream_.expires_after(core_->options.write_timeout);
  const auto [fault, bytes] = co_await http::async_write(stream_, message, kAwaitable);
  co_return !fault && framing.keep_alive;
}

/// Closes so that the peer can still read the last answer: closing with unread input would reset the connection and
/// take the answer with it (RFC 9112 section 9.6).
asio::awaitable<void> Connection::linger() {
  error_code ignored;
  stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
  stream_.expires_after(core_->options.linger_timeout);
  bool open = !core_->stopped;
  while (open) {
    buffer_.clear();
    const auto [fault, bytes] = co_await stream_.async_read_some(buffer_.prepare(kReadBytes), kAwaitable);
    open = !fault && !core_->stopped;
  }
}

asio::awaitable<void> run_connection(std::unique_ptr<Connection> connection) {
  co_await connection->run();
}

/// Takes connections until the server stops. Twice as many as are served may be open, the rest being told 503; beyond
/// that a connection is closed without a word.
asio::awaitable<void> accept_all(std::shared_ptr<Server::Core> core, Listener& listener) {
  asio::steady_timer pause(core->context);
  while (!core->stopped) {
    auto [fault, socket] = co_await listener.acceptor.async_accept(kAwaitable);
    if (core->stopped) break;
    if (fault == asio::error::connection_aborted) continue;
    if (fault) {
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(kAwaitable);
      continue;
    }
    if (listener.open >= 2 * core->options.max_connections) continue;
    asio::co_spawn(core->context, run_connection(std::make_unique<Connection>(core, listener, std::move(socket))),
                   asio::detached);
  }
}

std::unique_ptr<Listener> make_listener(asio::io_context& context, contract::Descriptor descriptor, bool read_only) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  getsockname(descriptor.get(), reinterpret_cast<sockaddr*>(&address), &length);
  auto listener = std::make_unique<Listener>(Listener{Acceptor(context), read_only});
  listener->acceptor.assign(Protocol(address.ss_family, 0), descriptor.release());
  return listener;
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(asio::io_context& context, ServerOptions options, Handler handler) {
  auto core = std::make_shared<Core>(context, std::move(options), std::move(handler));
  auto control = listen_unix(core->options.socket_path, core->options.group);
  if (!control) return Error{control.error()};
  core->file = std::move(control->file);
  core->control = make_listener(context, std::move(control->descriptor), false);
  if (!core->options.listen_address.empty()) {
    auto readers = listen_tcp(core->options.listen_address, core->options.listen_port);
    if (!readers) return Error{readers.error()};
    core->tcp_port = bound_port(readers->get());
    core->readers = make_listener(context, std::move(readers).value(), true);
    asio::co_spawn(context, accept_all(core, *core->readers), asio::detached);
  }
  asio::co_spawn(context, accept_all(core, *core->control), asio::detached);
  return std::unique_ptr<Server>(new Server(std::move(core)));
}

Server::Server(std::shared_ptr<Core> core) : core_(std::move(core)) {}

Server::~Server() {
  stop();
}

void Server::stop() {
  if (std::exchange(core_->stopped, true)) return;
  core_->file.remove();
  error_code ignored;
  core_->control->acceptor.close(ignored);
  if (core_->readers) core_->readers->acceptor.close(ignored);
  for (Stream* stream : core_->streams) stream->close();
}

uint16_t Server::tcp_port() const noexcept {
  return core_->tcp_port;
}

}  // namespace warmswap::api
