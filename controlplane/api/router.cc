#include "controlplane/api/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <span>

#include "controlplane/api/metrics.h"
#include "controlplane/api/protocol.h"
#include "controlplane/api/render.h"
#include "controlplane/api/strict_json.h"
#include "controlplane/api/target.h"
#include "controlplane/api/text.h"
#include "controlplane/api/warnings.h"

namespace warmswap::api {

namespace {

using Parameters = std::span<const std::string_view>;

constexpr std::array kNoParameters = std::array<std::string_view, 0>{};
constexpr std::array kBackendsParameters = {parameter::kPool};
constexpr std::array kEventsParameters = {parameter::kSince, parameter::kLimit};
constexpr std::array kSaveParameters = {parameter::kDropIn};
constexpr std::array kExplainParameters = {parameter::kSource, parameter::kSourcePort, parameter::kDestination,
                                           parameter::kDestinationPort, parameter::kProtocol};

Response json_response(std::string body) {
  return {.body = std::move(body)};
}

Response get_status(Service& service, const Target&) {
  const Status status = service.status();
  const std::vector<PoolView> pools = service.pools();
  return json_response(render_status(status, pools, derive_warnings(status, pools)));
}

Response get_vips(Service& service, const Target&) {
  return json_response(render_vips(service.vips()));
}
Response get_pools(Service& service, const Target&) {
  return json_response(render_pools(service.pools()));
}
Response get_drops(Service& service, const Target&) {
  return json_response(render_drops(service.drops()));
}
Response get_version(Service& service, const Target&) {
  return json_response(render_version(service.version()));
}

Response get_backends(Service& service, const Target& target) {
  const auto pool = target.find(parameter::kPool);
  if (pool) {
    const std::vector<PoolView> pools = service.pools();
    if (std::none_of(pools.begin(), pools.end(), [&](const PoolView& known) { return known.name == *pool; })) {
      return error_response(404, fmt::format("there is no pool \"{}\"", shorten(*pool, 63)));
    }
  }
  return json_response(render_backends(service.backends(pool)));
}

Response bad_parameter(std::string_view name, std::string_view expected, std::optional<std::string_view> got) {
  if (!got) return error_response(400, fmt::format("the parameter {} is missing, expected {}", name, expected));
  return error_response(400, fmt::format("{}: expected {}, got \"{}\"", name, expected, shorten(*got, 48)));
}

Response get_events(Service& service, const Target& target) {
  std::optional<uint64_t> since;
  if (const auto raw = target.find(parameter::kSince)) {
    since = parse_number(*raw, UINT64_MAX);
    if (!since) return bad_parameter(parameter::kSince, "the sequence number of an event", raw);
  }
  size_t limit = kDefaultEvents;
  if (const auto raw = target.find(parameter::kLimit)) {
    const auto number = parse_number(*raw, kMaxEvents);
    if (!number || *number == 0) {
      return bad_parameter(parameter::kLimit, fmt::format("an integer from 1 to {}", kMaxEvents), raw);
    }
    limit = *number;
  }
  return json_response(render_events(service.events(since, limit)));
}

Response get_explain(Service& service, const Target& target) {
  contract::FlowKey flow;
  for (const auto& [name, address] :
       {std::pair{parameter::kSource, &flow.source}, std::pair{parameter::kDestination, &flow.destination}}) {
    const auto raw = target.find(name);
    const auto parsed = raw ? parse_address(*raw) : std::nullopt;
    if (!parsed) return bad_parameter(name, "an IPv4 address", raw);
    *address = *parsed;
  }
  for (const auto& [name, port] : {std::pair{parameter::kSourcePort, &flow.source_port},
                                   std::pair{parameter::kDestinationPort, &flow.destination_port}}) {
    const auto raw = target.find(name);
    const auto parsed = raw ? parse_number(*raw, 65535) : std::nullopt;
    if (!parsed) return bad_parameter(name, "a port from 0 to 65535", raw);
    *port = contract::Be16(static_cast<uint16_t>(*parsed));
  }
  const auto raw = target.find(parameter::kProtocol);
  const auto protocol = parse_protocol(raw.value_or("tcp"));
  if (!protocol) return bad_parameter(parameter::kProtocol, "tcp or udp", raw);
  flow.protocol = *protocol;
  return json_response(render_explanation(service.explain(flow)));
}

Response get_metrics(Service& service, const Target&) {
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = render_metrics(
              {service.status(), service.vips(), service.pools(), service.backends(std::nullopt), service.drops()})};
}

/// Healthy means that traffic is balanced: the dataplane lives and has a snapshot.
Response get_health(Service& service, const Target&) {
  const Status status = service.status();
  if (!status.dataplane.alive) return error_response(503, "the dataplane is not running");
  if (status.generation == 0) return error_response(503, "no snapshot has been published yet");
  return {.content_type = "text/plain; charset=utf-8", .body = "ok\n"};
}

unsigned status_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::none:
      return 200;
    case Refusal::invalid:
      return 422;
    case Refusal::not_found:
      return 404;
    case Refusal::conflict:
      return 409;
    case Refusal::arena_full:
      return 507;
    case Refusal::no_segment:
      return 503;
  }
  return 500;
}

Response applied(const ApplyResult& result) {
  if (!result.ok()) return error_response(status_of(result.refusal), result.error);
  return json_response(render_applied(result));
}

Response post_changes(Service& service, const std::string& body) {
  const auto changes = parse_changes(body, [&](std::string_view pool) { return service.pool_probe(pool); });
  if (!changes) return error_response(400, changes.error());
  const auto options = parse_options(body);
  if (!options) return error_response(400, options.error());
  return applied(service.apply(*changes, *options));
}

Response post_reload(Service& service, const std::string& body) {
  const auto options = parse_options(body);
  if (!options) return error_response(400, options.error());
  return applied(service.reload(*options));
}

/// Confirm and rollback: about the one change that waits.
bool takes_nothing(const std::string& body) {
  if (body.empty()) return true;
  const auto value = parse_strict(body);
  const auto* object = value ? value->if_object() : nullptr;
  return object != nullptr && object->empty();
}

Response post_confirm(Service& service, const std::string& body) {
  if (!takes_nothing(body)) return error_response(400, "confirm takes no argument: expected an empty body or {}");
  return applied(service.confirm());
}
Response post_rollback(Service& service, const std::string& body) {
  if (!takes_nothing(body)) return error_response(400, "rollback takes no argument: expected an empty body or {}");
  return applied(service.rollback());
}

Response get_save(Service& service, const Target& target) {
  const auto drop_in = target.find(parameter::kDropIn);
  if (drop_in && *drop_in != "true" && *drop_in != "false") {
    return bad_parameter(parameter::kDropIn, "true or false", drop_in);
  }
  const SavePlan plan = service.save(drop_in == "true");
  if (plan.refusal != Refusal::none) return error_response(status_of(plan.refusal), plan.error);
  return {.status = 200, .body = render_save(plan)};
}

/// One endpoint; exactly one of the two handlers is set.
struct Route {
  std::string_view path;
  Parameters parameters;
  Response (*get)(Service&, const Target&);
  Response (*post)(Service&, const std::string&);
  std::string_view withheld = {};  // why only the control socket answers it; empty = every listener does
};

/// explain() answers with the keyed hash of whatever flow one names. Open to everybody it is an oracle that finds flows
/// which all meet one backend, against which the key is kept secret.
constexpr std::string_view kAimsTraffic =
    "this listener does not tell where a flow goes, which would help to aim traffic at one backend";
/// It may hold the key itself.
constexpr std::string_view kShowsTheFile = "this listener does not show the configuration file";

constexpr Route kRoutes[] = {
    {endpoint::kStatus, kNoParameters, get_status, nullptr},
    {endpoint::kVips, kNoParameters, get_vips, nullptr},
    {endpoint::kPools, kNoParameters, get_pools, nullptr},
    {endpoint::kBackends, kBackendsParameters, get_backends, nullptr},
    {endpoint::kEvents, kEventsParameters, get_events, nullptr},
    {endpoint::kExplain, kExplainParameters, get_explain, nullptr, kAimsTraffic},
    {endpoint::kDrops, kNoParameters, get_drops, nullptr},
    {endpoint::kVersion, kNoParameters, get_version, nullptr},
    {endpoint::kSave, kSaveParameters, get_save, nullptr, kShowsTheFile},
    {endpoint::kChanges, kNoParameters, nullptr, post_changes},
    {endpoint::kReload, kNoParameters, nullptr, post_reload},
    {endpoint::kConfirm, kNoParameters, nullptr, post_confirm},
    {endpoint::kRollback, kNoParameters, nullptr, post_rollback},
    {endpoint::kMetrics, kNoParameters, get_metrics, nullptr},
    {endpoint::kHealth, kNoParameters, get_health, nullptr},
};

Response no_such_endpoint(std::string_view path) {
  std::vector<std::string_view> paths;
  for (const Route& route : kRoutes) paths.push_back(route.path);
  return {.status = 404, .body = render_error(fmt::format("there is no endpoint \"{}\"", shorten(path, 128)), paths)};
}

/// JSON, or what `curl -d` says when nobody tells it otherwise: the body is read as JSON either way. No browser can
/// reach the control socket, so the loose check opens no door to forged cross-site requests.
bool accepted_content_type(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  std::string lower(type);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower.empty() || lower == "application/json" || lower == "application/x-www-form-urlencoded";
}

Response refuse_method(const Request& request, const Route& route) {
  const bool reads = route.get != nullptr;
  Response response = error_response(
      405, fmt::format("{} takes {}, got {}", route.path, reads ? "GET or HEAD" : "POST", shorten(request.method, 32)));
  response.allow = reads ? "GET, HEAD" : "POST";
  return response;
}

Response dispatch(Service& service, const Request& request, const std::string& control_socket) {
  const auto target = parse_target(request.target);
  if (!target) return error_response(400, target.error());
  const auto* route = std::find_if(std::begin(kRoutes), std::end(kRoutes),
                                   [&](const Route& known) { return known.path == target->path; });
  if (route == std::end(kRoutes)) return no_such_endpoint(target->path);
  if (request.read_only && (route->post != nullptr || !safe_method(request.method))) {
    Response response = error_response(
        405, fmt::format("this listener is read-only: changes go to the control socket {}, with warmswapctl or curl "
                         "--unix-socket",
                         control_socket));
    response.allow = "GET, HEAD";
    return response;
  }
  if (request.read_only && !route->withheld.empty()) {
    return error_response(403, fmt::format("{}: ask the control socket {}, with warmswapctl or curl --unix-socket",
                                           route->withheld, control_socket));
  }
  if (route->get != nullptr ? !safe_method(request.method) : request.method != "POST") {
    return refuse_method(request, *route);
  }
  for (const auto& [name, value] : target->query) {
    const Parameters known = route->parameters;
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return error_response(400, fmt::format("{} has no parameter \"{}\"", route->path, shorten(name, 48)));
    }
  }
  if (route->get != nullptr) return route->get(service, *target);
  if (!accepted_content_type(request.content_type)) {
    return error_response(
        415, fmt::format("expected the content type application/json, got \"{}\"", shorten(request.content_type, 64)));
  }
  return route->post(service, request.body);
}

}  // namespace

bool safe_method(std::string_view method) noexcept {
  return method == "GET" || method == "HEAD";
}

Response error_response(unsigned status, std::string_view sentence) {
  return {.status = status, .body = render_error(sentence)};
}

Response Router::handle(const Request& request) const {
  try {
    return dispatch(service_, request, control_socket_);
  } catch (const std::exception& fault) {
    return error_response(
        500, fmt::format("internal fault while answering {}: {}", shorten(request.target, 128), fault.what()));
  }
}

}  // namespace warmswap::api
