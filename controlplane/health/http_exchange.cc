#include "controlplane/health/http_exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address_v4.hpp>
#include <utility>

#include "controlplane/config/text.h"

namespace warmswap::health {

std::string http_host(const Target& target) {
  const std::string& host = target.probe.host;
  if (host.empty()) return boost::asio::ip::address_v4(target.address.host()).to_string();
  const size_t colon = host.rfind(':');
  const bool has_port =
      colon != std::string::npos && colon > 0 && host.find_first_not_of("0123456789", colon + 1) == std::string::npos;
  return has_port ? host.substr(0, colon) : host;
}

std::string http_authority(const Target& target) {
  if (!target.probe.host.empty()) return target.probe.host;
  const std::string address = http_host(target);
  const uint16_t usual = config::over_tls(target.probe) ? 443 : 80;
  // RFC 9110 section 7.2: the default port is left out of Host.
  return target.port == usual ? address : fmt::format("{}:{}", address, target.port);
}

std::string http_request(const Target& target) {
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: warmswap-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n",
      target.probe.path, http_authority(target));
}

HttpExchange::HttpExchange(const config::ProbeConfig& probe, const std::string& request)
    : probe_(probe),
      request_(request),
      response_(probe.expect.empty() ? HttpResponse::Want::status : HttpResponse::Want::body) {}

std::string HttpExchange::take_output() {
  return std::exchange(asked_, true) ? "" : request_;
}

std::optional<Exchange::Verdict> HttpExchange::feed(std::string_view bytes) {
  const HttpResponse::Progress progress = response_.feed(bytes);
  if (progress == HttpResponse::Progress::more) return std::nullopt;
  return judge(progress);
}

Exchange::Verdict HttpExchange::ended() {
  return judge(response_.end());
}

std::string HttpExchange::missing() const {
  return response_.status() >= 200 ? "no end of the HTTP response's body" : "no complete HTTP response header";
}

Exchange::Verdict HttpExchange::judge(HttpResponse::Progress progress) const {
  if (progress == HttpResponse::Progress::malformed) {
    // A connection that closes early is no malformed response; the sentence stands for itself.
    const std::string& problem = response_.problem();
    return {Outcome::bad, problem.starts_with("connection") ? problem : "not a usable HTTP response: " + problem};
  }
  const unsigned status = response_.status();
  const auto& wanted = probe_.expect_status;
  if (std::ranges::find(wanted, status) != wanted.end()) return judge_body();
  std::string list;
  for (const uint16_t code : wanted) list += fmt::format("{}{}", list.empty() ? "" : ", ", code);
  return {Outcome::bad, fmt::format("HTTP status {}, expected {}", status, list)};
}

Exchange::Verdict HttpExchange::judge_body() const {
  const unsigned status = response_.status();
  if (probe_.expect.empty()) return {Outcome::good, fmt::format("HTTP status {}", status)};
  const std::string expected = config::parse_payload(probe_.expect).value_or("");
  if (response_.body().find(expected) != std::string::npos) {
    return {Outcome::good, fmt::format("HTTP status {} and the expected body", status)};
  }
  return {Outcome::bad, fmt::format("HTTP status {}, but the first {} bytes of the body are without {}", status,
                                    response_.body().size(), config::quote(probe_.expect))};
}

}  // namespace warmswap::health
