#include "controlplane/config/rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "controlplane/config/text.h"

namespace warmswap::config {
namespace {

using contract::Error;
using contract::Result;

constexpr std::string_view kNameRule = "expected 1 to 63 characters out of A-Z a-z 0-9 . _ -";

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !text.empty() && text.size() <= kLongestName && std::all_of(text.begin(), text.end(), allowed);
}

/// What a request line or header field may carry without splitting it (RFC 9112 sections 3 and 5).
bool is_printable_word(std::string_view text, size_t longest) {
  return text.size() <= longest && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

/// Neither "this network" (RFC 1122), multicast, reserved nor broadcast.
bool is_host_address(Be32 address) {
  const uint32_t first = address.host() >> 24;
  return first != 0 && first < 224;
}
bool is_loopback(Be32 address) {
  return address.host() >> 24 == 127;
}

constexpr std::string_view kHostAddressRule =
    "expected an address of a host, not one of 0.0.0.0/8, multicast (224.0.0.0/4) or reserved (240.0.0.0/4)";

void check_address(Findings& out, const std::string& key, Be32 address) {
  if (!is_host_address(address)) {
    out.push_back(wrong(key, quote(format_address(address)), kHostAddressRule));
  } else if (is_loopback(address)) {
    out.push_back(warn(key, "a loopback address is reached by probes on this host, never by forwarded packets"));
  }
}

void check_name_at(Findings& out, const std::string& key, std::string_view name) {
  if (!is_name(name)) out.push_back(wrong(key, quote(name), kNameRule));
}

}  // namespace

std::string item_key(std::string_view parent, std::string_view name) {
  return fmt::format("{}.{}", parent, is_name(name) ? std::string(name) : quote(name));
}

Result<void> check_name(std::string_view name) {
  if (is_name(name)) return {};
  return Error{fmt::format("{}: {}", quote(name), kNameRule)};
}

Result<void> check_weight(int64_t weight) {
  if (kWeight.holds(weight)) return {};
  return Error{fmt::format("{}: {}", weight, expected(kWeight))};
}

Result<void> check_backend_address(Be32 address) {
  if (is_host_address(address)) return {};
  return Error{fmt::format("\"{}\": {}", format_address(address), kHostAddressRule)};
}

Findings check_backend(const BackendConfig& backend, const std::string& key) {
  Findings out;
  check_name_at(out, key + ".name", backend.name);
  check_address(out, key + ".address", backend.address);
  check_number(out, key + ".weight", backend.weight, kWeight);
  if (backend.role == Role::hot && backend.capacity > 0 && backend.capacity < backend.weight) {
    out.push_back(
        warn(key + ".capacity", fmt::format("{} is less than the weight, {}: its own share is already too much",
                                            backend.capacity, backend.weight)));
    out.back().depends = {key + ".weight", key + ".role"};
  }
  if (!backend.domain.empty()) check_name_at(out, key + ".domain", backend.domain);
  if (backend.role == Role::warm && !backend.standby.empty()) {
    out.push_back(wrong(key + ".standby", quote(backend.standby), "expected only on a hot backend"));
    out.back().depends = {key + ".role"};
  }
  if (backend.probe) append(out, check_probe(*backend.probe, key + ".probe"));
  return out;
}

bool is_http_path(std::string_view path) {
  return path.starts_with('/') && is_printable_word(path, 1024);
}

void check_payload(Findings& out, const std::string& key, const std::string& text) {
  if (parse_payload(text) && text.size() <= kLongestPayload) return;
  out.push_back(
      wrong(key, quote(text),
            "expected at most 2048 characters of text, or \"hex:\" and an even number of hexadecimal digits"));
}

namespace {

Findings check_command(const ProbeConfig& probe, const std::string& key) {
  Findings out;
  if (probe.kind != ProbeKind::exec) return out;
  if (probe.command.empty()) {
    out.push_back({key + ".command", " is missing: expected the program an exec probe runs, and its arguments"});
    out.back().depends = {key + ".kind"};
  } else if (!probe.command.front().starts_with('/')) {
    out.push_back(wrong(key + ".command", quote(probe.command.front()),
                        "expected the program by its whole path; no shell looks for it"));
  }
  return out;
}

}  // namespace

Findings check_probe(const ProbeConfig& probe, const std::string& key) {
  Findings out;
  check_duration(out, key + ".interval", probe.interval, kInterval);
  check_duration(out, key + ".timeout", probe.timeout, kTimeout);
  if (probe.timeout > probe.interval) {
    out.push_back(wrong(key + ".timeout", quote(format_duration(probe.timeout)),
                        fmt::format("expected at most the interval, {}, so that probes never overlap",
                                    format_duration(probe.interval))));
    out.back().depends = {key + ".interval"};
  }
  check_number(out, key + ".jitter", probe.jitter_percent, kJitterPercent);
  check_number(out, key + ".fall", probe.fall, kFallRise);
  check_number(out, key + ".rise", probe.rise, kFallRise);
  if (!is_http_path(probe.path)) out.push_back(wrong(key + ".path", quote(probe.path), kPathExpectation));
  if (!is_printable_word(probe.host, 255)) {
    out.push_back(wrong(key + ".host", quote(probe.host),
                        "expected a host name: printable ASCII without spaces, at most 255 characters"));
  }
  if (probe.expect_status.empty()) {
    out.push_back(wrong(key + ".expect_status", "[]", "expected at least one HTTP status code"));
  }
  for (const uint16_t status : probe.expect_status) check_number(out, key + ".expect_status", status, kHttpStatus);
  check_payload(out, key + ".payload", probe.payload);
  check_payload(out, key + ".expect", probe.expect);
  if (!is_printable_word(probe.service, 255)) {
    out.push_back(wrong(key + ".service", quote(probe.service),
                        "expected the name of a gRPC service: printable ASCII without spaces, at most 255 characters"));
  }
  if (probe.tls && probe.kind == ProbeKind::http) {
    out.push_back(wrong(key + ".tls", "true", "expected kind = \"https\", which is HTTP over TLS"));
    out.back().depends = {key + ".kind"};
  }
  append(out, check_command(probe, key));
  if (probe.kind == ProbeKind::udp && probe.payload.empty()) {
    out.push_back({key + ".payload", " is missing: expected what a udp probe sends"});
    out.back().depends = {key + ".kind"};
  }
  return out;
}

Findings check_vip(const VipConfig& vip) {
  Findings out;
  const std::string key = item_key("vip", vip.name);
  check_name_at(out, key + ".name", vip.name);
  check_address(out, key + ".address", vip.address);
  if (vip.protocol != contract::kProtoTcp && vip.protocol != contract::kProtoUdp) {
    out.push_back(wrong(key + ".protocol", fmt::to_string(vip.protocol), R"(expected "tcp" or "udp")"));
  }
  return out;
}

}  // namespace warmswap::config
