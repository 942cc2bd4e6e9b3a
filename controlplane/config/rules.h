// What a configuration must satisfy, as functions over values. The file loader and the control socket both use them,
// so that a change made at run time obeys the same rules as one made in the file. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/config/config.h"
#include "controlplane/config/findings.h"
#include "dataplane/contract/result.h"

namespace warmswap::config {

using namespace std::chrono_literals;

inline constexpr Range kWeight{0, 65535, "a weight"};
inline constexpr Range kVipPort{0, 65535, "a port (0 = any)"};
inline constexpr Range kPort{1, 65535, "a port"};
inline constexpr Range kRingSize{contract::kMinRingSize, contract::kMaxRingSize, "a prime number"};
inline constexpr DurationRange kHoldDown{0s, 24h};
inline constexpr DurationRange kFlapHalfLife{1s, 168h};
inline constexpr DurationRange kRamp{0s, 24h};
inline constexpr DurationRange kDoubt{0s, 1h};
inline constexpr Range kPercent{0, 100, "percent"};
inline constexpr Range kSharePercent{1, 100, "percent"};
inline constexpr Range kTrickle{0, 50, "percent"};
inline constexpr Range kAggression{10, 1000, "percent"};
inline constexpr Range kCapacity{0, 4'294'967'295, "weight's worth of traffic (0 = without limit)"};
inline constexpr Range kThresholdOfCapacity{1, 1000, "percent"};
inline constexpr Range kJournalMib{1, 1 << 20, "MiB"};
inline constexpr Range kJournalFiles{0, 1000, "files"};
inline constexpr Range kDeviations{1, 1000};
inline constexpr DurationRange kFloor{0s, 1h};
inline constexpr DurationRange kEjection{1s, 24h};
inline constexpr Range kMissed{2, 100, "a count of heartbeats"};
inline constexpr Range kLoadWeight{0, 100, "a weight"};
inline constexpr Range kThreshold{100, 1000, "percent"};
inline constexpr Range kStep{1, 50, "percent"};
inline constexpr DurationRange kLoadInterval{100ms, 1h};
inline constexpr DurationRange kLoadTime{100ms, 24h};
inline constexpr DurationRange kClockSkew{100ms, 1h};
inline constexpr Range kHandshakeSampling{0, 65536};
inline constexpr Range kRate{0, 100'000, "requests a second"};
inline constexpr Range kBudget{1, 1'000'000, "requests a second"};
inline constexpr DurationRange kResponseTime{1ms, 1min};
inline constexpr DurationRange kWarmHold{1s, 1h};
inline constexpr DurationRange kVerify{1s, 168h};
inline constexpr DurationRange kInterval{10ms, 1h};
inline constexpr DurationRange kTimeout{1ms, 1h};
inline constexpr Range kJitterPercent{0, 50, "a percentage"};
inline constexpr Range kFallRise{1, 100, "a count of probes"};
inline constexpr Range kHttpStatus{100, 599, "HTTP status codes"};
inline constexpr DurationRange kLease{100ms, 1h};
inline constexpr Range kCpu{0, 1023, "CPU numbers"};
inline constexpr Range kMemoryMib{64, 1 << 20, "MiB"};
inline constexpr Range kWorkers{1, 127};      // DPDK of Debian 12 knows 128 lcores (RTE_MAX_LCORE), one keeps house
inline constexpr Range kVips{1, 1 << 18};     // 4 MiB of counters per worker
inline constexpr Range kBackends{1, 0xffff};  // indices are 16 bits and the last is kNoBackend
inline constexpr Range kArenaMib{4, 1 << 16, "MiB"};
inline constexpr Range kDescriptors{64, 32768, "a power of two"};
inline constexpr Range kMtu{576, 9978,
                            "bytes"};  // RFC 791's least; the common jumbo frame limit less Ethernet and VLAN
inline constexpr size_t kLongestPayload = 2048;
inline constexpr size_t kLongestName = contract::kNameBytes - 1;
inline constexpr size_t kLongestPortName = sizeof(contract::PortRecord::name) - 1;
inline constexpr size_t kLongestInterface = sizeof(contract::PortRecord::interface) - 1;  // IFNAMSIZ - 1

/// Ring slots a pool needs for each hot backend, and those that keep the shares within about 1 % of the weights
/// (Eisenbud et al., "Maglev", NSDI 2016, section 5.3: table size over 100 × backends).
inline constexpr uint64_t kLeastSlotsPerBackend = 10;
inline constexpr uint64_t kGoodSlotsPerBackend = 100;

// Single values, for callers that hold one. The message begins with the value: `"a b": expected …`.
contract::Result<void> check_name(std::string_view name);
contract::Result<void> check_weight(int64_t weight);
contract::Result<void> check_backend_address(Be32 address);

inline constexpr const char* kPathExpectation =
    "expected an HTTP path: / first, printable ASCII without spaces, at most 1024 characters";
bool is_http_path(std::string_view path);
/// Of what a probe sends or expects.
void check_payload(Findings& out, const std::string& key, const std::string& text);

// Errors and warnings of one part, without regard to the rest. `key` is the part's own: "pool.web.backend.b1".
Findings check_backend(const BackendConfig& backend, const std::string& key);
Findings check_probe(const ProbeConfig& probe, const std::string& key);
Findings check_vip(const VipConfig& vip);
Findings check_instance(const InstanceConfig& instance);
Findings check_dataplane(const DataplaneConfig& dataplane);
Findings check_controlplane(const ControlplaneConfig& controlplane);

/// A pool with its probe, its backends and what holds between them. Backends are sorted by name.
Findings check_pool(const PoolConfig& pool);

/// Everything: each part, then what holds between the parts (references, duplicates, capacities).
Findings check_config(const Config& config);

/// Refuses a configuration with any error; the message has one line per error.
contract::Result<void> validate(const Config& config);
/// The errors of one pool, or the warnings of a whole configuration, as lines for people.
std::vector<std::string> validate_pool(const PoolConfig& pool);
std::vector<std::string> warnings(const Config& config);

constexpr bool is_prime(uint32_t n) noexcept {
  if (n < 4) return n >= 2;
  if (n % 2 == 0) return false;
  for (uint32_t d = 3; uint64_t{d} * d <= n; d += 2) {
    if (n % d == 0) return false;
  }
  return true;
}

}  // namespace warmswap::config
