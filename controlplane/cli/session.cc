#include "controlplane/cli/session.h"

#include <fmt/format.h>

#include <boost/json/parse.hpp>

#include "controlplane/api/protocol.h"
#include "controlplane/cli/answer.h"

namespace warmswap::cli {

namespace json = boost::json;

namespace {

std::string take(const contract::Result<Reply>& reply) {
  if (!reply) throw Failure(kExitUnreachable, reply.error());
  if (reply->status >= 200 && reply->status < 300) return reply->body;
  json::error_code fault;
  const json::value parsed = json::parse(reply->body, fault);
  const json::object& object = as_object(parsed);
  if (fault || !has(object, api::field::kError)) {
    throw Failure(kExitRefused, fmt::format("the control plane answered with HTTP status {}", reply->status));
  }
  throw Failure(kExitRefused, text_of(object, api::field::kError));
}

}  // namespace

std::string Session::get(std::string_view target) const {
  return take(client_.call("GET", target));
}

std::string Session::post(std::string_view target, std::string_view body) const {
  return take(client_.call("POST", target, body));
}

json::object parse_answer(const std::string& body) {
  json::error_code fault;
  json::value parsed = json::parse(body, fault);
  if (fault || !parsed.is_object()) {
    throw Failure(kExitUnreachable,
                  "the control plane's answer is not the JSON object expected: is it another program?");
  }
  return std::move(parsed.as_object());
}

}  // namespace warmswap::cli
