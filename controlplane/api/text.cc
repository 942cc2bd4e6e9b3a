#include "controlplane/api/text.h"

#include <fmt/format.h>

#include <charconv>
#include <ctime>

namespace warmswap::api {

using namespace std::chrono;

namespace {

/// Bytes of the well-formed UTF-8 sequence at the start of `text`, 0 when there is none (RFC 3629 section 4).
size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length == 0 || length > text.size()) return 0;
  // The second byte's range excludes overlong forms, surrogates and what lies beyond U+10FFFF.
  const unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

std::string format_address(contract::Be32 address) {
  const uint32_t host = address.host();
  return fmt::format("{}.{}.{}.{}", host >> 24, host >> 16 & 0xff, host >> 8 & 0xff, host & 0xff);
}

std::optional<contract::Be32> parse_address(std::string_view text) {
  uint32_t host = 0;
  for (int part = 0; part < 4; ++part) {
    const size_t end = part < 3 ? text.find('.') : text.size();
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view digits = text.substr(0, end);
    // A leading zero means octal to some readers: refused, so that nobody has to guess.
    if (digits.size() > 1 && digits[0] == '0') return std::nullopt;
    const auto value = parse_number(digits, 255);
    if (!value) return std::nullopt;
    host = host << 8 | static_cast<uint32_t>(*value);
    text.remove_prefix(part < 3 ? end + 1 : end);
  }
  return contract::Be32(host);
}

std::string format_mac(const contract::MacAddress& mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

std::string format_protocol(uint8_t protocol) {
  if (protocol == contract::kProtoTcp) return "tcp";
  if (protocol == contract::kProtoUdp) return "udp";
  return fmt::format("{}", protocol);
}

std::optional<uint8_t> parse_protocol(std::string_view text) {
  if (text == "tcp") return contract::kProtoTcp;
  if (text == "udp") return contract::kProtoUdp;
  return std::nullopt;
}

std::string format_time(system_clock::time_point time) {
  const auto whole = floor<seconds>(time);
  const auto fraction = duration_cast<microseconds>(time - whole).count();
  const std::time_t epoch = system_clock::to_time_t(whole);
  std::tm utc{};
  gmtime_r(&epoch, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, fraction);
}

std::optional<uint64_t> parse_number(std::string_view text, uint64_t max) {
  uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, value);
  if (text.empty() || fault != std::errc{} || stop != end || value > max) return std::nullopt;
  return value;
}

std::string valid_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const size_t length = utf8_sequence(text);
    if (length == 0) {
      result += "\xef\xbf\xbd";
      text.remove_prefix(1);
    } else {
      result += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return result;
}

std::string shorten(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  size_t cut = max_bytes;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
  return std::string(text.substr(0, cut)) + "…";
}

}  // namespace warmswap::api
