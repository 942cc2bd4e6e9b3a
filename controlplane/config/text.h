// Between values and the text people write: addresses, durations, the words for enums. Pure; any thread.
// The control socket and the file use the same functions, so both accept and print the same forms.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/config/config.h"

namespace warmswap::config {

/// Dotted quad, four decimal numbers without leading zeros.
std::optional<Be32> parse_address(std::string_view text);
std::string format_address(Be32 address);

/// "198.18.0.0/16". Host bits are kept as written; rules.h refuses them.
std::optional<Prefix> parse_prefix(std::string_view text);
std::string format_prefix(const Prefix& prefix);
/// The 32 bits of a netmask of this length, host order.
constexpr uint32_t prefix_mask(uint8_t length) noexcept {
  return length == 0 ? 0 : ~uint32_t{0} << (32 - length);
}

/// A decimal number directly followed by ns, us, ms, s, m or h; a fraction may go down to 1 ns. No sign, no spaces.
std::optional<Nanoseconds> parse_duration(std::string_view text);
/// The largest unit that writes the value without a fraction, so parse_duration gives it back exactly.
std::string format_duration(Nanoseconds duration);

/// 32 hexadecimal digits in key-byte order, as `openssl rand -hex 16` prints them.
std::optional<contract::HashKey> parse_hash_key(std::string_view text);

/// What a probe sends or expects: the text itself, or the bytes of "hex:0a0b"; nullopt for hexadecimal that is none.
std::optional<std::string> parse_payload(std::string_view text);

/// "address:port", or empty for no listener (address empty).
struct Endpoint {
  std::string address;
  uint16_t port = 0;
};
std::optional<Endpoint> parse_endpoint(std::string_view text);

/// One word of the file and what it stands for.
template <typename T>
struct Word {
  std::string_view text;
  T value;
};
/// clang does not deduce for aggregates before version 17, and clang-tidy reads this with 14.
template <typename T>
Word(std::string_view, T) -> Word<T>;

inline constexpr std::array kIdlePolicyWords{Word{"poll", IdlePolicy::poll}, Word{"backoff", IdlePolicy::backoff}};
inline constexpr std::array kHugepagePolicyWords{Word{"auto", HugepagePolicy::automatic},
                                                 Word{"required", HugepagePolicy::required},
                                                 Word{"off", HugepagePolicy::off}};
inline constexpr std::array kPortDriverWords{Word{"af_xdp", PortDriver::af_xdp}, Word{"pci", PortDriver::pci},
                                             Word{"vdev", PortDriver::vdev}};
inline constexpr std::array kProbeKindWords{
    Word{"none", ProbeKind::none}, Word{"tcp", ProbeKind::tcp},     Word{"tcp_half_open", ProbeKind::tcp_half_open},
    Word{"http", ProbeKind::http}, Word{"https", ProbeKind::https}, Word{"udp", ProbeKind::udp},
    Word{"icmp", ProbeKind::icmp}, Word{"grpc", ProbeKind::grpc},   Word{"exec", ProbeKind::exec}};
inline constexpr std::array kWarmKindWords{Word{"http", ProbeKind::http}, Word{"https", ProbeKind::https},
                                           Word{"tcp", ProbeKind::tcp}};
inline constexpr std::array kProbeViaWords{Word{"direct", ProbeVia::direct}, Word{"tunnel", ProbeVia::tunnel}};
inline constexpr std::array kRoleWords{Word{"hot", Role::hot}, Word{"warm", Role::warm}};
inline constexpr std::array kModeWords{Word{"hot-hot", Mode::hot_hot}, Word{"hot-warm", Mode::hot_warm}};
inline constexpr std::array kFailbackWords{Word{"manual", Failback::manual}, Word{"auto", Failback::automatic}};
inline constexpr std::array kFailWords{Word{"open", Fail::open}, Word{"closed", Fail::closed}};
inline constexpr std::array kOverloadWords{Word{"carry", Overload::carry}, Word{"shed", Overload::shed}};
inline constexpr std::array kEncapsulationWords{Word{"ipip", contract::Encapsulation::ipip}};
inline constexpr std::array kProtocolWords{Word{"tcp", contract::kProtoTcp}, Word{"udp", contract::kProtoUdp}};
inline constexpr std::array kLogLevels = {std::string_view{"trace"}, std::string_view{"debug"},
                                          std::string_view{"info"},  std::string_view{"warn"},
                                          std::string_view{"error"}, std::string_view{"off"}};

template <typename Words>
auto parse_word(const Words& words, std::string_view text) -> std::optional<decltype(words.front().value)> {
  for (const auto& word : words) {
    if (word.text == text) return word.value;
  }
  return std::nullopt;
}

/// The word for a value; "?" for a value without one.
template <typename Words, typename T>
std::string_view word_for(const Words& words, T value) {
  for (const auto& word : words) {
    if (word.value == value) return word.text;
  }
  return "?";
}

inline std::string_view to_string(Mode mode) {
  return word_for(kModeWords, mode);
}
inline std::string_view to_string(Role role) {
  return word_for(kRoleWords, role);
}
inline std::string_view to_string(Failback failback) {
  return word_for(kFailbackWords, failback);
}
inline std::string_view to_string(ProbeKind kind) {
  return word_for(kProbeKindWords, kind);
}
inline std::string_view to_string(PortDriver driver) {
  return word_for(kPortDriverWords, driver);
}
inline std::string_view protocol_name(uint8_t protocol) {
  return word_for(kProtocolWords, protocol);
}

/// `"text"` for a message: control bytes and quotes escaped, long text shortened, and any run of 24 or more
/// hexadecimal digits hidden, since that may be the hash key written in a wrong place.
std::string quote(std::string_view text);
std::string hide_keys(std::string_view text);

std::string join(const std::vector<std::string>& texts, std::string_view separator);
/// `"a", "b" or "c"`.
std::string list_choices(std::span<const std::string_view> choices);
template <typename T, size_t kSize>
std::string list_choices(const std::array<Word<T>, kSize>& words) {
  std::array<std::string_view, kSize> choices;
  for (size_t i = 0; i < kSize; ++i) choices[i] = words[i].text;
  return list_choices(choices);
}

/// The candidate a person most likely meant by `text`: at most two edits away (one for short words).
std::optional<std::string> closest(std::string_view text, const std::vector<std::string>& candidates);
/// `; did you mean "candidate"?`, or nothing when none is close.
std::string did_you_mean(std::string_view text, const std::vector<std::string>& candidates);

}  // namespace warmswap::config
