#include "controlplane/health/response_head.h"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace warmswap::health {
namespace {

namespace http = boost::beast::http;

constexpr unsigned kSwitchingProtocols = 101;
constexpr const char* kTooLarge = "header larger than 8192 bytes";
static_assert(kResponseHeadLimit == 8192, "kTooLarge names it");

}  // namespace

struct ResponseHead::Parser {
  Parser() {
    message.header_limit(kResponseHeadLimit);
    message.body_limit(boost::none);  // else a large Content-Length fails the header
  }
  http::response_parser<http::empty_body> message;
};

ResponseHead::ResponseHead() : parser_(std::make_unique<Parser>()) {}
ResponseHead::~ResponseHead() = default;

ResponseHead::Progress ResponseHead::feed(std::string_view bytes) {
  total_ += bytes.size();
  pending_ += bytes;
  for (;;) {
    boost::system::error_code error;
    pending_.erase(0, parser_->message.put(boost::asio::buffer(pending_), error));
    const bool needs_more = error == http::error::need_more || (!error && !parser_->message.is_header_done());
    if (error && !needs_more) {
      problem_ = error == http::error::header_limit ? kTooLarge : error.message();
      return Progress::malformed;
    }
    if (!needs_more) {
      status_ = parser_->message.get().result_int();
      if (status_ >= 200 || status_ == kSwitchingProtocols) return Progress::complete;
      parser_ = std::make_unique<Parser>();
      if (!pending_.empty()) continue;
    }
    if (total_ < kResponseHeadLimit) return Progress::more;
    problem_ = kTooLarge;
    return Progress::malformed;
  }
}

}  // namespace warmswap::health
