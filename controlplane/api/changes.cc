#include "controlplane/api/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "controlplane/api/change_limits.h"
#include "controlplane/api/object_reader.h"
#include "controlplane/api/strict_json.h"
#include "controlplane/api/text.h"
#include "controlplane/config/text.h"

namespace warmswap::api {

namespace json = boost::json;
using config::BackendConfig;
using config::ProbeConfig;

namespace {

constexpr std::string_view kOperations =
    "add, remove, weight, enable, disable, failover, failback, swap, drill or drain";

/// Takes a string that must pass `valid`; the default is an empty one.
std::string checked_text(ObjectReader& reader, const json::value* value, std::string_view name,
                         bool (*valid)(std::string_view), std::string_view rule) {
  auto text = reader.text(value, name);
  if (!text) return {};
  if (!valid(*text)) reader.expected(name, rule, *value);
  return *std::move(text);
}

std::string required_name(ObjectReader& reader, std::string_view name) {
  return checked_text(reader, reader.required(name), name, limits::valid_name, limits::kNameRule);
}

/// As required_name(), but may be missing, and empty means the same.
std::string optional_name(ObjectReader& reader, std::string_view name) {
  const auto valid = [](std::string_view text) { return text.empty() || limits::valid_name(text); };
  return checked_text(reader, reader.optional(name), name, valid, limits::kNameRule);
}

/// Takes a word out of the configuration's; `rule` names those that are meant.
template <typename Words, typename Value>
void choose(ObjectReader& reader, std::string_view name, Value& target, const Words& words, const std::string& rule) {
  const json::value* value = reader.optional(name);
  const auto text = reader.text(value, name);
  if (!text) return;
  if (const auto meaning = config::parse_word(words, *text)) {
    target = *meaning;
  } else {
    reader.expected(name, rule, *value);
  }
}

template <typename Integer>
void choose_number(ObjectReader& reader, std::string_view name, Integer& target, uint64_t min, uint64_t max) {
  if (const auto value = reader.integer(reader.optional(name), name, min, max)) target = static_cast<Integer>(*value);
}

bool choose_duration(ObjectReader& reader, std::string_view name, config::Nanoseconds& target, config::Nanoseconds min,
                     config::Nanoseconds max) {
  const json::value* value = reader.optional(name);
  const auto text = reader.text(value, name);
  if (!text) return false;
  const auto duration = config::parse_duration(*text);
  if (duration && *duration >= min && *duration <= max) {
    target = *duration;
    return true;
  }
  const std::string rule =
      fmt::format("a duration from \"{}\" to \"{}\"", config::format_duration(min), config::format_duration(max));
  reader.expected(name, rule, *value);
  return false;
}

/// How long a drill or a drain lasts.
config::Nanoseconds required_length(ObjectReader& reader) {
  config::Nanoseconds length{0};
  reader.required(field::kFor);
  choose_duration(reader, field::kFor, length, limits::kMinDrill, limits::kMaxDrill);
  return length;
}

void read_statuses(ObjectReader& reader, std::vector<uint16_t>& target) {
  constexpr std::string_view kRule = "a list of 1 to 64 status codes from 100 to 599";
  const json::value* value = reader.optional(field::kExpectStatus);
  if (value == nullptr) return;
  const json::array* list = value->if_array();
  if (list == nullptr || list->empty() || list->size() > limits::kMaxStatuses) {
    reader.expected(field::kExpectStatus, kRule, *value);
    return;
  }
  target.clear();
  for (const json::value& element : *list) {
    const auto* status = element.if_int64();
    if (status == nullptr || *status < 100 || *status > 599) {
      reader.expected(field::kExpectStatus, kRule, element);
      return;
    }
    target.push_back(static_cast<uint16_t>(*status));
  }
}

ProbeConfig read_probe(const json::object& object, ProbeConfig probe, const std::string& path, std::string& error) {
  const bool exec_before = probe.kind == config::ProbeKind::exec;
  ObjectReader reader(object, path, error);
  config::ProbeKind kind = probe.kind;
  choose(reader, field::kKind, kind, config::kProbeKindWords, config::list_choices(kProbeKinds));
  probe = config::inherited_probe(probe, kind);
  if (probe.kind == config::ProbeKind::exec && !exec_before) {
    reader.expected(field::kKind, limits::kExecRule, object.at(field::kKind));
  }
  choose_number(reader, field::kPort, probe.port, 0, 65535);
  choose_duration(reader, field::kInterval, probe.interval, limits::kMinProbeInterval, limits::kMaxProbeInterval);
  // Without its own value the timeout follows a shorter interval instead of contradicting it.
  probe.timeout = std::min(probe.timeout, probe.interval);
  choose_duration(reader, field::kTimeout, probe.timeout, std::chrono::milliseconds(1), probe.interval);
  choose_number(reader, field::kJitter, probe.jitter_percent, 0, limits::kMaxJitterPercent);
  choose_number(reader, field::kFall, probe.fall, 1, limits::kMaxProbeCount);
  choose_number(reader, field::kRise, probe.rise, 1, limits::kMaxProbeCount);
  if (const json::value* value = reader.optional(field::kPath)) {
    probe.path = checked_text(reader, value, field::kPath, limits::valid_path, limits::kPathRule);
  }
  if (const json::value* value = reader.optional(field::kHost)) {
    probe.host = checked_text(reader, value, field::kHost, limits::valid_host, limits::kHostRule);
  }
  read_statuses(reader, probe.expect_status);
  probe.tls = reader.boolean(reader.optional(field::kTls), field::kTls).value_or(probe.tls);
  probe.verify = reader.boolean(reader.optional(field::kVerify), field::kVerify).value_or(probe.verify);
  const auto payload_of = [&](std::string_view name, std::string& target) {
    const json::value* value = reader.optional(name);
    const auto text = reader.text(value, name);
    if (!text) return;
    target = *text;
    if (!config::parse_payload(*text) || text->size() > 2048) reader.expected(name, limits::kPayloadRule, *value);
  };
  payload_of(field::kPayload, probe.payload);
  payload_of(field::kExpect, probe.expect);
  if (const json::value* value = reader.optional(field::kService)) {
    probe.service = checked_text(reader, value, field::kService, limits::valid_host, limits::kServiceRule);
  }
  choose(reader, field::kVia, probe.via, config::kProbeViaWords, config::list_choices(config::kProbeViaWords));
  reader.finish();
  return probe;
}

Change read_add(ObjectReader& reader, std::string pool, std::string name, const PoolProbe& pool_probe) {
  AddBackend add{std::move(pool), {}};
  BackendConfig& backend = add.backend;
  backend.name = std::move(name);
  const json::value* address = reader.required(field::kAddress);
  if (const auto text = reader.text(address, field::kAddress)) {
    const auto parsed = parse_address(*text);
    if (!parsed) reader.expected(field::kAddress, "an IPv4 address such as \"192.0.2.10\"", *address);
    backend.address = parsed.value_or(config::Be32());
  }
  choose(reader, field::kRole, backend.role, config::kRoleWords, config::list_choices(config::kRoleWords));
  choose_number(reader, field::kWeight, backend.weight, 0, limits::kMaxWeight);
  choose_number(reader, field::kCapacity, backend.capacity, 0, limits::kMaxCapacity);
  backend.domain = optional_name(reader, field::kDomain);
  backend.standby = optional_name(reader, field::kStandby);
  backend.enabled = reader.boolean(reader.optional(field::kEnabled), field::kEnabled).value_or(true);
  if (const json::value* value = reader.optional(field::kProbe)) {
    if (const json::object* probe = value->if_object()) {
      const auto inherited = pool_probe ? pool_probe(add.pool) : std::nullopt;
      backend.probe =
          read_probe(*probe, inherited.value_or(ProbeConfig{}), reader.path_of(field::kProbe), reader.error());
    } else {
      reader.expected(field::kProbe, "an object", *value);
    }
  }
  return add;
}

std::optional<std::string> optional_standby(ObjectReader& reader) {
  const json::value* to = reader.optional(field::kTo);
  if (to == nullptr) return std::nullopt;
  return checked_text(reader, to, field::kTo, limits::valid_name, limits::kNameRule);
}

Change read_change(const json::object& object, const PoolProbe& pool_probe, const std::string& path,
                   std::string& error) {
  ObjectReader reader(object, path, error);
  const json::value* op_value = reader.required(field::kOp);
  const std::string op = reader.text(op_value, field::kOp).value_or("");
  std::string pool = required_name(reader, field::kPool);
  if (op == operation::kFailover && object.contains(field::kDomain)) {
    Change domain = ForceFailoverDomain{std::move(pool), required_name(reader, field::kDomain)};
    reader.finish();
    return domain;
  }
  std::string backend = required_name(reader, field::kBackend);
  Change change;
  if (op == operation::kAdd) {
    change = read_add(reader, std::move(pool), std::move(backend), pool_probe);
  } else if (op == operation::kRemove) {
    change = RemoveBackend{std::move(pool), std::move(backend)};
  } else if (op == operation::kWeight) {
    const auto weight = reader.integer(reader.required(field::kWeight), field::kWeight, 0, limits::kMaxWeight);
    change = SetWeight{std::move(pool), std::move(backend), static_cast<uint32_t>(weight.value_or(0))};
  } else if (op == operation::kEnable) {
    change = EnableBackend{std::move(pool), std::move(backend)};
  } else if (op == operation::kDisable) {
    change = DisableBackend{std::move(pool), std::move(backend)};
  } else if (op == operation::kFailover) {
    change = ForceFailover{std::move(pool), std::move(backend), optional_standby(reader)};
  } else if (op == operation::kFailback) {
    const bool whole = reader.boolean(reader.optional(field::kWhole), field::kWhole).value_or(false);
    change = ForceFailback{std::move(pool), std::move(backend), whole};
  } else if (op == operation::kSwap) {
    change = SwapBackends{std::move(pool), std::move(backend), required_name(reader, field::kWith)};
  } else if (op == operation::kDrill) {
    DrillBackend drill{std::move(pool), std::move(backend), optional_standby(reader), {}};
    drill.length = required_length(reader);
    change = std::move(drill);
  } else if (op == operation::kDrain) {
    change = DrainBackend{std::move(pool), std::move(backend), required_length(reader)};
  } else if (op_value != nullptr) {
    reader.expected(field::kOp, kOperations, *op_value);
  }
  reader.finish();
  return change;
}

ChangeOptions read_options(ObjectReader& reader) {
  ChangeOptions options;
  options.dry_run = reader.boolean(reader.optional(field::kDryRun), field::kDryRun).value_or(false);
  options.force = reader.boolean(reader.optional(field::kForce), field::kForce).value_or(false);
  config::Nanoseconds within{0};
  if (choose_duration(reader, field::kConfirmWithin, within, limits::kMinConfirm, limits::kMaxConfirm)) {
    options.confirm_within = within;
  }
  return options;
}

}  // namespace

contract::Result<ChangeOptions> parse_options(std::string_view text) {
  if (text.empty()) return ChangeOptions{};
  auto document = parse_strict(text);
  if (!document) return contract::Error{"the body is " + document.error()};
  const json::object* body = document->if_object();
  if (body == nullptr)
    return contract::Error{fmt::format("expected an object as the body, got {}", quote_value(*document))};
  std::string error;
  ObjectReader reader(*body, "", error);
  reader.optional(field::kChanges);
  const ChangeOptions options = read_options(reader);
  reader.finish();
  if (!error.empty()) return contract::Error{error};
  return options;
}

contract::Result<std::vector<Change>> parse_changes(std::string_view text, const PoolProbe& pool_probe,
                                                    size_t max_changes) {
  auto document = parse_strict(text);
  if (!document) return contract::Error{"the body is " + document.error()};
  const json::object* body = document->if_object();
  if (body == nullptr) {
    return contract::Error{
        fmt::format("expected an object {{\"changes\": […]}} as the body, got {}", quote_value(*document))};
  }
  std::string error;
  ObjectReader reader(*body, "", error);
  const json::value* value = reader.required(field::kChanges);
  read_options(reader);
  reader.finish();
  if (!error.empty()) return contract::Error{error};
  const json::array* list = value->if_array();
  if (list == nullptr || list->empty() || list->size() > max_changes) {
    return contract::Error{
        fmt::format("changes: expected a list of 1 to {} changes, got {}", max_changes, quote_value(*value))};
  }

  std::vector<Change> changes;
  changes.reserve(list->size());
  for (size_t i = 0; i < list->size(); ++i) {
    const std::string path = fmt::format("changes[{}]", i);
    const json::object* object = (*list)[i].if_object();
    if (object == nullptr) {
      return contract::Error{fmt::format("{}: expected an object, got {}", path, quote_value((*list)[i]))};
    }
    changes.push_back(read_change(*object, pool_probe, path, error));
    if (!error.empty()) return contract::Error{error};
  }
  return changes;
}

}  // namespace warmswap::api
