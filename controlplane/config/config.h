// The configuration as values: what warmswap.toml says after every key has been checked. Plain data, no behaviour but
// look-ups; any thread may read a Config that nobody writes. config/warmswap.toml documents every key for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/contract/flow_hash.h"
#include "dataplane/contract/layout.h"

namespace warmswap::config {

using contract::Be32;
using Nanoseconds = std::chrono::nanoseconds;

/// An IPv4 prefix; `address` has its host bits zero.
struct Prefix {
  Be32 address;
  uint8_t length = 32;
  friend bool operator==(const Prefix&, const Prefix&) = default;
};

enum class IdlePolicy : uint8_t { poll, backoff };
enum class HugepagePolicy : uint8_t { automatic, required, off };
enum class PortDriver : uint8_t { af_xdp, pci, vdev };

/// One port of the dataplane.
struct PortConfig {
  std::string name;
  PortDriver driver = PortDriver::pci;
  std::string interface;  // af_xdp: the netdev to bind; pci/vdev: name of the tap that carries kernel traffic, or empty
  std::string device;     // pci: 0000:03:00.0; vdev: a DPDK device string; af_xdp: empty
  uint16_t receive_descriptors = 1024;
  uint16_t transmit_descriptors = 1024;
  uint16_t mtu = 0;  // 0 = as the device says
  friend bool operator==(const PortConfig&, const PortConfig&) = default;
};

struct DataplaneConfig {
  std::vector<uint32_t> cores;  // one worker each, in this order
  IdlePolicy idle = IdlePolicy::poll;
  HugepagePolicy hugepages = HugepagePolicy::automatic;
  uint32_t memory_mib = 512;
  std::vector<PortConfig> ports;
  std::vector<std::string> eal_args;  // appended as they are
  contract::Geometry geometry;
  friend bool operator==(const DataplaneConfig&, const DataplaneConfig&) = default;
};

struct InstanceConfig {
  std::string name = "warmswap";
  contract::HashKey hash_key;
  Prefix outer_source{Be32(0xc6120000), 16};  // sources of the outer header; the host bits carry flow entropy
  std::string run_dir = "/run/warmswap";
  std::string group;  // group that may use the control socket and the segment; empty = the process's own
  friend bool operator==(const InstanceConfig&, const InstanceConfig&) = default;
};

struct ControlplaneConfig {
  std::string listen_address = "127.0.0.1";  // read-only HTTP; empty = no TCP listener
  uint16_t listen_port = 9100;
  Nanoseconds lease = std::chrono::seconds(2);
  std::string log_level = "info";
  std::string journal;            // path of the event journal; empty = none
  uint32_t journal_max_mib = 64;  // before it is rotated
  uint32_t journal_files = 8;     // kept besides the present one
  std::string heartbeat_address;  // where agents' heartbeats are heard; empty = nowhere
  uint16_t heartbeat_port = 0;
  contract::HashKey heartbeat_key;  // of their HMAC; another one than the flow hash's
  Nanoseconds max_clock_skew = std::chrono::seconds(5);
  uint32_t handshake_sampling = 256;  // the workers watch the handshakes of one flow in so many, 0..65536; 0 = of none
  friend bool operator==(const ControlplaneConfig&, const ControlplaneConfig&) = default;
};

enum class ProbeKind : uint8_t { none, tcp, tcp_half_open, http, https, udp, icmp, grpc, exec };
/// How probes get to the backend: to its own address, or the clients' way, to the vip through the pool's encapsulation.
enum class ProbeVia : uint8_t { direct, tunnel };

/// How a backend is asked whether it works. `none` means "up unless disabled": an explicit choice.
struct ProbeConfig {
  ProbeKind kind = ProbeKind::tcp;
  uint16_t port = 0;                                       // 0 = see probe_port()
  Nanoseconds interval = std::chrono::milliseconds(1000);  // ≥ 10 ms
  Nanoseconds timeout = std::chrono::milliseconds(1000);   // ≤ interval
  uint32_t jitter_percent = 10;                            // of the interval, either side; 0..50
  uint32_t fall = 3;
  uint32_t rise = 2;
  std::string path = "/";
  std::string host;  // Host header, :authority and the TLS name; empty = the backend's address
  std::vector<uint16_t> expect_status = {200};
  bool tls = false;                  // tcp, grpc: over TLS; https is in any case
  bool verify = false;               // over TLS: the server's certificate
  std::string ca_file;               // over TLS: certificates to verify it with; empty = the system's
  std::string payload;               // udp, tcp: what to send, as text or "hex:…"
  std::string expect;                // udp, tcp, http, https: what the answer (its body) must contain; empty = anything
  std::string service;               // grpc: whose health is asked for; empty = the server's
  std::vector<std::string> command;  // exec: program, by its whole path, and arguments
  ProbeVia via = ProbeVia::direct;
  friend bool operator==(const ProbeConfig&, const ProbeConfig&) = default;
};

enum class Role : uint8_t { hot = 0, warm = 1 };
enum class Mode : uint8_t { hot_hot, hot_warm };
enum class Failback : uint8_t { manual, automatic };
struct BackendConfig {
  std::string name;
  Be32 address;
  Role role = Role::hot;
  uint32_t weight = 100;  // 0..65535; 0 owns no slot
  uint32_t capacity =
      0;                // most weight's worth of traffic it may carry; 0 = hot: unlimited, warm: one seat of any weight
  std::string domain;   // failure domain; empty = its own
  std::string standby;  // hot: the warm backend to prefer
  bool enabled = true;
  std::optional<ProbeConfig> probe;  // instead of the pool's
  friend bool operator==(const BackendConfig&, const BackendConfig&) = default;
};

/// The share of a new backend rises to the whole over `window`, as Envoy's slow start: after t of it the share is
/// max(least, (t / window)^(100 / aggression)). Aggression 100 is a straight line, more is steeper at first.
struct SlowStartConfig {
  Nanoseconds window{0};      // 0 = the whole share at once
  uint32_t aggression = 100;  // percent, 10..1000
  uint32_t least = 10;        // percent, 1..100
  friend bool operator==(const SlowStartConfig&, const SlowStartConfig&) = default;
};

/// What becomes of a pool in which too few are healthy: `open` keeps sending to backends that look dead.
enum class Fail : uint8_t { open, closed };

/// What becomes of slots of failed backends that the others have no capacity for: `carry` overloads these, `shed` drops
/// the slots.
enum class Overload : uint8_t { carry, shed };

/// When signals are not to be believed, and what protects those that are left.
struct GuardConfig {
  Fail fail = Fail::open;
  Overload overload = Overload::carry;
  uint32_t panic_threshold = 0;  // percent of the weight: with less than this healthy, health is not looked at
  uint32_t self_suspicion = 80;  // percent of the backends: so many failing together speak against this host; 0 = never
  Nanoseconds self_suspicion_hold = std::chrono::seconds(3);
  friend bool operator==(const GuardConfig&, const GuardConfig&) = default;
};

/// What an operator's change may do without --force.
struct LimitsConfig {
  uint32_t max_slots_moved = 100;  // percent of the pool's slots
  uint32_t max_load = 100;         // percent of a backend's capacity, where it has one
  friend bool operator==(const LimitsConfig&, const LimitsConfig&) = default;
};

/// What keeps standbys warm besides a trickle.
struct WarmConfig {
  ProbeKind kind = ProbeKind::http;                // http, https or tcp
  std::vector<std::string> paths;                  // http, https: GETs to each standby that waits, in turn
  std::vector<std::string> payloads;               // tcp: what is sent instead, each over a connection of its own
  std::string expect;                              // tcp: what an answer must contain; empty = anything
  Nanoseconds interval = std::chrono::seconds(1);  // between two of them
  uint32_t jitter_percent = 20;                    // of the interval, either side; 0..50
  // Simulated load, of the same requests (controlplane/health/warm_up.h).
  uint32_t rate = 0;                                           // requests/s a warm standby holds; 0 = none is made
  Nanoseconds response_time = std::chrono::milliseconds(100);  // within which it holds them
  Nanoseconds hold = std::chrono::seconds(5);                  // for so long
  Nanoseconds verify = std::chrono::minutes(10);               // and so long after that it is tried again
  uint32_t budget = 1000;                                      // requests/s to all standbys of the pool together

  /// What a standby is asked, in turn; empty = nothing.
  const std::vector<std::string>& requests() const noexcept { return kind == ProbeKind::tcp ? payloads : paths; }
  friend bool operator==(const WarmConfig&, const WarmConfig&) = default;
};

/// What the silence of an agent means.
struct HeartbeatConfig {
  uint32_t missed = 3;  // so many of the agent's intervals without a beat are a failure; 2..100
  friend bool operator==(const HeartbeatConfig&, const HeartbeatConfig&) = default;
};

/// How the load that agents report moves traffic; controlplane/heartbeat/load.h has the formula.
struct LoadConfig {
  bool balance = false;
  uint32_t cpu = 1;  // weights of the parts, 0..100
  uint32_t memory = 1;
  uint32_t disk = 1;
  uint32_t network = 1;
  uint32_t run_queue = 0;
  uint32_t connections = 0;
  uint32_t threshold = 110;                         // percent of the pool's mean, 100..1000
  Nanoseconds interval = std::chrono::seconds(1);   // between two adjustments
  Nanoseconds half_life = std::chrono::seconds(3);  // of the smoothing
  uint32_t step = 5;                                // percent a share may change in one interval, 1..50
  uint32_t least = 25;                              // percent of its weight that a backend keeps, 1..100
  Nanoseconds hold = std::chrono::seconds(10);      // without a report for longer: back to neutral
  friend bool operator==(const LoadConfig&, const LoadConfig&) = default;
};

/// Who counts as an anomaly (controlplane/health/anomaly.h), and how long and how many of them are out for it.
struct AnomalyConfig {
  bool eject = false;
  uint32_t deviations = 6;                           // 1..1000
  uint32_t ratio = 3;                                // times the median, 1..1000
  Nanoseconds floor = std::chrono::milliseconds(5);  // above the median
  uint32_t errors = 20;                              // percent points above the median, 1..100
  uint32_t probes = 5;                               // in a row, 1..100
  Nanoseconds time = std::chrono::seconds(30);       // out the first time; n times as long the n-th time of late
  Nanoseconds time_max = std::chrono::minutes(5);    // ≥ time
  uint32_t most = 10;                                // percent of the pool's backends out at once, but at least one
  friend bool operator==(const AnomalyConfig&, const AnomalyConfig&) = default;
};

struct PoolConfig {
  std::string name;
  Mode mode = Mode::hot_warm;
  contract::Encapsulation encapsulation = contract::Encapsulation::ipip;
  uint32_t ring_size = 65537;                        // prime
  Failback failback = Failback::manual;              // the file's default in a hot-hot pool is automatic
  Nanoseconds hold_down = std::chrono::seconds(10);  // healthy for this long before an automatic failback
  // A backend that fails again and again waits longer: the hold-down doubles with each failure, up to hold_down_max,
  // and halves with each flap_half_life that passes between two failures.
  Nanoseconds hold_down_max = std::chrono::minutes(5);  // ≥ hold_down
  Nanoseconds flap_half_life = std::chrono::minutes(10);
  // A returning owner gets so many percent of its seat's slots at once, and as many more after each pause.
  uint32_t failback_step = 25;                           // 1..100
  Nanoseconds failback_pause = std::chrono::seconds(5);  // 0: the whole seat at once
  Nanoseconds promotion_ramp{0};                         // a standby's share of the seat it takes rises over this
  SlowStartConfig slow_start;                            // of backends that serve for the first time
  uint32_t activate_below = 100;  // percent of the hot weight: standbys step in only while less than this is served
  uint32_t trickle = 0;           // percent of a seat's slots that its standby serves all the time
  GuardConfig guard;
  AnomalyConfig anomaly;
  LimitsConfig limits;
  WarmConfig warm;
  HeartbeatConfig heartbeat;
  LoadConfig load;
  ProbeConfig probe;
  std::vector<BackendConfig> backends;  // sorted by name: the canonical order

  const BackendConfig* find_backend(std::string_view backend) const noexcept;
  /// Of all hot backends: what all slots of the ring are worth.
  uint64_t hot_weight() const noexcept;
  friend bool operator==(const PoolConfig&, const PoolConfig&) = default;
};

struct VipConfig {
  std::string name;
  Be32 address;
  uint8_t protocol = contract::kProtoTcp;
  uint16_t port = 0;  // 0 = any port
  std::string pool;
  friend bool operator==(const VipConfig&, const VipConfig&) = default;
};

struct Config {
  InstanceConfig instance;
  DataplaneConfig dataplane;
  ControlplaneConfig controlplane;
  std::vector<VipConfig> vips;    // sorted by name
  std::vector<PoolConfig> pools;  // sorted by name

  const PoolConfig* find_pool(std::string_view pool) const noexcept;
  friend bool operator==(const Config&, const Config&) = default;
};

/// Whether such a probe is sent to a port. To an exec probe it is only told.
constexpr bool needs_port(ProbeKind kind) noexcept {
  return kind != ProbeKind::none && kind != ProbeKind::icmp && kind != ProbeKind::exec;
}

/// Whether such a probe may go over TLS or not, by its key `tls`.
constexpr bool takes_tls(ProbeKind kind) noexcept {
  return kind == ProbeKind::tcp || kind == ProbeKind::grpc;
}

constexpr bool over_tls(const ProbeConfig& probe) noexcept {
  return probe.kind == ProbeKind::https || (probe.tls && takes_tls(probe.kind));
}

/// What a backend's probe of this kind has where it says nothing: what the pool's has, but of another kind's not what
/// only that kind is about (payload, expect, tls).
ProbeConfig inherited_probe(const ProbeConfig& pool, ProbeKind kind);

/// The probe that asks this backend of this pool: its own, else the pool's.
const ProbeConfig& probe_of(const PoolConfig& pool, const BackendConfig& backend) noexcept;

/// The port that probe goes to: its own, else that of the first vip of the pool, in name order, that has one; 0 = none.
uint16_t probe_port(const Config& config, const PoolConfig& pool, const ProbeConfig& probe) noexcept;

/// The vip that a probe through the tunnel goes to: the pool's first, in name order, of the probe's protocol.
const VipConfig* probed_vip(const Config& config, const PoolConfig& pool, const ProbeConfig& probe) noexcept;

}  // namespace warmswap::config
