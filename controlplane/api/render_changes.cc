#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "controlplane/api/changes.h"
#include "controlplane/api/text.h"
#include "controlplane/api/words.h"
#include "controlplane/config/text.h"

namespace warmswap::api {

namespace json = boost::json;

namespace {

json::object probe_object(const config::ProbeConfig& probe) {
  return {
      {field::kKind, word(probe.kind)},
      {field::kPort, probe.port},
      {field::kInterval, config::format_duration(probe.interval)},
      {field::kTimeout, config::format_duration(probe.timeout)},
      {field::kJitter, probe.jitter_percent},
      {field::kFall, probe.fall},
      {field::kRise, probe.rise},
      {field::kPath, probe.path},
      {field::kHost, probe.host},
      {field::kTls, probe.tls},
      {field::kVerify, probe.verify},
      {field::kPayload, probe.payload},
      {field::kExpect, probe.expect},
      {field::kService, probe.service},
      {field::kVia, config::word_for(config::kProbeViaWords, probe.via)},
      {field::kExpectStatus, json::array(probe.expect_status.begin(), probe.expect_status.end())},
  };
}

json::object common(std::string_view op, const std::string& pool, const std::string& backend) {
  return {{field::kOp, op}, {field::kPool, pool}, {field::kBackend, backend}};
}

struct Renderer {
  json::object operator()(const AddBackend& add) const {
    const config::BackendConfig& backend = add.backend;
    json::object object = common(operation::kAdd, add.pool, backend.name);
    object[field::kAddress] = format_address(backend.address);
    object[field::kRole] = word(backend.role);
    object[field::kWeight] = backend.weight;
    object[field::kCapacity] = backend.capacity;
    object[field::kDomain] = backend.domain;
    object[field::kStandby] = backend.standby;
    object[field::kEnabled] = backend.enabled;
    if (backend.probe) object[field::kProbe] = probe_object(*backend.probe);
    return object;
  }
  json::object operator()(const RemoveBackend& c) const { return common(operation::kRemove, c.pool, c.backend); }
  json::object operator()(const SetWeight& c) const {
    json::object object = common(operation::kWeight, c.pool, c.backend);
    object[field::kWeight] = c.weight;
    return object;
  }
  json::object operator()(const EnableBackend& c) const { return common(operation::kEnable, c.pool, c.backend); }
  json::object operator()(const DisableBackend& c) const { return common(operation::kDisable, c.pool, c.backend); }
  json::object operator()(const ForceFailover& c) const {
    json::object object = common(operation::kFailover, c.pool, c.backend);
    if (c.to) object[field::kTo] = *c.to;
    return object;
  }
  json::object operator()(const ForceFailoverDomain& c) const {
    return {{field::kOp, operation::kFailover}, {field::kPool, c.pool}, {field::kDomain, c.domain}};
  }
  json::object operator()(const ForceFailback& c) const {
    json::object object = common(operation::kFailback, c.pool, c.backend);
    if (c.whole) object[field::kWhole] = true;
    return object;
  }
  json::object operator()(const SwapBackends& c) const {
    json::object object = common(operation::kSwap, c.pool, c.backend);
    object[field::kWith] = c.with;
    return object;
  }
  json::object operator()(const DrainBackend& c) const {
    json::object object = common(operation::kDrain, c.pool, c.backend);
    object[field::kFor] = config::format_duration(c.length);
    return object;
  }
  json::object operator()(const DrillBackend& c) const {
    json::object object = common(operation::kDrill, c.pool, c.backend);
    if (c.to) object[field::kTo] = *c.to;
    object[field::kFor] = config::format_duration(c.length);
    return object;
  }
};

}  // namespace

std::string render_changes(const std::vector<Change>& changes) {
  json::array list;
  for (const Change& change : changes) list.push_back(std::visit(Renderer{}, change));
  return json::serialize(json::object{{field::kChanges, std::move(list)}});
}

}  // namespace warmswap::api
