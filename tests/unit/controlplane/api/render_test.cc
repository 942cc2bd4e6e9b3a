#include "controlplane/api/render.h"

#include <gtest/gtest.h>

#include "controlplane/api/protocol.h"
#include "controlplane/api/warnings.h"
#include "tests/unit/controlplane/api/fake_service.h"
#include "tests/unit/controlplane/api/json_reader.h"

namespace warmswap::api {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

TEST(Render, StatusKeepsEveryValue) {
  FakeService service;
  service.status_value.generation = UINT64_MAX;
  service.status_value.warnings = {"own"};
  service.status_value.publish.last_ack.reset();
  const json::value status = read_json(render_status(service.status_value, service.pool_values, {"derived"}));
  EXPECT_EQ(status.at("instance"), "edge1");
  EXPECT_EQ(status.at("generation").as_uint64(), UINT64_MAX);
  EXPECT_EQ(status.at("fingerprint"), "fedcba9876543210");
  EXPECT_EQ(status.at("uptime_ms"), 11520000);
  EXPECT_EQ(status.at("warnings"), (json::array{"own", "derived"}));
  const json::value& dataplane = status.at("dataplane");
  EXPECT_TRUE(dataplane.at("alive").as_bool());
  EXPECT_EQ(dataplane.at("pid"), 4711);
  EXPECT_EQ(dataplane.at("workers").at(1).at("received_packets"), 2000);
  EXPECT_EQ(dataplane.at("workers").at(1).at("idle_loops"), 3000);
  EXPECT_EQ(dataplane.at("ports").at(0).at("mac"), "02:00:00:00:00:01");
  EXPECT_EQ(status.at("publish").at("build_us"), 312);
  EXPECT_TRUE(status.at("publish").at("last_ack_us").is_null());
  EXPECT_EQ(status.at("lease").at("remaining_ms"), 1800);
  EXPECT_EQ(status.at("counts").at("failovers"), 1);
  const json::value& seat = status.at("pools").at(0).at("seats").at(1);
  EXPECT_EQ(seat.at("owner"), "web2");
  EXPECT_EQ(seat.at("holder"), "warm1");
  EXPECT_EQ(seat.at("since"), "2026-03-01T12:01:00.000000Z");
  EXPECT_DOUBLE_EQ(seat.at("share").as_double(), 21846 / 65537.0);
  EXPECT_TRUE(status.at("pools").at(1).at("seats").at(1).at("holder").is_null());
}

TEST(Render, BackendsSayNullForWhatIsNotThere) {
  FakeService service;
  service.backend_values[3].last_probe.reset();
  const json::value answer = read_json(render_backends(service.backend_values));
  const json::value& web1 = answer.at("backends").at(3);
  EXPECT_TRUE(web1.at("last_probe").is_null());
  EXPECT_TRUE(web1.at("holds_seat_of").is_null());
  EXPECT_EQ(web1.at("handshakes").at("retransmitted"), 2);
  EXPECT_EQ(web1.at("handshakes").at("time_us"), 41200);
  const json::value& web2 = answer.at("backends").at(4);
  EXPECT_TRUE(web2.at("handshakes").is_null());
  EXPECT_TRUE(web2.at("next_hop").at("mac").is_null());
  EXPECT_EQ(web2.at("last_probe").at("latency_us"), 50000);
  EXPECT_EQ(answer.at("backends").at(2).at("holds_seat_of"), "web2");
  EXPECT_EQ(answer.at("backends").at(2).at("role"), "warm");
}

TEST(Render, EventsCarryTheTimeline) {
  FakeService service;
  service.event_values[1].timeline->first_bad_signal.reset();
  const json::value answer = read_json(render_events(service.events(std::nullopt, 10)));
  EXPECT_EQ(answer.at("first"), 1);
  EXPECT_TRUE(answer.at("events").at(0).at("timeline").is_null());
  EXPECT_TRUE(answer.at("events").at(0).at("slots_moved").is_null());
  const json::value& event = answer.at("events").at(1);
  EXPECT_EQ(event.at("time"), "2026-03-01T12:01:00.123456Z");
  EXPECT_TRUE(event.at("timeline").at("first_bad_signal_us").is_null());
  EXPECT_EQ(event.at("timeline").at("decision_us"), 60200);
  EXPECT_EQ(event.at("survivor_slots_moved"), 0);
}

TEST(Render, ExplanationsStopWhereTheFlowDid) {
  FakeService service;
  const contract::FlowKey flow{Be32(0xcb007107), Be32(0xc633640a), contract::Be16(40000), contract::Be16(80), 6};
  const json::value forwarded = read_json(render_explanation(service.explain(flow)));
  EXPECT_EQ(forwarded.at("flow").at("source"), "203.0.113.7");
  EXPECT_EQ(forwarded.at("flow").at("destination_port"), 80);
  EXPECT_EQ(forwarded.at("hash"), "0123456789abcdef");
  EXPECT_EQ(forwarded.at("outer_destination"), "192.0.2.21");
  EXPECT_TRUE(forwarded.at("drop_reason").is_null());
  contract::FlowKey other = flow;
  other.destination_port = contract::Be16(81);
  const json::value dropped = read_json(render_explanation(service.explain(other)));
  EXPECT_EQ(dropped.at("verdict"), "drop");
  EXPECT_EQ(dropped.at("drop_reason"), "no_vip_port");
  EXPECT_TRUE(dropped.at("hash").is_null());
}

TEST(Render, DropsAreNamedAsInTheContract) {
  FakeService service;
  const json::value answer = read_json(render_drops(service.drop_values));
  ASSERT_EQ(answer.at("drops").as_array().size(), contract::kDropReasonCount);
  EXPECT_EQ(answer.at("drops").at(0).at("reason").as_string(), contract::kDropReasons[0].name);
  EXPECT_EQ(answer.at("drops").at(0).at("per_worker"), (json::array{2, 3}));
}

TEST(Render, WhatStrangersSentStaysJson) {
  FakeService service;
  service.backend_values[0].last_probe->detail = std::string("got \"\xff\0\xc3\" \x1b[31m", 14);
  service.backend_values[0].reason = std::string("nul\0byte", 8);
  const json::value answer = read_json(render_backends(service.backend_values));
  EXPECT_NE(answer.at("backends").at(0).at("last_probe").at("detail").as_string().find("\xef\xbf\xbd"),
            std::string::npos);
  EXPECT_EQ(answer.at("backends").at(0).at("reason").as_string().size(), 8u);
}

TEST(Warnings, AHealthySystemHasNone) {
  FakeService service;
  service.pool_values.pop_back();
  service.pool_values[0].seats[1].holder = "web2";
  for (MemberView& member : service.pool_values[0].backends) member.state = "serving";
  EXPECT_TRUE(derive_warnings(service.status_value, service.pool_values).empty());
}

TEST(Warnings, EachFaultHasItsSentence) {
  const auto joined = [](const FakeService& service) {
    std::string all;
    for (const std::string& warning : derive_warnings(service.status_value, service.pool_values)) all += warning + "\n";
    return all;
  };
  FakeService service;
  EXPECT_NE(joined(service).find("web/web2 is failed: warm1 holds its seat"), std::string::npos);
  EXPECT_NE(joined(service).find("dns/web1 is failed and no standby holds its seat: its slots are dealt to the others"),
            std::string::npos);
  service.pool_values[1].slots_without_backend = 251;
  service.pool_values[0].backends[1].state = "suspect";
  service.status_value.dataplane.workers[0].online = false;
  service.status_value.dataplane.workers[1].tick_age = 5000ms;
  service.status_value.lease.remaining = 0ms;
  service.status_value.dataplane.state = "frozen";
  for (const std::string expected :
       {"pool dns: 251 of 251 slots have no backend", "its slots have no backend", "web/web1 is suspect",
        "worker 0 on cpu 2 is offline", "worker 1 on cpu 3 has shown no life for 5000 ms", "lease has run out",
        "the dataplane is frozen, expected running"}) {
    EXPECT_NE(joined(service).find(expected), std::string::npos) << expected << " in\n" << joined(service);
  }
  service.status_value.dataplane.alive = false;
  EXPECT_NE(joined(service).find("the dataplane is not running"), std::string::npos);
}

}  // namespace
}  // namespace warmswap::api
