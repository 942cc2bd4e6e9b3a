#include "controlplane/health/http_exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address_v4.hpp>

namespace warmswap::health {

std::string http_request(const Target& target) {
  const std::string address = boost::asio::ip::address_v4(target.address.host()).to_string();
  const uint16_t usual = target.probe.kind == config::ProbeKind::https ? 443 : 80;
  // RFC 9110 section 7.2: the default port is left out of Host.
  const std::string fallback = target.port == usual ? address : fmt::format("{}:{}", address, target.port);
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: warmswap-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n",
      target.probe.path, target.probe.host.empty() ? fallback : target.probe.host);
}

std::optional<HttpExchange::Verdict> HttpExchange::feed(size_t bytes) {
  switch (head_.feed({buffer_.data(), bytes})) {
    case ResponseHead::Progress::more:
      return std::nullopt;
    case ResponseHead::Progress::complete:
      return judge();
    case ResponseHead::Progress::malformed:
      break;
  }
  return Verdict{Outcome::bad, fmt::format("not a usable HTTP response: {}", head_.problem())};
}

HttpExchange::Verdict HttpExchange::ended() const {
  return {Outcome::bad, "connection closed before the end of an HTTP response header"};
}

HttpExchange::Verdict HttpExchange::judge() const {
  const unsigned status = head_.status();
  const auto& wanted = probe_.expect_status;
  if (std::ranges::find(wanted, status) != wanted.end()) return {Outcome::good, fmt::format("HTTP status {}", status)};
  std::string list;
  for (const uint16_t code : wanted) list += fmt::format("{}{}", list.empty() ? "" : ", ", code);
  return {Outcome::bad, fmt::format("HTTP status {}, expected {}", status, list)};
}

}  // namespace warmswap::health
