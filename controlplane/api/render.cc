#include "controlplane/api/render.h"

#include <fmt/format.h>

#include "controlplane/api/json_values.h"
#include "controlplane/api/protocol.h"
#include "dataplane/contract/drop_reason.h"

namespace warmswap::api {

namespace json = boost::json;
using namespace json_values;

namespace {

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

json::value seat_plan_value(const SeatPlan& seat) {
  return {{field::kOwner, text(seat.owner)},
          {field::kBefore, text(seat.before)},
          {field::kAfter, text(seat.after)},
          {field::kOwnerShare, seat.owner_share}};
}

json::value backend_plan_value(const BackendPlan& backend) {
  return {{field::kName, text(backend.name)},        {field::kShareBefore, backend.share_before},
          {field::kShareAfter, backend.share_after}, {field::kLoadBefore, backend.load_before},
          {field::kLoadAfter, backend.load_after},   {field::kCapacity, backend.capacity}};
}

json::value plan_value(const PoolPlan& plan) {
  return {{field::kPool, text(plan.pool)},
          {field::kRingSize, plan.ring_size},
          {field::kSlotsMoved, plan.slots_moved},
          {field::kSurvivorSlotsMoved, plan.survivor_slots_moved},
          {field::kSlotsWithoutBackendBefore, plan.slots_without_backend_before},
          {field::kSlotsWithoutBackendAfter, plan.slots_without_backend_after},
          {field::kSeats, list(plan.seats, seat_plan_value)},
          {field::kBackends, list(plan.backends, backend_plan_value)}};
}

}  // namespace

std::string render_drops(const std::vector<DropView>& drops) {
  return wrapped(field::kDrops, drops, drop_value);
}

std::string render_events(const EventPage& page) {
  return json::serialize(json::object{
      {field::kEvents, list(page.events, event_value)}, {field::kFirst, page.first}, {field::kLast, page.last}});
}

std::string render_event(const EventView& event) {
  return json::serialize(event_value(event));
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

std::string render_save(const SavePlan& plan) {
  return json::serialize(json::object{
      {field::kFilePath, text(plan.file)},
      {field::kChanges, list(plan.changes, sentence)},
      {field::kTextBefore, json::value(plan.before)},
      {field::kTextAfter, json::value(plan.after)},
  });
}

std::string render_applied(const ApplyResult& result) {
  return json::serialize(json::object{
      {field::kOk, true},
      {field::kGeneration, result.generation},
      {field::kSlotsMoved, result.slots_moved},
      {field::kSurvivorSlotsMoved, result.survivor_slots_moved},
      {field::kDryRun, result.dry_run},
      {field::kPlan, list(result.plan, plan_value)},
      {field::kNotes, list(result.notes, sentence)},
  });
}

std::string render_error(std::string_view sentence_text, std::span<const std::string_view> endpoints) {
  json::object object{{field::kError, text(sentence_text)}};
  if (!endpoints.empty()) object[field::kEndpoints] = json::array(endpoints.begin(), endpoints.end());
  return json::serialize(object);
}

}  // namespace warmswap::api
