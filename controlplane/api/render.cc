#include "controlplane/api/render.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "controlplane/api/protocol.h"
#include "controlplane/api/text.h"
#include "controlplane/api/words.h"
#include "dataplane/contract/drop_reason.h"

namespace warmswap::api {

namespace json = boost::json;

namespace {

json::value text(std::string_view raw) {
  return json::value(valid_utf8(raw));
}

template <typename T>
json::value or_null(const std::optional<T>& value) {
  if (!value) return nullptr;
  return json::value(*value);
}
json::value or_null(const std::optional<std::string>& value) {
  return value ? text(*value) : json::value(nullptr);
}
json::value or_null(const std::optional<Microseconds>& value) {
  return value ? json::value(value->count()) : json::value(nullptr);
}
json::value or_null(const std::optional<Be32>& value) {
  return value ? json::value(format_address(*value)) : json::value(nullptr);
}

template <typename Item>
json::array list(const std::vector<Item>& items, json::value (*render)(const Item&)) {
  json::array result;
  result.reserve(items.size());
  for (const Item& item : items) result.push_back(render(item));
  return result;
}

template <typename Item>
std::string wrapped(std::string_view name, const std::vector<Item>& items, json::value (*render)(const Item&)) {
  return json::serialize(json::object{{name, list(items, render)}});
}

json::value sentence(const std::string& raw) {
  return text(raw);
}

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
      {field::kSince, format_time(backend.since)},
      {field::kFailures, backend.failures},
      {field::kReason, text(backend.reason)},
  };
}

json::value timeline_value(const std::optional<Timeline>& timeline) {
  if (!timeline) return nullptr;
  return {
      {field::kFirstBadSignalUs, or_null(timeline->first_bad_signal)},
      {field::kDecisionUs, or_null(timeline->decision)},
      {field::kPublishUs, or_null(timeline->publish)},
      {field::kLastWorkerAckUs, or_null(timeline->last_worker_ack)},
  };
}

json::value event_value(const EventView& event) {
  return {
      {field::kSeq, event.seq},
      {field::kTime, format_time(event.time)},
      {field::kKind, text(event.kind)},
      {field::kPool, text(event.pool)},
      {field::kBackend, text(event.backend)},
      {field::kText, text(event.text)},
      {field::kCause, text(event.cause)},
      {field::kTimeline, timeline_value(event.timeline)},
      {field::kSlotsMoved, or_null(event.slots_moved)},
      {field::kSurvivorSlotsMoved, or_null(event.survivor_slots_moved)},
  };
}

json::value flow_value(const contract::FlowKey& flow) {
  return {
      {field::kSource, format_address(flow.source)},           {field::kSourcePort, flow.source_port.host()},
      {field::kDestination, format_address(flow.destination)}, {field::kDestinationPort, flow.destination_port.host()},
      {field::kProtocol, format_protocol(flow.protocol)},
  };
}

json::value drop_value(const DropView& drop) {
  const auto& named = contract::kDropReasons[static_cast<size_t>(drop.reason)];
  return {
      {field::kReason, named.name},
      {field::kMeaning, named.meaning},
      {field::kPackets, drop.packets},
      {field::kPerWorker, json::array(drop.per_worker.begin(), drop.per_worker.end())},
  };
}

}  // namespace

std::string render_status(const Status& status, const std::vector<PoolView>& pools,
                          const std::vector<std::string>& warnings) {
  json::array all_warnings = list(status.warnings, sentence);
  for (const std::string& warning : warnings) all_warnings.push_back(text(warning));
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
std::string render_drops(const std::vector<DropView>& drops) {
  return wrapped(field::kDrops, drops, drop_value);
}

std::string render_events(const EventPage& page) {
  return json::serialize(json::object{
      {field::kEvents, list(page.events, event_value)}, {field::kFirst, page.first}, {field::kLast, page.last}});
}

std::string render_explanation(const Explanation& explanation) {
  const auto& reason = explanation.drop_reason;
  const auto* named = reason ? &contract::kDropReasons[static_cast<size_t>(*reason)] : nullptr;
  return json::serialize(json::object{
      {field::kFlow, flow_value(explanation.flow)},
      {field::kVerdict, text(explanation.verdict)},
      {field::kDropReason, named != nullptr ? json::value(named->name) : json::value(nullptr)},
      {field::kMeaning, named != nullptr ? json::value(named->meaning) : json::value(nullptr)},
      {field::kVip, or_null(explanation.vip)},
      {field::kPool, or_null(explanation.pool)},
      {field::kHash, explanation.hash ? json::value(fmt::format("{:016x}", *explanation.hash)) : json::value(nullptr)},
      {field::kSlot, or_null(explanation.slot)},
      {field::kRingSize, or_null(explanation.ring_size)},
      {field::kSeat, or_null(explanation.seat)},
      {field::kOwner, or_null(explanation.owner)},
      {field::kBackend, or_null(explanation.backend)},
      {field::kOuterSource, or_null(explanation.outer_source)},
      {field::kOuterDestination, or_null(explanation.outer_destination)},
  });
}

std::string render_version(const VersionView& version) {
  return json::serialize(json::object{{field::kVersion, text(version.version)}, {field::kAbi, version.abi}});
}

std::string render_applied(const ApplyResult& result) {
  return json::serialize(json::object{
      {field::kOk, true},
      {field::kGeneration, result.generation},
      {field::kSlotsMoved, result.slots_moved},
      {field::kSurvivorSlotsMoved, result.survivor_slots_moved},
      {field::kNotes, list(result.notes, sentence)},
  });
}

std::string render_error(std::string_view sentence_text, std::span<const std::string_view> endpoints) {
  json::object object{{field::kError, text(sentence_text)}};
  if (!endpoints.empty()) object[field::kEndpoints] = json::array(endpoints.begin(), endpoints.end());
  return json::serialize(object);
}

}  // namespace warmswap::api
