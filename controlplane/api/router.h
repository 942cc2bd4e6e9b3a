// From a request to an answer, as values: knows the endpoints and what each asks for, not sockets or HTTP framing.
// Used from the control plane's one thread.
#pragma once

#include <string>
#include <string_view>

#include "controlplane/api/service.h"

namespace warmswap::api {

struct Request {
  std::string method;  // "GET", "POST", … as sent
  std::string target;
  std::string content_type;  // empty = none given
  std::string body;
  bool read_only = false;  // arrived where changes are not taken, nor questions that only operators may ask
};

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;   // of the GET, for HEAD too: the server leaves it out and keeps its length
  std::string allow;  // Allow header; empty = none
};

/// Whether a method may change nothing (RFC 9110 section 9.2.1) as far as this interface serves it.
bool safe_method(std::string_view method) noexcept;

Response error_response(unsigned status, std::string_view sentence);

class Router {
 public:
  /// `control_socket` is named in the refusal of a change, or of explain, that arrives on the read-only listener.
  Router(Service& service, std::string control_socket)
      : service_(service), control_socket_(std::move(control_socket)) {}

  /// Never throws: what the service throws becomes a 500 with its sentence.
  Response handle(const Request& request) const;

 private:
  Service& service_;
  std::string control_socket_;
};

}  // namespace warmswap::api
