#include "controlplane/explain.h"

#include <cstring>
#include <string>

#include "dataplane/contract/vip_index.h"

namespace warmswap::controlplane {
namespace {

using contract::DropReason;

std::string text_of(const char (&name)[contract::kNameBytes]) {
  return std::string(name, strnlen(name, sizeof(name)));
}

api::Explanation& drop(api::Explanation& explanation, DropReason reason) {
  explanation.verdict = "drop";
  explanation.drop_reason = reason;
  return explanation;
}

const contract::VipEntry* find(const std::byte* base, const contract::SnapshotRoot& root, const contract::VipKey& key) {
  const auto* buckets = reinterpret_cast<const contract::VipBucket*>(base + root.vip_index);
  const uint32_t home = contract::vip_home(root.hash_key, key, root.vip_bucket_mask);
  return contract::find_vip(buckets, root.vip_bucket_mask, home, key);
}

/// The outer source as the pipeline fills it: the template's bits and the flow's entropy below them.
contract::Be32 outer_source(const contract::Seat& seat, contract::Be32 entropy_mask, uint64_t hash) {
  const auto* ip = seat.header + sizeof(contract::EthernetHeader);
  const auto ready = contract::load<contract::Be32>(ip + offsetof(contract::Ipv4Header, source));
  return contract::Be32(ready.host() | (contract::flow_entropy(hash) & entropy_mask.host()));
}

void name_seat(const std::byte* base, const contract::PoolRecord& pool, uint16_t seat_index,
               api::Explanation& explanation) {
  if (pool.directory == 0) return;
  const auto& info = *reinterpret_cast<const contract::PoolInfo*>(base + pool.directory);
  const auto* backends = reinterpret_cast<const contract::BackendInfo*>(&info + 1);
  explanation.pool = text_of(info.name);
  const auto* seats = reinterpret_cast<const contract::SeatInfo*>(backends + info.backend_count);
  const contract::SeatInfo& place = seats[seat_index];
  explanation.owner = text_of(backends[place.owner].name);
  if (place.holder == contract::kNoBackend) return;
  explanation.backend = text_of(backends[place.holder].name);
  explanation.outer_destination = backends[place.holder].address;
}

}  // namespace

api::Explanation explain_flow(const std::byte* base, const contract::SnapshotRoot* root,
                              const contract::FlowKey& flow) {
  api::Explanation explanation;
  explanation.flow = flow;
  explanation.verdict = "pass";
  if (root == nullptr) {
    explanation.drop_reason = DropReason::no_snapshot;
    return explanation;
  }
  const contract::VipEntry* vip = find(base, *root, {flow.destination, flow.destination_port, flow.protocol});
  if (vip == nullptr) vip = find(base, *root, {flow.destination, contract::Be16(), flow.protocol});
  if (vip == nullptr) {
    const bool address_known = find(base, *root, {flow.destination, contract::Be16(), 0}) != nullptr;
    return address_known ? drop(explanation, DropReason::no_vip_port) : explanation;
  }
  const auto* vips = reinterpret_cast<const contract::VipInfo*>(base + root->vip_directory);
  for (uint32_t v = 0; root->vip_directory != 0 && v < root->vip_count; ++v) {
    if (vips[v].id == vip->vip) explanation.vip = text_of(vips[v].name);
  }
  const auto& pool = reinterpret_cast<const contract::PoolRecord*>(base + root->pools)[vip->pool];
  const uint64_t hash = contract::flow_hash(root->hash_key, flow);
  const uint32_t slot = contract::ring_slot(hash, pool.ring_size);
  explanation.hash = hash;
  explanation.slot = slot;
  explanation.ring_size = pool.ring_size;
  const uint16_t seat_index = reinterpret_cast<const uint16_t*>(base + pool.ring)[slot];
  if (seat_index == contract::kNoSeat) return drop(explanation, DropReason::no_backend);
  explanation.seat = seat_index;
  const contract::Seat& seat = reinterpret_cast<const contract::Seat*>(base + pool.seats)[seat_index];
  name_seat(base, pool, seat_index, explanation);
  if (seat.backend == contract::kNoBackend) return drop(explanation, DropReason::no_backend);
  if ((seat.flags & contract::kSeatResolved) == 0) return drop(explanation, DropReason::next_hop_unresolved);
  explanation.verdict = "forward";
  explanation.outer_source = outer_source(seat, root->entropy_mask, hash);
  return explanation;
}

}  // namespace warmswap::controlplane
