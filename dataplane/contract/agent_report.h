// A heartbeat: what warmswap-agent on a backend's host tells each control plane, one UDP datagram every interval. Pure;
// any thread. docs/heartbeat.md has the bytes as a table, for agents in other languages.
//
// Authentication: the last 16 bytes are HMAC-SHA-256 (RFC 2104, FIPS 198-1) over all bytes before them, cut to its left
// half as RFC 2104, section 5 allows; agent_report_mac.h computes it. Whoever has the key can speak for every backend.
//
// Replay: within a session the sequence number rises; a session is a start of the agent. A receiver takes a report
// whose sequence is above the last one's of its session, or that begins a session later than anything it has taken of
// that backend; and only when sent_ns is within its bound of its own clock, which is all that protects a receiver that
// has just started.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "dataplane/contract/byte_order.h"

namespace warmswap::contract {

inline constexpr uint32_t kAgentReportMagic = 0x57534842;  // "WSHB"
inline constexpr uint8_t kAgentReportVersion = 1;
inline constexpr size_t kAgentReportMacBytes = 16;
inline constexpr size_t kAgentReportBytes = 72;
inline constexpr size_t kAgentReportSignedBytes = kAgentReportBytes - kAgentReportMacBytes;

/// Parts of a whole in 1/65535; absent ones could not be read on that host.
struct AgentLoad {
  std::optional<uint16_t> cpu;          // busy time of all CPUs
  std::optional<uint16_t> memory;       // not available without swapping
  std::optional<uint16_t> disk;         // the busiest disk's time with a request under way
  std::optional<uint16_t> network;      // the busier direction, of the link's speed
  std::optional<uint16_t> run_queue;    // runnable tasks per CPU, of 16; more counts as 16
  std::optional<uint32_t> connections;  // established TCP connections: a number, not a part

  friend bool operator==(const AgentLoad&, const AgentLoad&) = default;
};

struct AgentReport {
  Be32 address;              // the backend's, as the balancers' configuration has it
  bool ready = true;         // the operator's word, not a probe's
  bool leaving = false;      // the last one of its session, which ends in order: the backend is not ready any more
  uint64_t session = 0;      // random, one for each start of the agent
  uint64_t sequence = 0;     // from 1 within a session
  uint64_t sent_ns = 0;      // CLOCK_REALTIME
  uint32_t interval_us = 0;  // until the next one
  AgentLoad load;

  friend bool operator==(const AgentReport&, const AgentReport&) = default;
};

using AgentReportBytes = std::array<std::byte, kAgentReportBytes>;

enum class AgentReportFault : uint8_t { none, size, magic, version };

namespace agent_report_detail {

template <typename T>
void put(std::byte* at, T value) noexcept {
  for (size_t i = 0; i < sizeof(T); ++i) at[i] = static_cast<std::byte>(value >> (8 * (sizeof(T) - 1 - i)));
}

template <typename T>
T get(const std::byte* at) noexcept {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value << 8 | std::to_integer<T>(at[i]));
  return value;
}

inline constexpr uint8_t kReady = 1, kLeaving = 2;
inline constexpr size_t kFlagsAt = 5, kKnownAt = 6, kSessionAt = 8, kSequenceAt = 16, kSentAt = 24, kAddressAt = 32,
                        kIntervalAt = 36, kConnectionsAt = 40, kPartsAt = 44;

}  // namespace agent_report_detail

/// All but the MAC, which is left zero. All numbers in network byte order.
inline AgentReportBytes write_agent_report(const AgentReport& report) noexcept {
  using namespace agent_report_detail;
  AgentReportBytes bytes{};
  put(bytes.data(), kAgentReportMagic);
  bytes[4] = std::byte{kAgentReportVersion};
  bytes[kFlagsAt] = static_cast<std::byte>((report.ready ? kReady : 0) | (report.leaving ? kLeaving : 0));
  const AgentLoad& load = report.load;
  const std::optional<uint16_t> parts[] = {load.cpu, load.memory, load.disk, load.network, load.run_queue};
  uint16_t known = load.connections ? 1u << 5 : 0;
  for (size_t i = 0; i < std::size(parts); ++i) {
    if (!parts[i]) continue;
    known = static_cast<uint16_t>(known | 1u << i);
    put(bytes.data() + kPartsAt + 2 * i, *parts[i]);
  }
  put(bytes.data() + kKnownAt, known);
  put(bytes.data() + kSessionAt, report.session);
  put(bytes.data() + kSequenceAt, report.sequence);
  put(bytes.data() + kSentAt, report.sent_ns);
  put(bytes.data() + kAddressAt, report.address.host());
  put(bytes.data() + kIntervalAt, report.interval_us);
  put(bytes.data() + kConnectionsAt, load.connections.value_or(0));
  return bytes;
}

/// Whether the datagram has the form of a report of this version. Says nothing about its MAC.
inline AgentReportFault agent_report_form(std::span<const std::byte> datagram) noexcept {
  using namespace agent_report_detail;
  if (datagram.size() != kAgentReportBytes) return AgentReportFault::size;
  if (get<uint32_t>(datagram.data()) != kAgentReportMagic) return AgentReportFault::magic;
  return std::to_integer<uint8_t>(datagram[4]) == kAgentReportVersion ? AgentReportFault::none
                                                                      : AgentReportFault::version;
}

/// Reads a datagram of the right form. Any bits make some report: what it says is to be believed after its MAC only.
inline AgentReport read_agent_report(std::span<const std::byte, kAgentReportBytes> bytes) noexcept {
  using namespace agent_report_detail;
  AgentReport report;
  const auto flags = std::to_integer<uint8_t>(bytes[kFlagsAt]);
  report.ready = (flags & kReady) != 0;
  report.leaving = (flags & kLeaving) != 0;
  report.session = get<uint64_t>(bytes.data() + kSessionAt);
  report.sequence = get<uint64_t>(bytes.data() + kSequenceAt);
  report.sent_ns = get<uint64_t>(bytes.data() + kSentAt);
  report.address = Be32(get<uint32_t>(bytes.data() + kAddressAt));
  report.interval_us = get<uint32_t>(bytes.data() + kIntervalAt);
  const auto known = get<uint16_t>(bytes.data() + kKnownAt);
  std::optional<uint16_t>* parts[] = {&report.load.cpu, &report.load.memory, &report.load.disk, &report.load.network,
                                      &report.load.run_queue};
  for (size_t i = 0; i < std::size(parts); ++i) {
    if ((known & 1u << i) != 0) *parts[i] = get<uint16_t>(bytes.data() + kPartsAt + 2 * i);
  }
  if ((known & 1u << 5) != 0) report.load.connections = get<uint32_t>(bytes.data() + kConnectionsAt);
  return report;
}

}  // namespace warmswap::contract
