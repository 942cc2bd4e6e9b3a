#include "controlplane/api/router.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "controlplane/api/protocol.h"
#include "tests/unit/controlplane/api/fake_service.h"
#include "tests/unit/controlplane/api/json_reader.h"

namespace warmswap::api {
namespace {

namespace json = boost::json;

class RouterTest : public testing::Test {
 protected:
  Response get(const std::string& target) { return router.handle({.method = "GET", .target = target}); }
  Response post(const std::string& target, const std::string& body, const std::string& type = "application/json") {
    return router.handle({.method = "POST", .target = target, .content_type = type, .body = body});
  }
  /// The sentence of a refusal, which must be JSON with an `error`.
  std::string error(const Response& response) {
    EXPECT_EQ(response.content_type, "application/json");
    const json::value body = read_json(response.body);
    EXPECT_TRUE(body.is_object() && body.as_object().contains("error")) << response.body;
    return std::string(body.at("error").as_string());
  }

  FakeService service;
  Router router{service, "/run/warmswap/edge1.sock"};
};

const std::string kOneChange = R"({"changes":[{"op":"weight","pool":"web","backend":"web1","weight":5}]})";

TEST_F(RouterTest, EveryJsonEndpointAnswersWithAnObject) {
  for (const std::string target :
       {"/v1/status", "/v1/vips", "/v1/pools", "/v1/backends", "/v1/backends?pool=web", "/v1/events", "/v1/drops",
        "/v1/events?since=1&limit=10", "/v1/version",
        "/v1/explain?source=203.0.113.7&source_port=40&destination=198.51.100.10&destination_port=80&protocol=tcp"}) {
    const Response response = get(target);
    EXPECT_EQ(response.status, 200u) << target;
    EXPECT_EQ(response.content_type, "application/json");
    EXPECT_TRUE(read_json(response.body).is_object()) << target;
  }
}

TEST_F(RouterTest, MetricsAndHealthAreText) {
  const Response metrics = get("/metrics");
  EXPECT_EQ(metrics.status, 200u);
  EXPECT_EQ(metrics.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(get("/healthz").status, 200u);
  service.status_value.generation = 0;
  EXPECT_EQ(get("/healthz").status, 503u);
  service.status_value.generation = 1;
  service.status_value.dataplane.alive = false;
  EXPECT_EQ(get("/healthz").status, 503u);
}

TEST_F(RouterTest, HeadAnswersLikeGet) {
  EXPECT_EQ(router.handle({.method = "HEAD", .target = "/v1/version"}).body, get("/v1/version").body);
}

TEST_F(RouterTest, UnknownPathListsTheEndpoints) {
  for (const std::string target : {"/", "/v1", "/v1/status/", "/v2/status", "/v1/Status", "/v1/../metrics", "*"}) {
    const Response response = get(target);
    EXPECT_EQ(response.status, 404u) << target;
    const json::value body = read_json(response.body);
    EXPECT_EQ(body.at("endpoints").as_array().size(), 15u);
  }
}

TEST_F(RouterTest, WrongMethodSaysWhichAreAllowed) {
  for (const std::string method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "get"}) {
    const Response response = router.handle({.method = method, .target = "/v1/status"});
    EXPECT_EQ(response.status, 405u) << method;
    EXPECT_EQ(response.allow, "GET, HEAD");
    error(response);
  }
  for (const std::string method : {"GET", "HEAD", "PUT"}) {
    const Response response = router.handle({.method = method, .target = "/v1/changes"});
    EXPECT_EQ(response.status, 405u) << method;
    EXPECT_EQ(response.allow, "POST");
  }
}

TEST_F(RouterTest, TheReadOnlyListenerTakesNoChange) {
  for (const std::string target : {"/v1/changes", "/v1/reload", "/v1/status"}) {
    const Response response =
        router.handle({.method = "POST", .target = target, .body = kOneChange, .read_only = true});
    EXPECT_EQ(response.status, 405u);
    EXPECT_EQ(response.allow, "GET, HEAD");
    EXPECT_NE(error(response).find("/run/warmswap/edge1.sock"), std::string::npos);
  }
  EXPECT_TRUE(service.applied.empty());
  EXPECT_EQ(service.reloads, 0);
  EXPECT_EQ(router.handle({.method = "GET", .target = "/v1/status", .read_only = true}).status, 200u);
}

TEST_F(RouterTest, TheReadOnlyListenerDoesNotExplain) {
  const std::string flow =
      "?source=203.0.113.7&source_port=40000&destination=198.51.100.10&destination_port=80&protocol=tcp";
  for (const std::string method : {"GET", "HEAD"}) {
    for (const std::string& query : {flow, std::string(), std::string("?x=1")}) {
      const Response response = router.handle({.method = method, .target = "/v1/explain" + query, .read_only = true});
      EXPECT_EQ(response.status, 403u) << method << query;
      EXPECT_NE(error(response).find("/run/warmswap/edge1.sock"), std::string::npos);
      EXPECT_EQ(read_json(response.body).as_object().size(), 1u) << "nothing but the sentence: " << response.body;
    }
  }
  EXPECT_EQ(router.handle({.method = "POST", .target = "/v1/explain", .read_only = true}).status, 405u);
  EXPECT_EQ(get("/v1/explain" + flow).status, 200u);
}

TEST_F(RouterTest, BadParametersAreNamed) {
  const std::string explain =
      "/v1/explain?source=203.0.113.7&source_port=1&destination=198.51.100.10&destination_port=";
  const std::pair<std::string, std::string> table[] = {
      {"/v1/status?x=1", "/v1/status has no parameter \"x\""},
      {"/v1/backends?pool=a&pool=b", "given twice"},
      {"/v1/backends?pool=%2", "hexadecimal"},
      {"/v1/events?since=-1", "since: expected the sequence number"},
      {"/v1/events?since=", "since: expected"},
      {"/v1/events?since=18446744073709551616", "since: expected"},
      {"/v1/events?limit=0", "limit: expected an integer from 1 to 1000"},
      {"/v1/events?limit=1001", "limit: expected"},
      {"/v1/events?limit=ten", "limit: expected"},
      {"/v1/explain", "the parameter source is missing"},
      {"/v1/explain?source=1.2.3", "source: expected an IPv4 address, got \"1.2.3\""},
      {explain, "destination_port: expected a port"},
      {explain + "65536", "destination_port: expected a port"},
      {explain + "80&protocol=icmp", "protocol: expected tcp or udp, got \"icmp\""},
  };
  for (const auto& [target, says] : table) {
    const Response response = get(target);
    EXPECT_EQ(response.status, 400u) << target;
    EXPECT_NE(error(response).find(says), std::string::npos) << target << ": " << response.body;
  }
  EXPECT_EQ(get("/v1/backends?pool=nowhere").status, 404u);
}

TEST_F(RouterTest, FiltersAndPages) {
  EXPECT_EQ(read_json(get("/v1/backends?pool=web").body).at("backends").as_array().size(), 4u);
  EXPECT_EQ(read_json(get("/v1/events?since=1").body).at("events").as_array().size(), 1u);
  const json::value newest = read_json(get("/v1/events?limit=1").body);
  EXPECT_EQ(newest.at("events").at(0).at("seq"), 2);
  EXPECT_EQ(newest.at("last"), 2);
}

TEST_F(RouterTest, AppliesChangesOnceAndWhole) {
  const Response response = post("/v1/changes", kOneChange);
  EXPECT_EQ(response.status, 200u) << response.body;
  ASSERT_EQ(service.applied.size(), 1u);
  EXPECT_EQ(service.applied[0], (std::vector<Change>{SetWeight{"web", "web1", 5}}));
  const json::value body = read_json(response.body);
  EXPECT_EQ(body.at("generation"), 43);
  EXPECT_EQ(body.at("slots_moved"), 21845);
}

TEST_F(RouterTest, AnAddedProbeInheritsThePools) {
  EXPECT_EQ(post("/v1/changes", R"({"changes":[{"op":"add","pool":"web","backend":"n","address":"192.0.2.9",
                                    "probe":{"path":"/ready"}}]})")
                .status,
            200u);
  const auto& probe = std::get<AddBackend>(service.applied.at(0).at(0)).backend.probe;
  ASSERT_TRUE(probe.has_value());
  EXPECT_EQ(probe->kind, config::ProbeKind::http);
  EXPECT_EQ(probe->interval, std::chrono::milliseconds(100));
  EXPECT_EQ(probe->path, "/ready");
}

TEST_F(RouterTest, BadChangesReachNobody) {
  for (const std::string body : {"", "{}", "[]", R"({"changes":[{"op":"enable"}]})"}) {
    const Response response = post("/v1/changes", body);
    EXPECT_EQ(response.status, 400u);
    error(response);
  }
  EXPECT_TRUE(service.applied.empty());
}

TEST_F(RouterTest, RefusalsBecomeStatusCodes) {
  const std::pair<Refusal, unsigned> table[] = {{Refusal::invalid, 422},
                                                {Refusal::not_found, 404},
                                                {Refusal::conflict, 409},
                                                {Refusal::arena_full, 507},
                                                {Refusal::no_segment, 503}};
  for (const auto& [refusal, status] : table) {
    service.result = {.refusal = refusal, .error = "because of \"this\""};
    for (const Response& response : {post("/v1/changes", kOneChange), post("/v1/reload", "")}) {
      EXPECT_EQ(response.status, status);
      EXPECT_EQ(error(response), "because of \"this\"");
    }
  }
}

TEST_F(RouterTest, ReloadTakesNoArgument) {
  EXPECT_EQ(post("/v1/reload", "").status, 200u);
  EXPECT_EQ(post("/v1/reload", "{}").status, 200u);
  EXPECT_EQ(service.reloads, 2);
  for (const std::string body : {"[]", "x", R"({"file":"/etc/passwd"})"}) {
    EXPECT_EQ(post("/v1/reload", body).status, 400u);
  }
  EXPECT_EQ(service.reloads, 2);
}

TEST_F(RouterTest, ContentTypes) {
  for (const std::string type : {"", "application/json", "Application/JSON; charset=utf-8", "application/json ;x",
                                 "application/x-www-form-urlencoded"}) {
    EXPECT_EQ(post("/v1/changes", kOneChange, type).status, 200u) << type;
  }
  for (const std::string type :
       {"text/plain", "multipart/form-data; boundary=x", "application/jsonx", "application/xml"}) {
    const Response response = post("/v1/changes", kOneChange, type);
    EXPECT_EQ(response.status, 415u) << type;
    error(response);
  }
}

TEST_F(RouterTest, AnExceptionIsAnAnswer) {
  service.on_status = [] { throw std::runtime_error("the \xff thing broke"); };
  const Response response = get("/v1/status");
  EXPECT_EQ(response.status, 500u);
  EXPECT_NE(error(response).find("thing broke"), std::string::npos);
}

TEST_F(RouterTest, HostileTargetsAreQuotedShort) {
  const Response response = get("/" + std::string(6000, 'x') + "\x01\xff");
  EXPECT_EQ(response.status, 404u);
  EXPECT_LT(response.body.size(), 1000u);
  read_json(response.body);
}

TEST_F(RouterTest, TheFileIsShownOnTheControlSocketOnly) {
  service.save_plan = {.file = "/etc/w.toml", .before = "a", .after = "b", .changes = {"weight web/web1 5"}};
  const Response response = get("/v1/save");
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(response.body, R"({"file":"/etc/w.toml","changes":["weight web/web1 5"],"before":"a","after":"b"})");
  EXPECT_EQ(router.handle({.method = "GET", .target = "/v1/save", .read_only = true}).status, 403u);
  EXPECT_NE(get("/v1/save?drop_in=true").body.find("/etc/w.toml.d"), std::string::npos);
  EXPECT_EQ(get("/v1/save?drop_in=perhaps").status, 400u);
  service.save_plan = {.refusal = Refusal::conflict, .error = "changed"};
  EXPECT_EQ(get("/v1/save").status, 409u);
}

}  // namespace
}  // namespace warmswap::api
