// The result of a run as JSON, for programs (--json). Keys are only ever added; `schema` changes when one changes its
// meaning. Rates are packets a second, durations end in _ns or _s. By example:
//
//     {
//       "program": "warmswap-gen", "version": "0.1.0", "schema": 1, "command": "run",
//       "verdict": {"ok": true, "measured": true, "generator_limited": false, "noisy": false, "reasons": [],
//       "warnings": []}, "conditions": {"transmit_device": "net_memif0,…", "receive_device": "net_memif1,…", "replay":
//       "",
//                      "cores": [0], "hugepages": false, "tsc_hz": 2445000000, "processor": "AMD EPYC",
//                      "kernel": "6.1.0", "burst": 32, "seed": 1,
//                      "steal": 0.0, "waited": 0.002,   // shares of our cores' time that others had
//                      "start_realtime_ns": 1700000000000000000, "start_monotonic_ns": 123456789},
//       "traffic": [{"name": "stream", "protocol": "tcp", "vips": ["198.51.100.10"], "ports": "80",
//                    "sources": ["10.0.0.0/8"], "flows": 10000, "choice": "uniform", "sizes": "64", "kinds": "data"}],
//       "interrupted": false, "duration_s": 10.0,
//       "offered_pps": 1000000, "transmitted_pps": 999998, "received_pps": 999998,   // offered_pps null = unlimited
//       "offered": 10000000, "transmitted": 9999980, "transmitted_bytes": 599998800,
//       "refused": 0, "skipped": 0, "late": 12, "blocked": 0,
//       "received": 9999980, "received_bytes": 799998400, "lost": 0, "loss_ratio": 0.0, "duplicated": 0, "too_old": 0,
//       "reordered": 0, "misrouted_flows": 0, "backend_changes": 0,   // null where they were not checked
//       "frames": 9999980, "corrupt": 0, "foreign": 0, "stale": 0, "beyond": 0,
//       "device_drops": 0, "overruns": 0,
//       "latency_ns": {"count": 9999980, "min": 900, "mean": 4100.5, "p50": 3900, "p90": 6000, "p99": 15000,
//                      "p99_9": 40000, "p99_99": 90000, "max": 120000, "overflow": 0,
//                      "buckets": [[900, 12], [901, 40], …]},   // each: the least value, how many; to three digits
//       "inter_departure_ns": {…}, "lateness_ns": {…},
//       "streams": [{"name": "stream", "transmitted": …, "received": …, "lost": …, "duplicated": …, "too_old": …,
//                    "reordered": …, "misrouted_flows": …, "backend_changes": …, "latency_ns": {…}}],
//       "backends": [{"name": "ipip 192.0.2.11", "packets": 3333300, "bytes": …, "share": 0.3333,
//                     "first_ns": 52000, "last_ns": 9999990000}],                 // arrivals, since the start
//       "timeline": {"interval_ns": 100000000, "transmitted": [100000, …], "received": [99990, …],
//                    "backends": {"ipip 192.0.2.11": [33300, …]}}
//     }
#pragma once

#include <boost/json/object.hpp>
#include <string_view>

#include "perf/gen/result.h"
#include "perf/gen/search_result.h"
#include "perf/gen/self_test_result.h"

namespace warmswap::gen {

/// `command`: run, check or self-test.
boost::json::object to_json(const RunResult& result, const Verdict& verdict, std::string_view command = "run");
/// `command` "search". With "goals": [{"name": "NDR", "loss_ratio": 0, "outcome": "found", "lower_pps": …,
/// "upper_pps": …, "throughput_pps": …, "irregular": false}] (null = there is none; for rfc2544 the one goal has no
/// loss and `confirmed` besides), "trials": [{"rate_pps": …, "duration_s": …, "sent": …, "received": …, "loss_ratio":
/// …, "valid": true, "latency_ns": {"p50": …, "p99": …, "p99_9": …, "max": …}}], "time_spent_s", "noisy_trials",
/// "faults".
boost::json::object to_json(const SearchResult& result);
/// "transmit_only", "loop" and "half": results as above, with `command` "self-test".
boost::json::object to_json(const SelfTestResult& result);
/// The members of "latency_ns".
boost::json::object to_json(const perf::HdrHistogram& histogram);
/// "program", "version", "schema", "command".
boost::json::object json_head(std::string_view command);

}  // namespace warmswap::gen
