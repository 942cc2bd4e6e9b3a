// Rules within one pool: its ring, its backends and what they are to each other.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "controlplane/config/rules.h"
#include "controlplane/config/text.h"

namespace warmswap::config {
namespace {

void check_standby(Findings& out, const PoolConfig& pool, const BackendConfig& hot, const std::string& key) {
  if (hot.standby.empty() || hot.role != Role::hot) return;
  const auto refuse = [&](const std::string& expectation) {
    out.push_back(wrong(key + ".standby", quote(hot.standby), expectation));
    out.back().depends = {key + ".role", item_key("pool", pool.name) + ".mode"};
  };
  const BackendConfig* standby = pool.find_backend(hot.standby);
  if (pool.mode == Mode::hot_hot) {
    refuse("expected no standby in a pool of mode \"hot-hot\", where the survivors share a failed backend's slots");
  } else if (standby == nullptr) {
    std::vector<std::string> warm;
    for (const BackendConfig& backend : pool.backends) {
      if (backend.role == Role::warm) warm.push_back(backend.name);
    }
    refuse("expected a warm backend of this pool" + did_you_mean(hot.standby, warm));
  } else if (standby->role != Role::warm) {
    refuse(fmt::format("expected a warm backend of this pool, and {} is hot", standby->name));
  } else if (!hot.domain.empty() && hot.domain == standby->domain) {
    out.push_back(warn(key + ".standby", fmt::format("{} stands in the same failure domain, {}, and may fail together "
                                                     "with it",
                                                     standby->name, quote(hot.domain))));
  }
}

void check_ring(Findings& out, const PoolConfig& pool, const std::string& key) {
  const std::string ring_key = key + ".ring_size";
  const std::string shown = fmt::to_string(pool.ring_size);
  if (!kRingSize.holds(pool.ring_size)) {
    out.push_back(wrong(ring_key, shown, expected(kRingSize)));
    return;
  }
  if (!is_prime(pool.ring_size)) {
    uint32_t next = pool.ring_size;
    while (!is_prime(next)) ++next;
    out.push_back(wrong(ring_key, shown,
                        fmt::format("expected a prime number, which Maglev needs to reach every slot; "
                                    "the next one is {}",
                                    next)));
  }
  uint64_t hot = 0, weights = 0;
  uint32_t lightest = 0;
  for (const BackendConfig& backend : pool.backends) {
    if (backend.role != Role::hot || backend.weight == 0) continue;
    ++hot;
    weights += backend.weight;
    lightest = lightest == 0 ? backend.weight : std::min(lightest, backend.weight);
  }
  if (hot == 0) {
    out.push_back(warn(key, "no hot backend with a weight above 0: its vips answer nobody"));
  } else if (pool.ring_size < hot * kLeastSlotsPerBackend) {
    out.push_back(wrong(ring_key, shown,
                        fmt::format("expected at least {} slots for each of the {} hot backends: {}",
                                    kLeastSlotsPerBackend, hot, hot * kLeastSlotsPerBackend)));
  } else if (pool.ring_size < hot * kGoodSlotsPerBackend) {
    out.push_back(
        warn(ring_key, fmt::format("fewer than {} slots for each of the {} hot backends: shares may differ from "
                                   "the weights by more than 1 %",
                                   kGoodSlotsPerBackend, hot)));
  } else if (uint64_t{pool.ring_size} * lightest < weights) {
    out.push_back(warn(
        ring_key, fmt::format("the backend of weight {} owns less than one slot of {}", lightest, pool.ring_size)));
  }
}

void check_load(Findings& out, const LoadConfig& load, const std::string& key) {
  uint32_t weights = 0;
  for (const auto& [name, weight] :
       {std::pair{".cpu", load.cpu}, std::pair{".memory", load.memory}, std::pair{".disk", load.disk},
        std::pair{".network", load.network}, std::pair{".run_queue", load.run_queue},
        std::pair{".connections", load.connections}}) {
    check_number(out, key + name, weight, kLoadWeight);
    weights += weight;
  }
  check_number(out, key + ".threshold", load.threshold, kThreshold);
  check_duration(out, key + ".interval", load.interval, kLoadInterval);
  check_duration(out, key + ".half_life", load.half_life, kLoadTime);
  check_number(out, key + ".step", load.step, kStep);
  check_number(out, key + ".least", load.least, kSharePercent);
  check_duration(out, key + ".hold", load.hold, kLoadTime);
  if (load.balance && weights == 0) out.push_back(warn(key, "all weights are 0: there is no load to balance by"));
}

void check_anomaly(Findings& out, const AnomalyConfig& anomaly, const std::string& key) {
  check_number(out, key + ".deviations", anomaly.deviations, kDeviations);
  check_number(out, key + ".ratio", anomaly.ratio, kDeviations);
  check_duration(out, key + ".floor", anomaly.floor, kFloor);
  check_number(out, key + ".errors", anomaly.errors, kSharePercent);
  check_number(out, key + ".probes", anomaly.probes, kFallRise);
  check_duration(out, key + ".time", anomaly.time, kEjection);
  check_duration(out, key + ".time_max", anomaly.time_max, kEjection);
  check_number(out, key + ".most", anomaly.most, kPercent);
  if (anomaly.time_max < anomaly.time) {
    out.push_back(wrong(key + ".time_max", quote(format_duration(anomaly.time_max)),
                        "expected at least time, " + format_duration(anomaly.time)));
    out.back().depends = {key + ".time"};
  }
}

/// When signals are not believed, and what becomes of those that are left.
void check_guard(Findings& out, const PoolConfig& pool, const std::string& key) {
  check_number(out, key + ".guard.panic_threshold", pool.guard.panic_threshold, kPercent);
  check_number(out, key + ".guard.self_suspicion", pool.guard.self_suspicion, kPercent);
  check_duration(out, key + ".guard.self_suspicion_hold", pool.guard.self_suspicion_hold, kDoubt);
  if (pool.guard.panic_threshold > 0 && pool.guard.fail == Fail::closed) {
    out.push_back(warn(key + ".guard.panic_threshold", "has no effect on a pool that fails closed"));
  }
  if (pool.guard.overload == Overload::carry) return;
  for (const BackendConfig& backend : pool.backends) {
    if (backend.role != Role::hot || backend.weight == 0 || backend.capacity > 0) continue;
    out.push_back(wrong(key + ".guard.overload", "\"shed\"",
                        fmt::format("expected a capacity for each hot backend, and {} has none", quote(backend.name))));
    out.back().depends = {item_key(key + ".backend", backend.name) + ".capacity"};
    return;
  }
}

/// That each kind says what it asks for, and nothing else.
void check_warm_requests(Findings& out, const WarmConfig& warm, const std::string& key) {
  const bool tcp = warm.kind == ProbeKind::tcp;
  const std::string kind = fmt::format("kind = {}", quote(to_string(warm.kind)));
  const auto refuse = [&](const char* name, const std::string& value, const std::string& expectation) {
    out.push_back(wrong(key + name, quote(value), expectation));
    out.back().depends = {key + ".kind"};
  };
  if (tcp && !warm.paths.empty()) refuse(".paths", warm.paths.front(), "expected payloads with " + kind);
  if (!tcp && !warm.payloads.empty()) refuse(".payloads", warm.payloads.front(), "expected paths with " + kind);
  if (!tcp && !warm.expect.empty()) {
    refuse(".expect", warm.expect, "expected none with " + kind + ", of which any status below 400 is good");
  }
  for (const std::string& path : warm.paths) {
    if (!is_http_path(path)) out.push_back(wrong(key + ".paths", quote(path), kPathExpectation));
  }
  for (const std::string& payload : warm.payloads) check_payload(out, key + ".payloads", payload);
  check_payload(out, key + ".expect", warm.expect);
}

void check_warm(Findings& out, const PoolConfig& pool, const std::string& key) {
  const WarmConfig& warm = pool.warm;
  const std::string requests = key + (warm.kind == ProbeKind::tcp ? ".payloads" : ".paths");
  check_warm_requests(out, warm, key);
  check_duration(out, key + ".interval", warm.interval, kInterval);
  check_number(out, key + ".jitter", warm.jitter_percent, kJitterPercent);
  check_number(out, key + ".rate", warm.rate, kRate);
  check_duration(out, key + ".response_time", warm.response_time, kResponseTime);
  check_duration(out, key + ".hold", warm.hold, kWarmHold);
  check_duration(out, key + ".verify", warm.verify, kVerify);
  check_number(out, key + ".budget", warm.budget, kBudget);
  if (warm.rate > 0 && warm.requests().empty()) {
    out.push_back({requests, " is missing: expected what simulated load (rate) asks for"});
    out.back().depends = {key + ".rate", key + ".kind"};
  }
  if (warm.budget < warm.rate) {
    out.push_back(wrong(key + ".budget", fmt::to_string(warm.budget),
                        fmt::format("expected at least rate, {}, or no standby is ever warm", warm.rate)));
    out.back().depends = {key + ".rate"};
  }
  if (!warm.requests().empty() && pool.mode == Mode::hot_hot) {
    out.push_back(warn(requests, "has no effect in a pool of mode \"hot-hot\", which has no standbys"));
  }
}

/// How seats change hands, and what protects them.
void check_sharing(Findings& out, const PoolConfig& pool, const std::string& key) {
  check_number(out, key + ".failback_step", pool.failback_step, kSharePercent);
  check_duration(out, key + ".failback_pause", pool.failback_pause, kRamp);
  check_duration(out, key + ".promotion_ramp", pool.promotion_ramp, kRamp);
  check_number(out, key + ".activate_below", pool.activate_below, kSharePercent);
  check_number(out, key + ".trickle", pool.trickle, kTrickle);
  check_duration(out, key + ".slow_start.window", pool.slow_start.window, kRamp);
  check_number(out, key + ".slow_start.aggression", pool.slow_start.aggression, kAggression);
  check_number(out, key + ".slow_start.least", pool.slow_start.least, kSharePercent);
  check_number(out, key + ".heartbeat.missed", pool.heartbeat.missed, kMissed);
  check_load(out, pool.load, key + ".load");
  check_anomaly(out, pool.anomaly, key + ".anomaly");
  check_warm(out, pool, key + ".warm");
  check_number(out, key + ".limits.max_slots_moved", pool.limits.max_slots_moved, kSharePercent);
  check_number(out, key + ".limits.max_load", pool.limits.max_load, kThresholdOfCapacity);
  check_guard(out, pool, key);
  if (pool.mode == Mode::hot_hot) {
    for (const auto& [name, set] :
         {std::pair{".activate_below", pool.activate_below < 100}, std::pair{".trickle", pool.trickle > 0},
          std::pair{".promotion_ramp", pool.promotion_ramp.count() > 0}}) {
      if (set) out.push_back(warn(key + name, "has no effect in a pool of mode \"hot-hot\", which has no standbys"));
    }
  }
}

}  // namespace

Findings check_pool(const PoolConfig& pool) {
  Findings out;
  const std::string key = item_key("pool", pool.name);
  if (const auto name = check_name(pool.name); !name) out.push_back({key + ".name", " = " + name.error()});
  check_duration(out, key + ".hold_down", pool.hold_down, kHoldDown);
  check_duration(out, key + ".hold_down_max", pool.hold_down_max, kHoldDown);
  check_duration(out, key + ".flap_half_life", pool.flap_half_life, kFlapHalfLife);
  if (pool.hold_down_max < pool.hold_down) {
    out.push_back(wrong(key + ".hold_down_max", quote(format_duration(pool.hold_down_max)),
                        "expected at least hold_down, " + format_duration(pool.hold_down)));
    out.back().depends = {key + ".hold_down"};
  }
  check_sharing(out, pool, key);
  append(out, check_probe(pool.probe, key + ".probe"));
  check_ring(out, pool, key);
  check_unique_names(out, names_of(pool.backends), key + ".backend");

  std::map<Be32, std::string_view> addresses;
  bool any_warm = false;
  for (const BackendConfig& backend : pool.backends) {
    const std::string backend_key = item_key(key + ".backend", backend.name);
    append(out, check_backend(backend, backend_key));
    check_standby(out, pool, backend, backend_key);
    const auto [first, fresh] = addresses.emplace(backend.address, backend.name);
    if (!fresh) {
      out.push_back(
          wrong(backend_key + ".address", quote(format_address(backend.address)),
                fmt::format("expected an address used once in a pool, and backend {} has it", quote(first->second))));
    }
    if (backend.role == Role::warm) {
      any_warm = true;
      if (pool.mode == Mode::hot_hot) {
        out.push_back(wrong(backend_key + ".role", "\"warm\"",
                            "expected \"hot\" in a pool of mode \"hot-hot\"; standbys need mode = \"hot-warm\""));
        out.back().depends = {key + ".mode"};
      }
    }
  }
  if (pool.mode == Mode::hot_warm && !any_warm) {
    out.push_back(
        warn(key, "mode is \"hot-warm\" and no backend is warm: a failed backend's slots go to the survivors"));
  }
  return out;
}

std::vector<std::string> validate_pool(const PoolConfig& pool) {
  std::vector<std::string> out;
  for (const Finding& finding : check_pool(pool)) {
    if (!finding.warning) out.push_back(to_string(finding));
  }
  return out;
}

}  // namespace warmswap::config
