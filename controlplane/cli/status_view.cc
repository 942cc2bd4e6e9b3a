// `warmswapctl status`: who runs, then each pool with its seats, then what is wrong.
#include <fmt/format.h>

#include <unordered_map>

#include "controlplane/api/protocol.h"
#include "controlplane/cli/answer.h"
#include "controlplane/cli/table.h"
#include "controlplane/cli/views.h"

namespace warmswap::cli {

namespace json = boost::json;
namespace field = api::field;
using std::chrono::milliseconds;

namespace {

std::string microseconds_of(const json::object& object, std::string_view name) {
  return has(object, name) ? human_microseconds(signed_of(object, name)) : "-";
}

void print_heading(const Session& session, const json::object& status) {
  const json::object& dataplane = object_of(status, field::kDataplane);
  const json::object& lease = object_of(status, field::kLease);
  const json::object& publish = object_of(status, field::kPublish);
  const bool alive = flag_of(dataplane, field::kAlive);
  const std::string state = alive ? text_of(dataplane, field::kState) : "not running";
  std::ostream& out = session.out();
  out << fmt::format("{}  version {} (abi {})  up {}  generation {}  fingerprint {}\n",
                     paint(printable(text_of(status, field::kInstance)), Tone::strong, session.colour()),
                     printable(text_of(status, field::kVersion)), number_of(status, field::kAbi),
                     human_duration(milliseconds(signed_of(status, field::kUptimeMs))),
                     number_of(status, field::kGeneration), printable(text_of(status, field::kFingerprint)));
  out << fmt::format("dataplane     {}  pid {}  epoch {}  lease {} left of {}\n",
                     paint(printable(state), state == "running" ? Tone::good : Tone::bad, session.colour()),
                     number_of(dataplane, field::kPid), number_of(dataplane, field::kEpoch),
                     human_duration(milliseconds(signed_of(lease, field::kRemainingMs))),
                     human_duration(milliseconds(signed_of(lease, field::kDurationMs))));
  out << fmt::format("last publish  build {}, publish {}, last worker ack {}\n",
                     microseconds_of(publish, field::kBuildUs), microseconds_of(publish, field::kPublishUs),
                     microseconds_of(publish, field::kLastAckUs));
}

void print_workers(const Session& session, const json::object& dataplane) {
  Table table({{"WORKER", true},
               {"CPU", true},
               {"STATE"},
               {"GENERATION", true},
               {"TICK", true},
               {"RECEIVED", true},
               {"FORWARDED", true},
               {"PASSED", true},
               {"IDLE", true}});
  for (const json::value& value : list_of(dataplane, field::kWorkers)) {
    const json::object& worker = as_object(value);
    const bool online = flag_of(worker, field::kOnline);
    const double loops = fraction_of(worker, field::kLoops);
    table.add({text_of(worker, field::kIndex),
               text_of(worker, field::kCpu),
               {online ? "online" : "offline", online ? Tone::good : Tone::bad},
               text_of(worker, field::kGeneration),
               text_of(worker, field::kTickAgeMs) + " ms",
               text_of(worker, field::kReceivedPackets),
               text_of(worker, field::kForwardedPackets),
               text_of(worker, field::kPassedPackets),
               loops > 0 ? percent(fraction_of(worker, field::kIdleLoops) / loops) : "-"});
  }
  if (table.empty()) return;
  session.out() << '\n';
  table.print(session.out(), session.colour());
}

using States = std::unordered_map<std::string, std::string>;

Cell state_cell(const States& states, const std::string& backend) {
  const auto found = states.find(backend);
  return found == states.end() ? Cell("-") : Cell(found->second, state_tone(found->second));
}

void print_standbys(const Session& session, const json::object& pool) {
  std::string line;
  for (const json::value& value : list_of(pool, field::kBackends)) {
    const json::object& member = as_object(value);
    if (text_of(member, field::kRole) != "warm") continue;
    const std::string state = text_of(member, field::kState);
    line += (line.empty() ? "  standbys: " : ", ") + printable(text_of(member, field::kName)) + " " +
            paint(printable(state), state_tone(state), session.colour());
  }
  if (!line.empty()) session.out() << line << '\n';
}

void print_pool(const Session& session, const json::object& pool) {
  session.out() << fmt::format("\npool {}  {}  {}  ring {}  failback {}\n",
                               paint(printable(text_of(pool, field::kName)), Tone::strong, session.colour()),
                               printable(text_of(pool, field::kMode)), printable(text_of(pool, field::kEncapsulation)),
                               number_of(pool, field::kRingSize), printable(text_of(pool, field::kFailback)));
  States states;
  for (const json::value& value : list_of(pool, field::kBackends)) {
    const json::object& member = as_object(value);
    states[text_of(member, field::kName)] = text_of(member, field::kState);
  }
  Table table({{"SEAT", true},
               {"OWNER"},
               {"STATE"},
               {"HOLDER"},
               {"WEIGHT", true},
               {"SLOTS", true},
               {"SHARE", true},
               {"SINCE", true}});
  const auto now = std::chrono::system_clock::now();
  for (const json::value& value : list_of(pool, field::kSeats)) {
    const json::object& seat = as_object(value);
    const std::string owner = text_of(seat, field::kOwner);
    const bool held = has(seat, field::kHolder);
    const std::string holder = held ? text_of(seat, field::kHolder) : "nobody";
    const Tone tone = !held ? Tone::bad : holder == owner ? Tone::plain : Tone::warning;
    table.add({text_of(seat, field::kIndex), owner, state_cell(states, owner), Cell(holder, tone),
               text_of(seat, field::kWeight), text_of(seat, field::kSlots), percent(fraction_of(seat, field::kShare)),
               human_age(text_of(seat, field::kSince), now)});
  }
  if (!table.empty()) table.print(session.out(), session.colour(), "  ");
  print_standbys(session, pool);
}

}  // namespace

void show_status(const Session& session) {
  const std::string body = session.get(api::endpoint::kStatus);
  if (session.json()) {
    session.out() << body << '\n';
    return;
  }
  const json::object status = parse_answer(body);
  print_heading(session, status);
  print_workers(session, object_of(status, field::kDataplane));
  for (const json::value& pool : list_of(status, field::kPools)) print_pool(session, as_object(pool));
  if (has(status, field::kPending)) {
    const json::object& pending = object_of(status, field::kPending);
    session.out() << fmt::format("\nwaits for confirmation, {} s left: {}\n",
                                 std::max<int64_t>(signed_of(pending, field::kRemainingMs), 0) / 1000,
                                 printable(text_of(pending, field::kText)));
  }
  const json::array& warnings = list_of(status, field::kWarnings);
  if (!warnings.empty()) session.out() << '\n';
  for (const json::value& warning : warnings) {
    const auto* text = warning.if_string();
    if (text == nullptr) continue;
    session.out() << paint("warning: ", Tone::warning, session.colour()) << printable({text->data(), text->size()})
                  << '\n';
  }
}

}  // namespace warmswap::cli
