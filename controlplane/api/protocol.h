// The names both ends of the control interface must agree on: paths of the endpoints, fields of the JSON, words used as
// values. warmswapctl includes this file and nothing else of api/. All of it is versioned by the /v1/ in the paths:
// fields may be added within a version, never renamed or given another meaning.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "controlplane/config/text.h"

namespace warmswap::api {

namespace endpoint {
inline constexpr std::string_view kStatus = "/v1/status";
inline constexpr std::string_view kVips = "/v1/vips";
inline constexpr std::string_view kPools = "/v1/pools";
inline constexpr std::string_view kBackends = "/v1/backends";
inline constexpr std::string_view kEvents = "/v1/events";
inline constexpr std::string_view kExplain = "/v1/explain";
inline constexpr std::string_view kDrops = "/v1/drops";
inline constexpr std::string_view kVersion = "/v1/version";
inline constexpr std::string_view kChanges = "/v1/changes";
inline constexpr std::string_view kReload = "/v1/reload";
inline constexpr std::string_view kConfirm = "/v1/confirm";
inline constexpr std::string_view kRollback = "/v1/rollback";
inline constexpr std::string_view kSave = "/v1/save";
inline constexpr std::string_view kMetrics = "/metrics";
inline constexpr std::string_view kHealth = "/healthz";
}  // namespace endpoint

/// Parameters in the query of a GET.
namespace parameter {
inline constexpr std::string_view kPool = "pool";
inline constexpr std::string_view kSince = "since";
inline constexpr std::string_view kLimit = "limit";
inline constexpr std::string_view kSource = "source";
inline constexpr std::string_view kSourcePort = "source_port";
inline constexpr std::string_view kDestination = "destination";
inline constexpr std::string_view kDestinationPort = "destination_port";
inline constexpr std::string_view kProtocol = "protocol";
inline constexpr std::string_view kDropIn = "drop_in";
}  // namespace parameter

namespace field {
// Answers in general.
inline constexpr std::string_view kError = "error";
inline constexpr std::string_view kEndpoints = "endpoints";
inline constexpr std::string_view kOk = "ok";

// Lists, each the single field of its endpoint's answer.
inline constexpr std::string_view kVips = "vips";
inline constexpr std::string_view kPools = "pools";
inline constexpr std::string_view kBackends = "backends";
inline constexpr std::string_view kEvents = "events";
inline constexpr std::string_view kDrops = "drops";
inline constexpr std::string_view kChanges = "changes";

// Identity and state of the whole.
inline constexpr std::string_view kInstance = "instance";
inline constexpr std::string_view kVersion = "version";
inline constexpr std::string_view kAbi = "abi";
inline constexpr std::string_view kUptimeMs = "uptime_ms";
inline constexpr std::string_view kGeneration = "generation";
inline constexpr std::string_view kFingerprint = "fingerprint";
inline constexpr std::string_view kWarnings = "warnings";
inline constexpr std::string_view kCounts = "counts";
inline constexpr std::string_view kFailovers = "failovers";
inline constexpr std::string_view kFailbacks = "failbacks";
inline constexpr std::string_view kDataplane = "dataplane";
inline constexpr std::string_view kAlive = "alive";
inline constexpr std::string_view kState = "state";
inline constexpr std::string_view kEpoch = "epoch";
inline constexpr std::string_view kPid = "pid";
inline constexpr std::string_view kWorkers = "workers";
inline constexpr std::string_view kPorts = "ports";
inline constexpr std::string_view kLease = "lease";
inline constexpr std::string_view kDurationMs = "duration_ms";
inline constexpr std::string_view kRemainingMs = "remaining_ms";
inline constexpr std::string_view kExpiries = "expiries";
inline constexpr std::string_view kPublish = "publish";
inline constexpr std::string_view kCount = "count";
inline constexpr std::string_view kBuildUs = "build_us";
inline constexpr std::string_view kPublishUs = "publish_us";
inline constexpr std::string_view kLastAckUs = "last_ack_us";

// Workers and ports.
inline constexpr std::string_view kIndex = "index";
inline constexpr std::string_view kCpu = "cpu";
inline constexpr std::string_view kOnline = "online";
inline constexpr std::string_view kTickAgeMs = "tick_age_ms";
inline constexpr std::string_view kReceivedPackets = "received_packets";
inline constexpr std::string_view kReceivedBytes = "received_bytes";
inline constexpr std::string_view kForwardedPackets = "forwarded_packets";
inline constexpr std::string_view kPassedPackets = "passed_packets";
inline constexpr std::string_view kLoops = "loops";
inline constexpr std::string_view kIdleLoops = "idle_loops";
inline constexpr std::string_view kInterface = "interface";
inline constexpr std::string_view kMac = "mac";
inline constexpr std::string_view kMtu = "mtu";

// Vips, pools, seats, backends.
inline constexpr std::string_view kName = "name";
inline constexpr std::string_view kAddress = "address";
inline constexpr std::string_view kProtocol = "protocol";
inline constexpr std::string_view kPort = "port";
inline constexpr std::string_view kPool = "pool";
inline constexpr std::string_view kPackets = "packets";
inline constexpr std::string_view kBytes = "bytes";
inline constexpr std::string_view kMode = "mode";
inline constexpr std::string_view kEncapsulation = "encapsulation";
inline constexpr std::string_view kRingSize = "ring_size";
inline constexpr std::string_view kFailback = "failback";
inline constexpr std::string_view kSeats = "seats";
inline constexpr std::string_view kSlotsWithoutBackend = "slots_without_backend";
inline constexpr std::string_view kOwner = "owner";
inline constexpr std::string_view kHolder = "holder";
inline constexpr std::string_view kWeight = "weight";
inline constexpr std::string_view kSlots = "slots";
inline constexpr std::string_view kShare = "share";
inline constexpr std::string_view kSince = "since";
inline constexpr std::string_view kRole = "role";
inline constexpr std::string_view kDomain = "domain";
inline constexpr std::string_view kStandby = "standby";
inline constexpr std::string_view kEnabled = "enabled";
inline constexpr std::string_view kHoldsSeatOf = "holds_seat_of";
inline constexpr std::string_view kNextHop = "next_hop";
inline constexpr std::string_view kResolved = "resolved";
inline constexpr std::string_view kLastProbe = "last_probe";
inline constexpr std::string_view kOutcome = "outcome";
inline constexpr std::string_view kDetail = "detail";
inline constexpr std::string_view kLatencyUs = "latency_us";
inline constexpr std::string_view kAgeMs = "age_ms";
inline constexpr std::string_view kHeartbeat = "heartbeat";
inline constexpr std::string_view kHeartbeats = "heartbeats";
inline constexpr std::string_view kLoad = "load";
inline constexpr std::string_view kResponseTimeUs = "response_time_us";
inline constexpr std::string_view kHandshakes = "handshakes";
inline constexpr std::string_view kCompleted = "completed";
inline constexpr std::string_view kRetransmitted = "retransmitted";
inline constexpr std::string_view kLapsed = "lapsed";
inline constexpr std::string_view kTimeUs = "time_us";
inline constexpr std::string_view kIncomplete = "incomplete";
inline constexpr std::string_view kWarmRequests = "warm_requests";
inline constexpr std::string_view kWarmFailures = "warm_failures";
inline constexpr std::string_view kWarmth = "warmth";
inline constexpr std::string_view kWarmthReason = "warmth_reason";
inline constexpr std::string_view kLoadShare = "load_share";
inline constexpr std::string_view kCarries = "carries";
inline constexpr std::string_view kFailures = "failures";
inline constexpr std::string_view kFlaps = "flaps";
inline constexpr std::string_view kReason = "reason";

// Events.
inline constexpr std::string_view kFirst = "first";
inline constexpr std::string_view kLast = "last";
inline constexpr std::string_view kSeq = "seq";
inline constexpr std::string_view kTime = "time";
inline constexpr std::string_view kKind = "kind";
inline constexpr std::string_view kBackend = "backend";
inline constexpr std::string_view kText = "text";
inline constexpr std::string_view kCause = "cause";
inline constexpr std::string_view kTimeline = "timeline";
inline constexpr std::string_view kFirstBadSignalUs = "first_bad_signal_us";
inline constexpr std::string_view kDecisionUs = "decision_us";
inline constexpr std::string_view kLastWorkerAckUs = "last_worker_ack_us";
inline constexpr std::string_view kSlotsMoved = "slots_moved";
inline constexpr std::string_view kSurvivorSlotsMoved = "survivor_slots_moved";

// Explain and drops.
inline constexpr std::string_view kFlow = "flow";
inline constexpr std::string_view kSource = "source";
inline constexpr std::string_view kSourcePort = "source_port";
inline constexpr std::string_view kDestination = "destination";
inline constexpr std::string_view kDestinationPort = "destination_port";
inline constexpr std::string_view kVip = "vip";
inline constexpr std::string_view kHash = "hash";
inline constexpr std::string_view kSlot = "slot";
inline constexpr std::string_view kSeat = "seat";
inline constexpr std::string_view kOuterSource = "outer_source";
inline constexpr std::string_view kOuterDestination = "outer_destination";
inline constexpr std::string_view kVerdict = "verdict";
inline constexpr std::string_view kDropReason = "drop_reason";
inline constexpr std::string_view kMeaning = "meaning";
inline constexpr std::string_view kPerWorker = "per_worker";

// Changes.
inline constexpr std::string_view kOp = "op";
inline constexpr std::string_view kTo = "to";
inline constexpr std::string_view kWith = "with";
inline constexpr std::string_view kFor = "for";
inline constexpr std::string_view kWhole = "whole";
inline constexpr std::string_view kDryRun = "dry_run";
inline constexpr std::string_view kForce = "force";
inline constexpr std::string_view kConfirmWithin = "confirm_within";
inline constexpr std::string_view kPlan = "plan";
inline constexpr std::string_view kPending = "pending";
inline constexpr std::string_view kBefore = "before";
inline constexpr std::string_view kAfter = "after";
inline constexpr std::string_view kOwnerShare = "owner_share";
inline constexpr std::string_view kShareBefore = "share_before";
inline constexpr std::string_view kShareAfter = "share_after";
inline constexpr std::string_view kSlotsWithoutBackendBefore = "slots_without_backend_before";
inline constexpr std::string_view kSlotsWithoutBackendAfter = "slots_without_backend_after";
inline constexpr std::string_view kLoadBefore = "load_before";
inline constexpr std::string_view kLoadAfter = "load_after";
inline constexpr std::string_view kCapacity = "capacity";
inline constexpr std::string_view kProbe = "probe";
inline constexpr std::string_view kInterval = "interval";
inline constexpr std::string_view kTimeout = "timeout";
inline constexpr std::string_view kJitter = "jitter";
inline constexpr std::string_view kFall = "fall";
inline constexpr std::string_view kRise = "rise";
inline constexpr std::string_view kPath = "path";
inline constexpr std::string_view kHost = "host";
inline constexpr std::string_view kTls = "tls";
inline constexpr std::string_view kVerify = "verify";
inline constexpr std::string_view kPayload = "payload";
inline constexpr std::string_view kExpect = "expect";
inline constexpr std::string_view kService = "service";
inline constexpr std::string_view kVia = "via";
inline constexpr std::string_view kExpectStatus = "expect_status";
inline constexpr std::string_view kNotes = "notes";

// Of /v1/save.
inline constexpr std::string_view kFilePath = "file";
inline constexpr std::string_view kTextBefore = "before";
inline constexpr std::string_view kTextAfter = "after";
}  // namespace field

/// Values of `op` in a change.
namespace operation {
inline constexpr std::string_view kAdd = "add";
inline constexpr std::string_view kRemove = "remove";
inline constexpr std::string_view kWeight = "weight";
inline constexpr std::string_view kEnable = "enable";
inline constexpr std::string_view kDisable = "disable";
inline constexpr std::string_view kFailover = "failover";
inline constexpr std::string_view kFailback = "failback";
inline constexpr std::string_view kSwap = "swap";
inline constexpr std::string_view kDrill = "drill";
inline constexpr std::string_view kDrain = "drain";
}  // namespace operation

/// Values of a probe's `kind` in a change: whoever may use the socket may steer traffic, not run programs.
inline constexpr auto kProbeKinds = [] {
  std::array<std::string_view, config::kProbeKindWords.size() - 1> words;
  auto next = words.begin();
  for (const auto& word : config::kProbeKindWords) {
    if (word.value != config::ProbeKind::exec) *next++ = word.text;
  }
  return words;
}();

/// Values of a backend's `state`, also the label values of the metric warmswap_backend_state.
inline constexpr std::string_view kBackendStates[] = {
    "unknown", "serving", "suspect",  "failed",   "recovering", "cold",
    "warming", "warm",    "promoted", "draining", "disabled",   "ejected",
};

/// Values of `verdict` in an explanation.
namespace verdict {
inline constexpr std::string_view kForward = "forward";
inline constexpr std::string_view kPass = "pass";
inline constexpr std::string_view kDrop = "drop";
}  // namespace verdict

inline constexpr std::string_view kDefaultInstance = "warmswap";
inline constexpr std::string_view kDefaultRunDir = "/run/warmswap";

inline constexpr size_t kMaxChanges = 1000;           // in one request
inline constexpr size_t kMaxBodyBytes = 1024 * 1024;  // of one request
inline constexpr size_t kDefaultEvents = 100;         // in one answer when the client names no limit
inline constexpr size_t kMaxEvents = 1000;

}  // namespace warmswap::api
