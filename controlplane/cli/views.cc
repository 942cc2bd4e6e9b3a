#include "controlplane/cli/views.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <functional>

#include "controlplane/api/protocol.h"
#include "controlplane/cli/answer.h"
#include "controlplane/cli/table.h"

namespace warmswap::cli {

namespace json = boost::json;
namespace field = api::field;
namespace endpoint = api::endpoint;

namespace {

/// Prints the list in `name` of the answer as a table of one row an element, or the answer itself for --json.
void show_list(const Session& session, const std::string& target, std::string_view name, Table table,
               const std::function<std::vector<Cell>(const json::object&)>& row) {
  const std::string body = session.get(target);
  if (session.json()) {
    session.out() << body << '\n';
    return;
  }
  const json::object answer = parse_answer(body);
  for (const json::value& value : list_of(answer, name)) table.add(row(as_object(value)));
  if (table.empty()) {
    session.out() << "no " << name << '\n';
  } else {
    table.print(session.out(), session.colour());
  }
}

std::string bytes_of(const json::object& object) {
  return human_bytes(number_of(object, field::kBytes));
}

std::string next_hop_text(const json::object& next_hop) {
  if (flag_of(next_hop, field::kResolved)) {
    return text_of(next_hop, field::kMac) + " " + text_of(next_hop, field::kInterface);
  }
  return has(next_hop, field::kInterface) && text_of(next_hop, field::kInterface) != "-"
             ? fmt::format("unresolved on {}", text_of(next_hop, field::kInterface))
             : "no route";
}

Cell probe_cell(const json::object& backend) {
  if (!has(backend, field::kLastProbe)) return "-";
  const json::object& probe = object_of(backend, field::kLastProbe);
  const std::string outcome = text_of(probe, field::kOutcome);
  return {outcome + " " + human_microseconds(signed_of(probe, field::kLatencyUs)),
          outcome == "success" ? Tone::plain : Tone::bad};
}

/// "133 of 120", in the unit of weight.
Cell carries_cell(const json::object& backend) {
  const uint64_t capacity = number_of(backend, field::kCapacity);
  if (capacity == 0) return "-";
  const double carries = fraction_of(backend, field::kCarries);
  const bool over = carries > static_cast<double>(capacity) * 1.005;
  return {fmt::format("{:.0f} of {}", carries, capacity), over ? Tone::bad : Tone::plain};
}

/// How long the clients' handshakes take of late, and how many of them fail.
Cell handshake_cell(const json::object& backend) {
  if (!has(backend, field::kHandshakes)) return "-";
  const json::object& handshakes = object_of(backend, field::kHandshakes);
  if (!has(handshakes, field::kIncomplete)) return "-";
  const double incomplete = fraction_of(handshakes, field::kIncomplete);
  std::string text =
      has(handshakes, field::kTimeUs) ? human_microseconds(signed_of(handshakes, field::kTimeUs)) : std::string("none");
  if (incomplete < 0.005) return text;
  return {text + ", " + percent(incomplete) + " fail", Tone::warning};
}

/// Why it is in its state, and how its warmth was found.
std::string reason_text(const json::object& backend) {
  std::string reason = text_of(backend, field::kReason);
  const std::string warmth = text_of(backend, field::kWarmthReason);
  if (warmth == "-" || warmth.empty()) return reason;
  return reason == "-" ? warmth : reason + "; " + warmth;
}

std::vector<Cell> backend_row(const json::object& backend, std::chrono::system_clock::time_point now) {
  const std::string state = text_of(backend, field::kState);
  const json::object& next_hop = object_of(backend, field::kNextHop);
  const bool resolved = flag_of(next_hop, field::kResolved);
  const std::string beat = has(backend, field::kHeartbeat) ? text_of(backend, field::kHeartbeat) : "-";
  return {text_of(backend, field::kPool) + "/" + text_of(backend, field::kName),
          text_of(backend, field::kAddress),
          text_of(backend, field::kRole),
          {state, state_tone(state)},
          human_age(text_of(backend, field::kSince), now),
          text_of(backend, field::kHoldsSeatOf),
          text_of(backend, field::kWeight),
          percent(fraction_of(backend, field::kShare)),
          carries_cell(backend),
          text_of(backend, field::kPackets),
          bytes_of(backend),
          probe_cell(backend),
          has(backend, field::kResponseTimeUs)
              ? fmt::format("{:.1f} ms", static_cast<double>(number_of(backend, field::kResponseTimeUs)) / 1000)
              : "-",
          handshake_cell(backend),
          {beat, beat == "late" || beat == "lost" ? Tone::warning : Tone::plain},
          has(backend, field::kLoad) ? percent(fraction_of(backend, field::kLoad)) : "-",
          has(backend, field::kWarmth) ? percent(fraction_of(backend, field::kWarmth)) : "-",
          number_of(backend, field::kFlaps) > 1 ? text_of(backend, field::kFlaps) : "-",
          {next_hop_text(next_hop), resolved ? Tone::plain : Tone::warning},
          reason_text(backend)};
}

struct Endpoint {
  std::string address;
  std::string port;
};

Endpoint parse_endpoint(const std::string& text) {
  const size_t colon = text.rfind(':');
  const std::string address = text.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  in_addr parsed{};
  unsigned number = 65536;
  const auto [stop, fault] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (inet_pton(AF_INET, address.c_str(), &parsed) != 1 || fault != std::errc{} || stop != port.data() + port.size() ||
      number > 65535) {
    throw Failure(kExitUsage, fmt::format("expected ADDRESS:PORT such as 203.0.113.7:40000, got \"{}\"", text));
  }
  return {address, port};
}

void print_fact(const Session& session, std::string_view name, const std::string& value) {
  session.out() << fmt::format("  {:<9} {}\n", name, printable(value));
}

void print_explanation(const Session& session, const json::object& answer) {
  const json::object& flow = object_of(answer, field::kFlow);
  session.out() << fmt::format("{}:{} → {}:{} {}\n", text_of(flow, field::kSource), number_of(flow, field::kSourcePort),
                               text_of(flow, field::kDestination), number_of(flow, field::kDestinationPort),
                               text_of(flow, field::kProtocol));
  const std::string verdict = text_of(answer, field::kVerdict);
  print_fact(session, "verdict",
             has(answer, field::kDropReason)
                 ? verdict + ": " + text_of(answer, field::kDropReason) + ", " + text_of(answer, field::kMeaning)
                 : verdict);
  if (has(answer, field::kVip)) print_fact(session, "vip", text_of(answer, field::kVip));
  if (has(answer, field::kPool)) print_fact(session, "pool", text_of(answer, field::kPool));
  if (has(answer, field::kHash)) print_fact(session, "hash", fmt::format("0x{}", text_of(answer, field::kHash)));
  if (has(answer, field::kSlot)) {
    print_fact(session, "slot", text_of(answer, field::kSlot) + " of " + text_of(answer, field::kRingSize));
  }
  const std::string owner = text_of(answer, field::kOwner);
  if (has(answer, field::kSeat)) print_fact(session, "seat", text_of(answer, field::kSeat) + ", owner " + owner);
  if (has(answer, field::kBackend)) {
    const std::string backend = text_of(answer, field::kBackend);
    const bool stands_in = has(answer, field::kOwner) && backend != owner;
    print_fact(session, "backend", stands_in ? backend + ", in the seat of " + owner : backend);
  }
  if (has(answer, field::kOuterDestination)) {
    print_fact(session, "outer",
               text_of(answer, field::kOuterSource) + " → " + text_of(answer, field::kOuterDestination));
  }
}

}  // namespace

void show_vips(const Session& session) {
  Table table({{"VIP"}, {"ADDRESS"}, {"PROTOCOL"}, {"PORT", true}, {"POOL"}, {"PACKETS", true}, {"BYTES", true}});
  show_list(session, std::string(endpoint::kVips), field::kVips, std::move(table), [](const json::object& vip) {
    const std::string port = number_of(vip, field::kPort) == 0 ? "any" : text_of(vip, field::kPort);
    return std::vector<Cell>{text_of(vip, field::kName),
                             text_of(vip, field::kAddress),
                             text_of(vip, field::kProtocol),
                             port,
                             text_of(vip, field::kPool),
                             text_of(vip, field::kPackets),
                             bytes_of(vip)};
  });
}

void show_pools(const Session& session) {
  Table table({{"POOL"},
               {"MODE"},
               {"ENCAPSULATION"},
               {"RING", true},
               {"FAILBACK"},
               {"BACKENDS", true},
               {"SEATS", true},
               {"HELD BY OWNER", true},
               {"EMPTY SLOTS", true}});
  show_list(session, std::string(endpoint::kPools), field::kPools, std::move(table), [](const json::object& pool) {
    const json::array& seats = list_of(pool, field::kSeats);
    const auto owned = std::count_if(seats.begin(), seats.end(), [](const json::value& seat) {
      const json::object& object = as_object(seat);
      return has(object, field::kHolder) && text_of(object, field::kHolder) == text_of(object, field::kOwner);
    });
    const bool all_owned = static_cast<size_t>(owned) == seats.size();
    const uint64_t empty = number_of(pool, field::kSlotsWithoutBackend);
    return std::vector<Cell>{text_of(pool, field::kName),
                             text_of(pool, field::kMode),
                             text_of(pool, field::kEncapsulation),
                             text_of(pool, field::kRingSize),
                             text_of(pool, field::kFailback),
                             std::to_string(list_of(pool, field::kBackends).size()),
                             std::to_string(seats.size()),
                             {std::to_string(owned), all_owned ? Tone::plain : Tone::warning},
                             {std::to_string(empty), empty == 0 ? Tone::plain : Tone::bad}};
  });
}

void show_backends(const Session& session, const std::string& pool) {
  std::string target(endpoint::kBackends);
  if (!pool.empty()) target += fmt::format("?{}={}", api::parameter::kPool, percent_encode(pool));
  Table table({{"BACKEND"},     {"ADDRESS"},      {"ROLE"},        {"STATE"},         {"SINCE", true},
               {"SEAT OF"},     {"WEIGHT", true}, {"SHARE", true}, {"CARRIES", true}, {"PACKETS", true},
               {"BYTES", true}, {"LAST PROBE"},   {"ART", true},   {"HANDSHAKE"},     {"HEARTBEAT"},
               {"LOAD", true},  {"WARM", true},   {"FLAPS", true}, {"NEXT HOP"},      {"REASON"}});
  const auto now = std::chrono::system_clock::now();
  show_list(session, target, field::kBackends, std::move(table),
            [now](const json::object& backend) { return backend_row(backend, now); });
}

void show_drops(const Session& session, bool all) {
  const std::string body = session.get(endpoint::kDrops);
  if (session.json()) {
    session.out() << body << '\n';
    return;
  }
  Table table({{"REASON"}, {"PACKETS", true}, {"PER WORKER"}, {"MEANING"}});
  const json::object answer = parse_answer(body);
  for (const json::value& value : list_of(answer, field::kDrops)) {
    const json::object& drop = as_object(value);
    if (!all && number_of(drop, field::kPackets) == 0) continue;
    std::string workers;
    for (const json::value& count : list_of(drop, field::kPerWorker)) {
      if (!workers.empty()) workers += ' ';
      workers += json::serialize(count);
    }
    table.add({text_of(drop, field::kReason), text_of(drop, field::kPackets), workers, text_of(drop, field::kMeaning)});
  }
  if (table.empty()) {
    session.out() << "nothing was dropped (--all lists the reasons there are)\n";
  } else {
    table.print(session.out(), session.colour());
  }
}

void show_explanation(const Session& session, const std::string& source, const std::string& destination, bool udp) {
  const Endpoint from = parse_endpoint(source);
  const Endpoint to = parse_endpoint(destination);
  namespace parameter = api::parameter;
  const std::string body =
      session.get(fmt::format("{}?{}={}&{}={}&{}={}&{}={}&{}={}", endpoint::kExplain, parameter::kSource, from.address,
                              parameter::kSourcePort, from.port, parameter::kDestination, to.address,
                              parameter::kDestinationPort, to.port, parameter::kProtocol, udp ? "udp" : "tcp"));
  if (session.json()) {
    session.out() << body << '\n';
  } else {
    print_explanation(session, parse_answer(body));
  }
}

void show_version(const Session& session) {
  if (!session.json()) session.out() << "warmswapctl   " << WARMSWAP_VERSION << '\n' << std::flush;
  const std::string body = session.get(endpoint::kVersion);
  if (session.json()) {
    session.out() << body << '\n';
    return;
  }
  const json::object answer = parse_answer(body);
  session.out() << fmt::format("controlplane  {} (abi {})\n", printable(text_of(answer, field::kVersion)),
                               number_of(answer, field::kAbi));
}

void show_metrics(const Session& session) {
  session.out() << session.get(endpoint::kMetrics);
}

}  // namespace warmswap::cli
