#include "controlplane/health/http_response.h"

#include <algorithm>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>

namespace warmswap::health {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

constexpr unsigned kSwitchingProtocols = 101;
constexpr const char* kTooLarge = "header larger than 8192 bytes";
static_assert(kHttpHeadLimit == 8192, "kTooLarge names it");

/// Keeps the beginning and lets the rest go. Unlike Beast's string_body it reserves nothing because a peer says so.
struct BeginningOfBody {
  using value_type = std::string;
  class reader {
   public:
    template <bool isRequest, class Fields>
    reader(http::header<isRequest, Fields>&, value_type& body) : body_(body) {}
    void init(const boost::optional<uint64_t>&, error_code& error) { error = {}; }
    template <class Buffers>
    size_t put(const Buffers& buffers, error_code& error) {
      error = {};
      size_t taken = 0;
      for (const boost::asio::const_buffer buffer : boost::beast::buffers_range_ref(buffers)) {
        const size_t room = kHttpBodyLimit - std::min(body_.size(), kHttpBodyLimit);
        body_.append(static_cast<const char*>(buffer.data()), std::min(room, buffer.size()));
        taken += buffer.size();
      }
      return taken;
    }
    void finish(error_code& error) { error = {}; }

   private:
    value_type& body_;
  };
};

}  // namespace

struct HttpResponse::Parser {
  Parser() {
    message.header_limit(kHttpHeadLimit);
    message.body_limit(boost::none);  // else a large Content-Length fails the header
  }
  http::response_parser<BeginningOfBody> message;
};

HttpResponse::HttpResponse(Want want) : want_(want), parser_(std::make_unique<Parser>()) {}
HttpResponse::~HttpResponse() = default;

const std::string& HttpResponse::body() const noexcept {
  return parser_->message.get().body();
}

HttpResponse::Progress HttpResponse::fail(std::string problem) {
  problem_ = std::move(problem);
  return Progress::malformed;
}

HttpResponse::Progress HttpResponse::feed(std::string_view bytes) {
  total_ += bytes.size();
  pending_ += bytes;
  while (!in_body_) {
    error_code error;
    pending_.erase(0, parser_->message.put(boost::asio::buffer(pending_), error));
    const bool needs_more = error == http::error::need_more || (!error && !parser_->message.is_header_done());
    if (error && !needs_more) return fail(error == http::error::header_limit ? kTooLarge : error.message());
    if (!needs_more) {
      status_ = parser_->message.get().result_int();
      in_body_ = status_ >= 200 || status_ == kSwitchingProtocols;
      if (in_body_) break;
      parser_ = std::make_unique<Parser>();
      if (!pending_.empty()) continue;
    }
    return total_ < kHttpHeadLimit ? Progress::more : fail(kTooLarge);
  }
  return want_ == Want::status ? Progress::complete : feed_body();
}

HttpResponse::Progress HttpResponse::feed_body() {
  auto& message = parser_->message;
  message.eager(true);
  while (!pending_.empty() && !message.is_done() && body().size() < kHttpBodyLimit) {
    error_code error;
    const size_t taken = message.put(boost::asio::buffer(pending_), error);
    pending_.erase(0, taken);
    if (error == http::error::need_more) break;
    if (error) return fail(error.message());
    if (taken == 0) break;
  }
  if (pending_.size() > kHttpHeadLimit) return fail("chunk header larger than 8192 bytes");
  return message.is_done() || body().size() >= kHttpBodyLimit ? Progress::complete : Progress::more;
}

HttpResponse::Progress HttpResponse::end() {
  if (!in_body_) return fail("connection closed before the end of an HTTP response header");
  error_code error;
  if (!parser_->message.is_done()) parser_->message.put_eof(error);
  return error ? fail("connection closed before the end of the body") : Progress::complete;
}

}  // namespace warmswap::health
