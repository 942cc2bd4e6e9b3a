#include "controlplane/cli/changes.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

#include "controlplane/api/protocol.h"
#include "controlplane/cli/answer.h"
#include "controlplane/cli/plan_view.h"
#include "controlplane/cli/text.h"

namespace warmswap::cli {

namespace json = boost::json;
namespace field = api::field;

namespace {

/// Splits POOL/BACKEND; nothing for a name alone.
std::optional<Name> split_name(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  Name name{text.substr(0, slash), text.substr(slash + 1)};
  if (name.pool.empty() || name.backend.empty()) {
    throw Failure(kExitUsage, fmt::format("expected POOL/BACKEND, got \"{}\"", text));
  }
  return name;
}

void print_notes(const Session& session, const json::object& answer) {
  for (const json::value& value : list_of(answer, field::kNotes)) {
    if (const auto* note = value.if_string()) session.out() << printable({note->data(), note->size()}) << '\n';
  }
}

void print_result(const Session& session, std::string_view verb, const std::string& body) {
  if (session.json()) {
    session.out() << body << '\n';
    return;
  }
  const json::object answer = parse_answer(body);
  if (flag_of(answer, field::kDryRun)) {
    session.out() << "plan, nothing was changed\n";
    print_plan(session, answer);
    print_notes(session, answer);
    return;
  }
  session.out() << fmt::format("{}: generation {}, {} slots moved, {} of them of survivors\n", verb,
                               number_of(answer, field::kGeneration), number_of(answer, field::kSlotsMoved),
                               number_of(answer, field::kSurvivorSlotsMoved));
  print_notes(session, answer);
  if (session.change_options().contains(field::kConfirmWithin)) {
    session.out() << fmt::format("will be rolled back in {} unless confirmed: warmswapctl confirm\n",
                                 std::string_view(session.change_options().at(field::kConfirmWithin).as_string()));
  }
}

/// The body of a request that changes something.
std::string with_options(const Session& session, json::object body) {
  for (const auto& [name, value] : session.change_options()) body[name] = value;
  return json::serialize(body);
}

void send(const Session& session, json::object change) {
  json::object body{{field::kChanges, json::array{std::move(change)}}};
  print_result(session, "applied", session.post(api::endpoint::kChanges, with_options(session, std::move(body))));
}

void set(json::object& object, std::string_view name, const std::string& value) {
  if (!value.empty()) object[name] = value;
}

void set(json::object& object, std::string_view name, const std::optional<uint32_t>& value) {
  if (value) object[name] = *value;
}

json::object probe_object(const ProbeArguments& arguments) {
  json::object probe;
  set(probe, field::kKind, arguments.kind);
  set(probe, field::kPort, arguments.port);
  set(probe, field::kInterval, arguments.interval);
  set(probe, field::kTimeout, arguments.timeout);
  set(probe, field::kJitter, arguments.jitter);
  set(probe, field::kFall, arguments.fall);
  set(probe, field::kRise, arguments.rise);
  set(probe, field::kPath, arguments.path);
  set(probe, field::kHost, arguments.host);
  if (arguments.tls || arguments.no_tls) probe[field::kTls] = arguments.tls;
  set(probe, field::kPayload, arguments.payload);
  set(probe, field::kExpect, arguments.expect);
  set(probe, field::kService, arguments.service);
  set(probe, field::kVia, arguments.via);
  if (!arguments.expect_status.empty()) {
    probe[field::kExpectStatus] = json::array(arguments.expect_status.begin(), arguments.expect_status.end());
  }
  return probe;
}

/// Reads to the end; istream::read turns a fault, such as a directory's, into badbit.
std::string drain(std::istream& in) {
  std::string text;
  char chunk[65536];
  while (in.read(chunk, sizeof(chunk)) || in.gcount() > 0) text.append(chunk, static_cast<size_t>(in.gcount()));
  return text;
}

std::string read_all(const Session& session, const std::string& file) {
  if (file == "-") return drain(session.in());
  std::ifstream in(file, std::ios::binary);
  std::string text = in ? drain(in) : "";
  if (!in.is_open() || in.bad()) {
    throw Failure(kExitUsage, fmt::format("cannot read {}: {}", file, std::strerror(errno)));
  }
  return text;
}

}  // namespace

Name resolve(const Session& session, const std::string& text) {
  if (auto name = split_name(text)) return *std::move(name);
  const json::object answer = parse_answer(session.get(api::endpoint::kBackends));
  std::vector<std::string> pools;
  for (const json::value& value : list_of(answer, field::kBackends)) {
    const json::object& backend = as_object(value);
    if (text_of(backend, field::kName) == text) pools.push_back(text_of(backend, field::kPool));
  }
  if (pools.empty()) throw Failure(kExitRefused, fmt::format("no pool has a backend \"{}\"", text));
  if (pools.size() > 1) {
    std::string choices;
    for (const std::string& pool : pools) choices += (choices.empty() ? "" : " or ") + pool + "/" + text;
    throw Failure(kExitUsage, fmt::format("\"{}\" is in {} pools: say {}", text, pools.size(), choices));
  }
  return {pools.front(), text};
}

json::object change_object(std::string_view op, const Name& name) {
  return {{field::kOp, op}, {field::kPool, name.pool}, {field::kBackend, name.backend}};
}

void change_simply(const Session& session, std::string_view op, const std::string& backend) {
  send(session, change_object(op, resolve(session, backend)));
}

void change_drain(const Session& session, const std::string& backend, const std::string& length) {
  json::object change = change_object(api::operation::kDrain, resolve(session, backend));
  change[field::kFor] = length;
  send(session, std::move(change));
}

void change_weight(const Session& session, const std::string& backend, uint32_t weight) {
  json::object change = change_object(api::operation::kWeight, resolve(session, backend));
  change[field::kWeight] = weight;
  send(session, std::move(change));
}

void change_failover(const Session& session, const std::string& backend, const std::string& to) {
  json::object change = change_object(api::operation::kFailover, resolve(session, backend));
  set(change, field::kTo, to);
  send(session, std::move(change));
}

void change_failover_domain(const Session& session, const std::string& domain, const std::string& pool) {
  const json::object answer = parse_answer(session.get(api::endpoint::kBackends));
  std::set<std::string> pools;
  for (const json::value& value : list_of(answer, field::kBackends)) {
    const json::object& backend = as_object(value);
    const bool seated =
        value.as_object().contains(field::kHoldsSeatOf) && !value.as_object().at(field::kHoldsSeatOf).is_null();
    if (text_of(backend, field::kDomain) == domain && seated) pools.insert(text_of(backend, field::kPool));
  }
  if (!pool.empty()) pools = {pool};
  if (pools.empty()) {
    throw Failure(kExitRefused, fmt::format("no backend that holds a seat is in the failure domain \"{}\"", domain));
  }
  json::array changes;
  for (const std::string& name : pools) {
    changes.push_back(
        json::object{{field::kOp, api::operation::kFailover}, {field::kPool, name}, {field::kDomain, domain}});
  }
  json::object body{{field::kChanges, std::move(changes)}};
  print_result(session, "applied", session.post(api::endpoint::kChanges, with_options(session, std::move(body))));
}

void change_failback(const Session& session, const std::string& backend, bool whole) {
  json::object change = change_object(api::operation::kFailback, resolve(session, backend));
  if (whole) change[field::kWhole] = true;
  send(session, std::move(change));
}

void change_swap(const Session& session, const std::string& backend, const std::string& with) {
  const Name name = resolve(session, backend);
  const std::optional<Name> other = split_name(with);
  if (other && other->pool != name.pool) {
    throw Failure(kExitUsage, fmt::format("{} and {} are in different pools", backend, with));
  }
  json::object change = change_object(api::operation::kSwap, name);
  change[field::kWith] = other ? other->backend : with;
  send(session, std::move(change));
}

void change_add(const Session& session, const AddArguments& arguments) {
  const auto name = split_name(arguments.backend);
  if (!name) {
    throw Failure(kExitUsage, fmt::format("expected POOL/BACKEND for a new backend, got \"{}\"", arguments.backend));
  }
  json::object change = change_object(api::operation::kAdd, *name);
  set(change, field::kAddress, arguments.address);
  set(change, field::kRole, arguments.role);
  set(change, field::kWeight, arguments.weight);
  set(change, field::kCapacity, arguments.capacity);
  set(change, field::kDomain, arguments.domain);
  set(change, field::kStandby, arguments.standby);
  if (arguments.disabled) change[field::kEnabled] = false;
  json::object probe = probe_object(arguments.probe);
  if (!probe.empty()) change[field::kProbe] = std::move(probe);
  send(session, std::move(change));
}

void change_apply(const Session& session, const std::string& file) {
  std::string text = read_all(session, file);
  const size_t start = text.find_first_not_of(" \t\r\n");
  // The text itself is sent, not what a parser here made of it, so that the control plane sees every fault in it.
  if (start != std::string::npos && text[start] == '[') {
    text = fmt::format("{{\"{}\":{}}}", field::kChanges, text);
  }
  const size_t brace = text.find('{');
  for (const auto& [name, value] : session.change_options()) {
    if (brace == std::string::npos) break;
    text.insert(brace + 1, fmt::format("\"{}\":{},", std::string_view(name), json::serialize(value)));
  }
  print_result(session, "applied", session.post(api::endpoint::kChanges, text));
}

void reload(const Session& session) {
  print_result(session, "reloaded", session.post(api::endpoint::kReload, with_options(session, {})));
}

void confirm(const Session& session) {
  print_result(session, "confirmed", session.post(api::endpoint::kConfirm, ""));
}

void rollback(const Session& session) {
  print_result(session, "rolled back", session.post(api::endpoint::kRollback, ""));
}

}  // namespace warmswap::cli
