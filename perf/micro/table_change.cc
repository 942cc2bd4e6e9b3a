#include "perf/micro/table_change.h"

#include <stdexcept>
#include <string>

namespace warmswap::perf {
namespace {

constexpr uint16_t kVictim = 0;
constexpr uint16_t kStandby = 1;
// Any two values: nobody reads them, but they are written as a change of state writes them.
constexpr uint8_t kServing = 1;
constexpr uint8_t kFailed = 3;

void note_state(contract::BackendInfo& info, bool dead) {
  info.state = dead ? kFailed : kServing;
  info.failures += dead ? 1 : 0;
  info.since_ns = contract::realtime_ns();
}

void take_seat(table::PoolRow& row, bool dead) {
  row.holders[kVictim] = dead ? kStandby : kVictim;
  note_state(row.backends[kVictim], dead);
}

void deal(table::PoolRow& row, bool dead) {
  row.holders[kVictim] = dead ? table::kNobody : kVictim;
  note_state(row.backends[kVictim], dead);
  std::vector<table::Opening> openings(row.ring->seats().size());
  if (dead) openings[kVictim] = table::Opening::closed();
  const auto size = static_cast<uint32_t>(row.ring->ring().size());
  row.ring = std::make_shared<table::PoolRing>(*row.ring, size, row.ring->seats(), openings);
}

}  // namespace

ChangeKind change_kind(std::string_view name) {
  if (name == "seat") return ChangeKind::seat;
  if (name == "every-pool") return ChangeKind::every_pool;
  if (name == "redeal") return ChangeKind::redeal;
  throw std::invalid_argument("unknown change '" + std::string(name) + "'; expected seat, every-pool or redeal");
}

bool TableChange::toggle() {
  applied_ = !applied_;
  const size_t pools = balancer_.rows().pools.size();
  switch (kind_) {
    case ChangeKind::seat:
      take_seat(edit(pool_), applied_);
      break;
    case ChangeKind::every_pool:
      for (size_t pool = 0; pool < pools; ++pool) take_seat(edit(pool), applied_);
      break;
    case ChangeKind::redeal:
      deal(edit(pool_), applied_);
      break;
  }
  if (!applied_ && ++pool_ == pools) pool_ = 0;
  return applied_;
}

table::PoolRow& TableChange::edit(size_t pool) {
  std::shared_ptr<const table::PoolRow>& row = balancer_.rows().pools[pool];
  auto copy = std::make_shared<table::PoolRow>(*row);
  table::PoolRow& edited = *copy;
  row = std::move(copy);
  return edited;
}

}  // namespace warmswap::perf
