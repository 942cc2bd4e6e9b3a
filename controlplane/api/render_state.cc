// The renderers of what is: status, vips, pools and backends.
#include <fmt/format.h>

#include "controlplane/api/json_values.h"
#include "controlplane/api/protocol.h"
#include "controlplane/api/render.h"
#include "controlplane/api/words.h"

namespace warmswap::api {

namespace json = boost::json;
using namespace json_values;

namespace {

json::value worker_value(const WorkerView& worker) {
  return {
      {field::kIndex, worker.index},
      {field::kCpu, worker.cpu},
      {field::kOnline, worker.online},
      {field::kGeneration, worker.generation},
      {field::kTickAgeMs, worker.tick_age.count()},
      {field::kReceivedPackets, worker.received_packets},
      {field::kReceivedBytes, worker.received_bytes},
      {field::kForwardedPackets, worker.forwarded_packets},
      {field::kPassedPackets, worker.passed_packets},
      {field::kLoops, worker.loops},
      {field::kIdleLoops, worker.idle_loops},
  };
}

json::value port_value(const PortView& port) {
  return {
      {field::kName, text(port.name)},
      {field::kInterface, text(port.interface)},
      {field::kMac, format_mac(port.mac)},
      {field::kMtu, port.mtu},
  };
}

json::value dataplane_value(const DataplaneView& dataplane) {
  return {
      {field::kAlive, dataplane.alive},
      {field::kState, text(dataplane.state)},
      {field::kEpoch, dataplane.epoch},
      {field::kPid, dataplane.pid},
      {field::kWorkers, list(dataplane.workers, worker_value)},
      {field::kPorts, list(dataplane.ports, port_value)},
  };
}

json::value vip_value(const VipView& vip) {
  return {
      {field::kName, text(vip.name)},
      {field::kAddress, format_address(vip.address)},
      {field::kProtocol, format_protocol(vip.protocol)},
      {field::kPort, vip.port},
      {field::kPool, text(vip.pool)},
      {field::kPackets, vip.packets},
      {field::kBytes, vip.bytes},
  };
}

json::value seat_value(const SeatView& seat) {
  return {
      {field::kIndex, seat.index},
      {field::kOwner, text(seat.owner)},
      {field::kHolder, or_null(seat.holder)},
      {field::kWeight, seat.weight},
      {field::kSlots, seat.slots},
      {field::kShare, seat.share},
      {field::kSince, format_time(seat.since)},
  };
}

json::value member_value(const MemberView& member) {
  return {
      {field::kName, text(member.name)},
      {field::kRole, word(member.role)},
      {field::kState, text(member.state)},
  };
}

json::value pool_value(const PoolView& pool) {
  return {
      {field::kName, text(pool.name)},
      {field::kMode, word(pool.mode)},
      {field::kEncapsulation, word(pool.encapsulation)},
      {field::kRingSize, pool.ring_size},
      {field::kFailback, word(pool.failback)},
      {field::kSlotsWithoutBackend, pool.slots_without_backend},
      {field::kSeats, list(pool.seats, seat_value)},
      {field::kBackends, list(pool.backends, member_value)},
  };
}

json::value next_hop_value(const NextHopView& next_hop) {
  return {
      {field::kResolved, next_hop.resolved},
      {field::kMac, next_hop.resolved ? json::value(format_mac(next_hop.mac)) : json::value(nullptr)},
      {field::kInterface, text(next_hop.interface)},
  };
}

json::value probe_value(const std::optional<ProbeView>& probe) {
  if (!probe) return nullptr;
  return {
      {field::kOutcome, text(probe->outcome)},
      {field::kDetail, text(probe->detail)},
      {field::kLatencyUs, probe->latency.count()},
      {field::kAgeMs, probe->age.count()},
  };
}

json::value pending_value(const std::optional<PendingView>& pending) {
  if (!pending) return nullptr;
  return {{field::kText, text(pending->what)}, {field::kRemainingMs, pending->remaining.count()}};
}

json::value handshakes_value(const std::optional<HandshakesView>& handshakes) {
  if (!handshakes) return nullptr;
  return {
      {field::kCompleted, handshakes->completed},
      {field::kRetransmitted, handshakes->retransmitted},
      {field::kLapsed, handshakes->lapsed},
      {field::kTimeUs, or_null(handshakes->time)},
      {field::kIncomplete, or_null(handshakes->incomplete)},
  };
}

json::value backend_value(const BackendView& backend) {
  return {
      {field::kPool, text(backend.pool)},
      {field::kName, text(backend.name)},
      {field::kAddress, format_address(backend.address)},
      {field::kRole, word(backend.role)},
      {field::kState, text(backend.state)},
      {field::kWeight, backend.weight},
      {field::kDomain, text(backend.domain)},
      {field::kStandby, text(backend.standby)},
      {field::kEnabled, backend.enabled},
      {field::kHoldsSeatOf, or_null(backend.holds_seat_of)},
      {field::kSlots, backend.slots},
      {field::kShare, backend.share},
      {field::kPackets, backend.packets},
      {field::kBytes, backend.bytes},
      {field::kNextHop, next_hop_value(backend.next_hop)},
      {field::kLastProbe, probe_value(backend.last_probe)},
      {field::kHeartbeat, text(backend.heartbeat)},
      {field::kWarmRequests, or_null(backend.warm_requests)},
      {field::kWarmFailures, backend.warm_failures},
      {field::kWarmth, or_null(backend.warmth)},
      {field::kWarmthReason, text(backend.warmth_reason)},
      {field::kResponseTimeUs, or_null(backend.response_time)},
      {field::kHandshakes, handshakes_value(backend.handshakes)},
      {field::kLoad, or_null(backend.load)},
      {field::kLoadShare, or_null(backend.load_share)},
      {field::kCarries, backend.carries},
      {field::kCapacity, backend.capacity},
      {field::kSince, format_time(backend.since)},
      {field::kFailures, backend.failures},
      {field::kFlaps, backend.flaps},
      {field::kReason, text(backend.reason)},
  };
}

}  // namespace

std::string render_status(const Status& status, const std::vector<PoolView>& pools,
                          const std::vector<std::string>& warnings) {
  json::array all_warnings = list(status.warnings, sentence);
  for (const std::string& warning : warnings) all_warnings.push_back(text(warning));
  json::object heartbeats;
  for (const HeartbeatCount& count : status.heartbeats) heartbeats[count.verdict] = count.datagrams;
  return json::serialize(json::object{
      {field::kInstance, text(status.instance)},
      {field::kVersion, text(status.version)},
      {field::kAbi, status.abi},
      {field::kUptimeMs, status.uptime.count()},
      {field::kGeneration, status.generation},
      // A string: as a number it would lose bits in every reader that keeps doubles, jq among them.
      {field::kFingerprint, fmt::format("{:016x}", status.fingerprint)},
      {field::kDataplane, dataplane_value(status.dataplane)},
      {field::kLease,
       {{field::kDurationMs, status.lease.duration.count()},
        {field::kRemainingMs, status.lease.remaining.count()},
        {field::kExpiries, status.lease.expiries}}},
      {field::kPublish,
       {{field::kCount, status.publish.count},
        {field::kBuildUs, or_null(status.publish.build)},
        {field::kPublishUs, or_null(status.publish.publish)},
        {field::kLastAckUs, or_null(status.publish.last_ack)}}},
      {field::kCounts,
       {{field::kVips, status.counts.vips},
        {field::kPools, status.counts.pools},
        {field::kBackends, status.counts.backends},
        {field::kFailovers, status.counts.failovers},
        {field::kFailbacks, status.counts.failbacks}}},
      {field::kPending, pending_value(status.pending)},
      {field::kHeartbeats, std::move(heartbeats)},
      {field::kWarnings, std::move(all_warnings)},
      {field::kPools, list(pools, pool_value)},
  });
}

std::string render_vips(const std::vector<VipView>& vips) {
  return wrapped(field::kVips, vips, vip_value);
}
std::string render_pools(const std::vector<PoolView>& pools) {
  return wrapped(field::kPools, pools, pool_value);
}
std::string render_backends(const std::vector<BackendView>& backends) {
  return wrapped(field::kBackends, backends, backend_value);
}
}  // namespace warmswap::api
