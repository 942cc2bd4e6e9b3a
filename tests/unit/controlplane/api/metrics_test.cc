#include "controlplane/api/metrics.h"

#include <gtest/gtest.h>

#include "controlplane/api/protocol.h"
#include "tests/unit/controlplane/api/exposition.h"
#include "tests/unit/controlplane/api/fake_service.h"

namespace warmswap::api {
namespace {

ParsedExposition scrape(const FakeService& service) {
  ParsedExposition parsed = parse_exposition(render_metrics(
      {service.status(), service.vips(), service.pools(), service.backends(std::nullopt), service.drops()}));
  EXPECT_EQ(parsed.fault, "");
  return parsed;
}

double value(const ParsedExposition& parsed, const std::string& family, const LabelSet& labels = {}) {
  const auto found = parsed.families.find("warmswap_" + family);
  if (found == parsed.families.end() || !found->second.samples.contains(labels)) {
    ADD_FAILURE() << "no such series in " << family;
    return -1;
  }
  return found->second.samples.at(labels);
}

TEST(Exposition, TheValidatorItselfIsStrict) {
  EXPECT_EQ(parse_exposition("# HELP a_total x\n# TYPE a_total counter\na_total{b=\"c\\n\\\\\\\"\"} 1\n").fault, "");
  for (const char* bad : {"a 1\n", "# HELP a x\na 1\n", "# TYPE a gauge\na 1\n", "# HELP a x\n# TYPE a gauge\na 1",
                          "# HELP a x\n# TYPE a gauge\nb 1\n", "# HELP a x\n# TYPE a counter\na 1\n",
                          "# HELP a x\n# TYPE a gauge\na 1\na 2\n", "# HELP a x\n# TYPE a gauge\na{b=\"\\x\"} 1\n",
                          "# HELP a x\n# TYPE a gauge\na{b=\"c} 1\n", "# HELP a x\n# TYPE a gauge\na{} 1\n",
                          "# HELP a x\n# TYPE a gauge\na  1\n", "# HELP a x\n# TYPE a gauge\na one\n",
                          "# HELP a x\n# TYPE a gauge\n\na 1\n", "# HELP a x\n# TYPE a gauge\na nan\n"}) {
    EXPECT_NE(parse_exposition(bad).fault, "") << bad;
  }
}

TEST(Metrics, FailoversAreCountedAndTimed) {
  FakeService service;
  service.status_value.failover.changes = {{"web", "failover", "heartbeat", 3}};
  service.status_value.failover.detection.buckets = {1, 0, 2};
  service.status_value.failover.detection.sum_seconds = 0.5;
  const ParsedExposition parsed = scrape(service);
  EXPECT_EQ(value(parsed, "seat_changes_total", {{"pool", "web"}, {"kind", "failover"}, {"cause", "heartbeat"}}), 3);
  EXPECT_EQ(value(parsed, "failover_detection_seconds", {{"of", "bucket"}, {"le", "0.0001"}}), 1);
  EXPECT_EQ(value(parsed, "failover_detection_seconds", {{"of", "bucket"}, {"le", "0.0005"}}), 3) << "cumulative";
  EXPECT_EQ(value(parsed, "failover_detection_seconds", {{"of", "bucket"}, {"le", "+Inf"}}), 3);
  EXPECT_EQ(value(parsed, "failover_detection_seconds", {{"of", "sum"}}), 0.5);
  EXPECT_EQ(value(parsed, "failover_detection_seconds", {{"of", "count"}}), 3);
}

TEST(Metrics, ShowWhatTheModelHolds) {
  FakeService service;
  service.vip_values[0].packets = UINT64_MAX / 2048;
  const ParsedExposition parsed = scrape(service);
  EXPECT_EQ(value(parsed, "generation"), 42);
  EXPECT_EQ(value(parsed, "dataplane_up"), 1);
  EXPECT_EQ(value(parsed, "publish_duration_seconds"), 4e-6);
  EXPECT_EQ(value(parsed, "lease_remaining_seconds"), 1.8);
  EXPECT_EQ(value(parsed, "build_info", {{"version", "0.1.0"}, {"abi", "1"}, {"instance", "edge1"}}), 1);
  EXPECT_EQ(value(parsed, "worker_received_packets_total", {{"worker", "1"}, {"cpu", "3"}}), 2000);
  EXPECT_EQ(value(parsed, "worker_tick_age_seconds", {{"worker", "0"}, {"cpu", "2"}}), 0.012);
  EXPECT_EQ(value(parsed, "vip_packets_total", {{"vip", "http"}, {"pool", "web"}}),
            static_cast<double>(UINT64_MAX / 2048));
  EXPECT_EQ(value(parsed, "seat_held_by_owner", {{"pool", "web"}, {"owner", "web2"}}), 0);
  EXPECT_EQ(value(parsed, "seat_held", {{"pool", "web"}, {"owner", "web2"}}), 1);
  EXPECT_EQ(value(parsed, "seat_held", {{"pool", "dns"}, {"owner", "web1"}}), 0);
  EXPECT_EQ(value(parsed, "backend_next_hop_resolved", {{"pool", "web"}, {"backend", "web2"}}), 0);
  EXPECT_EQ(value(parsed, "backend_probe_success", {{"pool", "web"}, {"backend", "web2"}}), 0);
  EXPECT_EQ(value(parsed, "backend_handshakes_total", {{"pool", "web"}, {"backend", "web1"}, {"outcome", "lapsed"}}),
            3);
  EXPECT_EQ(value(parsed, "backend_handshake_seconds", {{"pool", "web"}, {"backend", "web1"}}), 41.2e-3);
  EXPECT_EQ(parsed.families.at("warmswap_backend_handshakes_total").samples.size(), 3u)
      << "only of whom some are known";
  EXPECT_EQ(value(parsed, "dropped_packets_total", {{"reason", "truncated"}, {"worker", "1"}}), 3);
  EXPECT_EQ(parsed.families.at("warmswap_dropped_packets_total").samples.size(), 2 * contract::kDropReasonCount);
}

TEST(Metrics, ExactlyOneStatePerBackend) {
  const FakeService service;
  const ParsedExposition parsed = scrape(service);
  for (const BackendView& backend : service.backend_values) {
    double sum = 0;
    for (const std::string_view state : kBackendStates) {
      const double one = value(parsed, "backend_state",
                               {{"pool", backend.pool}, {"backend", backend.name}, {"state", std::string(state)}});
      EXPECT_EQ(one, backend.state == state ? 1 : 0);
      sum += one;
    }
    EXPECT_EQ(sum, 1);
  }
}

TEST(Metrics, LabelsAreEscaped) {
  FakeService service;
  const std::string hostile = "a\"b\\c\nd}, {e=\"";
  service.vip_values[0].name = hostile;
  service.status_value.instance = "bad \xff byte";
  const ParsedExposition parsed = scrape(service);
  EXPECT_EQ(value(parsed, "vip_bytes_total", {{"vip", hostile}, {"pool", "web"}}), 180000);
  EXPECT_EQ(value(parsed, "build_info", {{"version", "0.1.0"}, {"abi", "1"}, {"instance", "bad \xef\xbf\xbd byte"}}),
            1);
}

TEST(Metrics, AnEmptySystemIsWellFormed) {
  EXPECT_EQ(parse_exposition(render_metrics({})).fault, "");
}

}  // namespace
}  // namespace warmswap::api
