#include "dataplane/backend/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>

namespace warmswap::backend {

using contract::Error;

std::string to_string(Be32 address) {
  char text[INET_ADDRSTRLEN];
  const uint32_t raw = address.raw();
  return inet_ntop(AF_INET, &raw, text, sizeof text);
}

Result<Be32> parse_address(std::string_view text) {
  uint32_t raw = 0;
  if (inet_pton(AF_INET, std::string(text).c_str(), &raw) != 1)
    return Error{fmt::format("'{}' is not an IPv4 address such as 198.51.100.10", text)};
  return Be32::from_raw(raw);
}

Result<ReportTarget> parse_report_target(std::string_view text) {
  const size_t colon = text.rfind(':');
  const std::string_view digits = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  unsigned port = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const Result<Be32> address = parse_address(text.substr(0, colon));
  if (!address || digits.empty() || failed != std::errc{} || end != digits.data() + digits.size() || port == 0 ||
      port > 65535)
    return Error{fmt::format("'{}' is not an address and a UDP port such as 192.0.2.1:9101", text)};
  return ReportTarget{.address = *address, .port = static_cast<uint16_t>(port)};
}

Result<SourcePrefix> parse_prefix(std::string_view text) {
  const size_t slash = text.find('/');
  Result<Be32> address = parse_address(text.substr(0, slash));
  if (!address) return Error{fmt::format("'{}' is not an IPv4 prefix such as 198.18.0.0/16", text)};
  if (slash == std::string_view::npos) return SourcePrefix{.address = *address};
  const std::string_view digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, failed] = std::from_chars(digits.begin(), digits.end(), length);
  if (failed != std::errc{} || end != digits.end() || length > 32)
    return Error{fmt::format("'{}' is not an IPv4 prefix: expected a length from 0 to 32 after the slash", text)};
  const uint32_t host_bits = length == 32 ? 0 : 0xffffffffu >> length;
  if ((address->host() & host_bits) != 0)
    return Error{fmt::format("'{}' has bits set beyond its length: did you mean {}/{}?", text,
                             to_string(Be32(address->host() & ~host_bits)), length)};
  return SourcePrefix{.address = *address, .length = static_cast<uint8_t>(length)};
}

}  // namespace warmswap::backend
