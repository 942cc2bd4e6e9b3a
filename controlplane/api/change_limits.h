// The ranges an API value must keep, each as a check that returns what was expected instead, or nothing. One place, so
// that they can be held against the configuration file's.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace warmswap::api::limits {

inline constexpr uint64_t kMaxWeight = 65535;
inline constexpr uint64_t kMaxCapacity = UINT32_MAX;
inline constexpr std::chrono::nanoseconds kMinConfirm = std::chrono::seconds(1);
inline constexpr std::chrono::nanoseconds kMaxConfirm = std::chrono::hours(24);
inline constexpr std::chrono::nanoseconds kMinDrill = std::chrono::seconds(1);
inline constexpr std::chrono::nanoseconds kMaxDrill = std::chrono::hours(24);
inline constexpr uint64_t kMaxJitterPercent = 50;
inline constexpr uint64_t kMaxProbeCount = 100;  // fall, rise
inline constexpr size_t kMaxStatuses = 64;
inline constexpr std::chrono::nanoseconds kMinProbeInterval = std::chrono::milliseconds(10);
inline constexpr std::chrono::nanoseconds kMaxProbeInterval = std::chrono::hours(1);
inline constexpr size_t kMaxPathBytes = 1024;
inline constexpr size_t kMaxHostBytes = 255;

inline constexpr std::string_view kNameRule =
    "a name of 1 to 63 letters, digits, '.', '_' or '-' that begins with a letter or digit";
inline constexpr std::string_view kPathRule = "a path of at most 1024 visible ASCII characters that begins with '/'";
inline constexpr std::string_view kPayloadRule =
    "at most 2048 characters of text, or \"hex:\" and an even number of hexadecimal digits";
inline constexpr std::string_view kExecRule =
    "another kind than \"exec\": only the configuration file says which programs are run";
inline constexpr std::string_view kServiceRule = "a gRPC service of at most 255 visible ASCII characters";
inline constexpr std::string_view kHostRule = "a host name of at most 255 visible ASCII characters";

/// Names stand in URLs, metric labels and POOL/BACKEND on the command line.
bool valid_name(std::string_view name);
/// Goes into an HTTP request line: no space, no control character.
bool valid_path(std::string_view path);
/// Goes into an HTTP header.
bool valid_host(std::string_view host);

}  // namespace warmswap::api::limits
