#include "controlplane/cli/plan_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "controlplane/api/protocol.h"
#include "controlplane/cli/answer.h"
#include "controlplane/cli/table.h"
#include "controlplane/cli/text.h"

namespace warmswap::cli {

namespace json = boost::json;
namespace field = api::field;

namespace {

std::string holder_text(const json::object& seat, std::string_view name) {
  const std::string holder = text_of(seat, name);
  return holder.empty() || holder == "-" ? "nobody" : holder;
}

/// "warm1", or "warm1, 25 % hot1" while a failback goes by steps.
std::string after_text(const json::object& seat) {
  const std::string owner = text_of(seat, field::kOwner);
  std::string after = holder_text(seat, field::kAfter);
  const double share = fraction_of(seat, field::kOwnerShare);
  if (share <= 0 || (after == owner && share >= 1)) return after;
  return after == owner ? percent(share) + " " + owner : after + ", " + percent(share) + " " + owner;
}

std::string load_text(double load, uint64_t capacity) {
  return capacity == 0 ? fmt::format("{:.1f}", load) : fmt::format("{:.1f} of {}", load, capacity);
}

void print_pool_plan(const Session& session, const json::object& plan) {
  const uint64_t slots = number_of(plan, field::kRingSize);
  const uint64_t moved = number_of(plan, field::kSlotsMoved);
  session.out() << fmt::format("pool {}: {} of {} slots move ({}), {} of them of survivors\n",
                               printable(text_of(plan, field::kPool)), moved, slots,
                               percent(slots == 0 ? 0 : static_cast<double>(moved) / static_cast<double>(slots)),
                               number_of(plan, field::kSurvivorSlotsMoved));
  const uint64_t dropped_before = number_of(plan, field::kSlotsWithoutBackendBefore);
  const uint64_t dropped_after = number_of(plan, field::kSlotsWithoutBackendAfter);
  if (dropped_before != dropped_after) {
    session.out() << fmt::format("  slots without a backend: {} → {}\n", dropped_before, dropped_after);
  }
  for (const json::value& value : list_of(plan, field::kSeats)) {
    const json::object& seat = as_object(value);
    session.out() << fmt::format("  seat of {}: {} → {}\n", printable(text_of(seat, field::kOwner)),
                                 printable(holder_text(seat, field::kBefore)), printable(after_text(seat)));
  }
  Table table({{"BACKEND"}, {"SHARE", true}, {"THEN", true}, {"LOAD", true}, {"THEN", true}});
  for (const json::value& value : list_of(plan, field::kBackends)) {
    const json::object& backend = as_object(value);
    const uint64_t capacity = number_of(backend, field::kCapacity);
    const double after = fraction_of(backend, field::kLoadAfter);
    const bool over = capacity > 0 && after > static_cast<double>(capacity) * 1.005;
    table.add({text_of(backend, field::kName),
               percent(fraction_of(backend, field::kShareBefore)),
               percent(fraction_of(backend, field::kShareAfter)),
               load_text(fraction_of(backend, field::kLoadBefore), 0),
               {load_text(after, capacity), over ? Tone::bad : Tone::plain}});
  }
  if (!table.empty()) table.print(session.out(), session.colour(), "  ");
}

}  // namespace

void print_plan(const Session& session, const json::object& answer) {
  for (const json::value& pool : list_of(answer, field::kPlan)) print_pool_plan(session, as_object(pool));
}

}  // namespace warmswap::cli
