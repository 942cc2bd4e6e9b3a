#include "controlplane/api/changes.h"

#include <gtest/gtest.h>

#include <random>

namespace warmswap::api {
namespace {

using config::ProbeConfig;
using config::Role;
using namespace std::chrono_literals;

std::optional<ProbeConfig> no_pool(std::string_view) {
  return std::nullopt;
}

std::vector<Change> parsed(const std::string& body) {
  auto changes = parse_changes(body, no_pool);
  EXPECT_TRUE(changes.ok()) << changes.error();
  return changes.ok() ? *changes : std::vector<Change>{};
}

std::string refusal(const std::string& body) {
  const auto changes = parse_changes(body, no_pool);
  return changes.ok() ? "" : changes.error();
}

std::string one(const std::string& change) {
  return "{\"changes\":[" + change + "]}";
}

TEST(ParseChanges, ReadsEveryOperation) {
  const auto changes = parsed(R"({"changes": [
      {"op": "add", "pool": "web", "backend": "web4", "address": "192.0.2.14", "weight": 7},
      {"op": "remove", "pool": "web", "backend": "web1"},
      {"op": "weight", "pool": "web", "backend": "web1", "weight": 0},
      {"op": "enable", "pool": "web", "backend": "web1"},
      {"op": "disable", "pool": "web", "backend": "web1"},
      {"op": "failover", "pool": "web", "backend": "web1"},
      {"op": "failover", "pool": "web", "backend": "web1", "to": "warm1"},
      {"op": "failback", "pool": "web", "backend": "web1"}]})");
  config::BackendConfig backend{.name = "web4", .address = config::Be32(0xc000020e), .weight = 7};
  const std::vector<Change> expected = {AddBackend{"web", backend},
                                        RemoveBackend{"web", "web1"},
                                        SetWeight{"web", "web1", 0},
                                        EnableBackend{"web", "web1"},
                                        DisableBackend{"web", "web1"},
                                        ForceFailover{"web", "web1", std::nullopt},
                                        ForceFailover{"web", "web1", "warm1"},
                                        ForceFailback{"web", "web1"}};
  EXPECT_EQ(changes, expected);
}

TEST(ParseChanges, ReadsAWholeBackend) {
  const auto changes = parsed(one(R"({"op": "add", "pool": "web", "backend": "w", "address": "192.0.2.14",
      "role": "warm", "weight": 65535, "domain": "rack-1", "standby": "", "enabled": false,
      "probe": {"kind": "http", "port": 8080, "interval": "50ms", "timeout": "20ms", "jitter": 0, "fall": 1,
                "rise": 100, "path": "/ready?x=1", "host": "www.example.com", "expect_status": [200, 204],
                "tls": true, "verify": true}})"));
  ASSERT_EQ(changes.size(), 1u);
  const auto& backend = std::get<AddBackend>(changes[0]).backend;
  EXPECT_EQ(backend.role, Role::warm);
  EXPECT_EQ(backend.weight, 65535u);
  EXPECT_EQ(backend.domain, "rack-1");
  EXPECT_FALSE(backend.enabled);
  ASSERT_TRUE(backend.probe.has_value());
  const ProbeConfig expected{.kind = config::ProbeKind::http,
                             .port = 8080,
                             .interval = 50ms,
                             .timeout = 20ms,
                             .jitter_percent = 0,
                             .fall = 1,
                             .rise = 100,
                             .path = "/ready?x=1",
                             .host = "www.example.com",
                             .expect_status = {200, 204},
                             .tls = true,
                             .verify = true};
  EXPECT_EQ(*backend.probe, expected);
}

TEST(ParseChanges, ProbeInheritsFromThePool) {
  ProbeConfig pool_probe;
  pool_probe.kind = config::ProbeKind::http;
  pool_probe.interval = 200ms;
  pool_probe.timeout = 150ms;
  const auto lookup = [&](std::string_view pool) { return pool == "web" ? std::optional(pool_probe) : std::nullopt; };
  const auto probe_of = [&](const std::string& pool, const std::string& probe) {
    const auto changes = parse_changes(
        one(R"({"op":"add","backend":"b","address":"192.0.2.1","pool":")" + pool + R"(","probe":)" + probe + "}"),
        lookup);
    EXPECT_TRUE(changes.ok()) << changes.error();
    return std::get<AddBackend>((*changes)[0]).backend.probe.value_or(ProbeConfig{});
  };
  EXPECT_EQ(probe_of("web", "{}"), pool_probe);
  EXPECT_EQ(probe_of("other", "{}"), ProbeConfig{});
  const ProbeConfig quicker = probe_of("web", R"({"interval": "50ms"})");
  EXPECT_EQ(quicker.interval, 50ms);
  EXPECT_EQ(quicker.timeout, 50ms) << "the inherited timeout follows a shorter interval";
  EXPECT_EQ(quicker.kind, config::ProbeKind::http);
  pool_probe.host = "www.example.com";
  pool_probe.service = "shop.Cart";
  pool_probe.tls = true;
  pool_probe.via = config::ProbeVia::tunnel;
  EXPECT_EQ(probe_of("web", "{}"), pool_probe) << "all of it";
  EXPECT_EQ(probe_of("web", R"({"via": "direct"})").via, config::ProbeVia::direct);
  pool_probe.kind = config::ProbeKind::exec;
  pool_probe.command = {"/bin/true"};
  EXPECT_EQ(probe_of("web", R"({"interval": "50ms"})").command, pool_probe.command);
}

TEST(ParseChanges, DrainNeedsItsDeadline) {
  const auto changes = parse_changes(one(R"({"op":"drain","pool":"web","backend":"b","for":"10m"})"), nullptr);
  ASSERT_TRUE(changes.ok()) << changes.error();
  EXPECT_EQ(std::get<DrainBackend>(changes->front()), (DrainBackend{"web", "b", 10min}));
  EXPECT_EQ(*parse_changes(render_changes(*changes), nullptr), *changes);
  EXPECT_FALSE(parse_changes(one(R"({"op":"drain","pool":"web","backend":"b"})"), nullptr).ok());
  EXPECT_FALSE(parse_changes(one(R"({"op":"drain","pool":"web","backend":"b","for":"25h"})"), nullptr).ok());
}

TEST(ParseChanges, NobodyNamesAProgramThroughTheSocket) {
  const auto changes = parse_changes(
      one(R"({"op":"add","pool":"web","backend":"b","address":"192.0.2.1","probe":{"kind":"exec"}})"), nullptr);
  ASSERT_FALSE(changes.ok());
  EXPECT_NE(changes.error().find("only the configuration file says which programs are run"), std::string::npos)
      << changes.error();
}

TEST(ParseChanges, ReadsDurationsAsTheFileDoes) {
  const std::pair<std::string, std::chrono::nanoseconds> table[] = {
      {"1.5s", 1500ms}, {"0.25s", 250ms}, {"12.5ms", 12500us}, {"0.5m", 30s}, {"250ms", 250ms}};
  for (const auto& [text, meaning] : table) {
    const auto changes = parsed(one(R"({"op":"add","pool":"web","backend":"b","address":"192.0.2.1",
        "probe":{"interval":")" + text +
                                    R"(","timeout":"10ms"}})"));
    ASSERT_EQ(changes.size(), 1u) << text;
    const auto probe = std::get<AddBackend>(changes[0]).backend.probe;
    ASSERT_TRUE(probe.has_value());
    EXPECT_EQ(probe->interval, meaning) << text;
  }
}

struct Bad {
  std::string body;
  std::string says;  // part of the sentence
};

/// A change with everything right but `fields`.
std::string change(const std::string& op, const std::string& fields) {
  return one(R"({"op":")" + op + R"(","pool":"web","backend":"web1")" + (fields.empty() ? "" : "," + fields) + "}");
}
std::string add(const std::string& fields) {
  return change("add", R"("address":"192.0.2.1",)" + fields);
}
std::string probe(const std::string& fields) {
  return add(R"("probe":{)" + fields + "}");
}

TEST(ParseChanges, RefusesWithASentenceNamingThePlace) {
  const std::string good = R"({"op":"enable","pool":"web","backend":"web1"})";
  const std::vector<Bad> table = {
      {"", "not valid JSON"},
      {"{", "not valid JSON at byte 1 of 1"},
      {"nonsense", "not valid JSON"},
      {"[]", "as the body, got a list of 0"},
      {"null", "as the body, got null"},
      {"{}", "changes: is missing"},
      {R"({"change":[]})", "changes: is missing"},
      {R"({"changes":[],"x":1})", "unknown field \"x\", expected one of: changes"},
      {R"({"changes":{}})", "changes: expected a list of 1 to 1000 changes, got an object"},
      {R"({"changes":[]})", "got a list of 0"},
      {one("7"), "changes[0]: expected an object, got 7"},
      {one(good + ",null"), "changes[1]: expected an object, got null"},
      {one(good) + "x", "not valid JSON"},
      {"{\"changes\":[" + good + ",]}", "not valid JSON"},
      {"{'changes':[]}", "not valid JSON"},
      {"/**/{\"changes\":[]}", "not valid JSON"},
      {R"({"changes":[],"changes":[]})", "has the field \"changes\" twice"},
      {change("weight", R"("weight":1,"weight":2)"), "has the field \"weight\" twice"},
      {change("enable", R"("p\u006fol":"web")"), "has the field \"pool\" twice"},
      {one("{\"op\":\"\xff\"}"), "not valid JSON"},
      {one("{\"op\":\"\xc0\xaf\"}"), "not valid JSON"},
      {one(R"({"op":"\ud800"})"), "not valid JSON"},
      {std::string(100, '[') + std::string(100, ']'), "nested deeper than 16 levels"},
      {one("{}"), "changes[0].op: is missing"},
      {one(R"({"op":"enable"})"), "changes[0].pool: is missing"},
      {one(R"({"op":"enable","pool":"web"})"), "changes[0].backend: is missing"},
      {one(R"({"op":7,"pool":"web","backend":"b"})"), "changes[0].op: expected a string, got 7"},
      {change("sink", ""), "changes[0].op: expected add, remove, weight, enable"},
      {change("", ""), "changes[0].op: expected add"},
      {one(R"({"op":"enable","pool":"","backend":"b"})"), "changes[0].pool: expected a name of 1 to 63"},
      {one(R"({"op":"enable","pool":"web","backend":"a/b"})"), "changes[0].backend: expected a name"},
      {one(R"({"op":"enable","pool":"web","backend":"a\u0000"})"), "changes[0].backend: expected a name"},
      {one(R"({"op":"enable","pool":"web","backend":")" + std::string(64, 'b') + "\"}"), "changes[0].backend"},
      {one(R"({"op":"enable","pool":["web"],"backend":"b"})"), "changes[0].pool: expected a string, got a list of 1"},
      {change("enable", R"("weight":1)"), "changes[0]: unknown field \"weight\", expected one of: op, pool, backend"},
      {change("weight", ""), "changes[0].weight: is missing"},
      {change("weight", R"("weight":"x")"), R"(changes[0].weight: expected an integer from 0 to 65535, got "x")"},
      {change("weight", R"("weight":-1)"), "got -1"},
      {change("weight", R"("weight":65536)"), "got 65536"},
      {change("weight", R"("weight":1.5)"), "changes[0].weight: expected an integer"},
      {change("weight", R"("weight":1e2)"), "changes[0].weight: expected an integer"},
      {change("weight", R"("weight":18446744073709551616)"), "changes[0].weight: expected an integer"},
      {change("weight", R"("weight":null)"), "got null"},
      {change("failover", R"("to":null)"), "changes[0].to: expected a string, got null"},
      {change("failover", R"("to":"")"), "changes[0].to: expected a name"},
      {change("failback", R"("to":"warm1")"), "unknown field \"to\""},
      {change("add", ""), "changes[0].address: is missing"},
      {change("add", R"("address":"192.0.2")"), "changes[0].address: expected an IPv4 address"},
      {change("add", R"("address":"192.0.2.256")"), R"(got "192.0.2.256")"},
      {change("add", R"("address":"192.0.2.01")"), "changes[0].address"},
      {change("add", R"("address":"192.0.2.1 ")"), "changes[0].address"},
      {change("add", R"("address":"2001:db8::1")"), "changes[0].address"},
      {change("add", R"("address":3221225985)"), "changes[0].address: expected a string"},
      {add(R"("role":"cold")"), R"(changes[0].role: expected "hot" or "warm", got "cold")"},
      {add(R"("enabled":1)"), "changes[0].enabled: expected true or false, got 1"},
      {add(R"("enabled":"true")"), "changes[0].enabled: expected true or false"},
      {add(R"("domain":"rack 1")"), "changes[0].domain: expected a name"},
      {add(R"("probe":true)"), "changes[0].probe: expected an object, got true"},
      {add(R"("probe":null)"), "changes[0].probe: expected an object, got null"},
      {probe(R"("kind":"smtp")"),
       R"(changes[0].probe.kind: expected "none", "tcp", "tcp_half_open", "http", "https", "udp", "icmp" or "grpc", got)"},
      {probe(R"("via":"air")"), R"(changes[0].probe.via: expected "direct" or "tunnel", got "air")"},
      {probe(R"("port":65536)"), "changes[0].probe.port: expected an integer from 0 to 65535"},
      {probe(R"("interval":"9ms")"), R"(changes[0].probe.interval: expected a duration from "10ms" to "1h")"},
      {probe(R"("interval":100)"), "changes[0].probe.interval: expected a string"},
      {probe(R"("interval":"100")"), "changes[0].probe.interval: expected a duration"},
      {probe(R"("interval":"99999999999999999999h")"), "changes[0].probe.interval"},
      {probe(R"("interval":"50ms","timeout":"51ms")"),
       R"(changes[0].probe.timeout: expected a duration from "1ms" to "50ms")"},
      {probe(R"("jitter":51)"), "changes[0].probe.jitter"},
      {probe(R"("fall":0)"), "changes[0].probe.fall: expected an integer from 1"},
      {probe(R"("rise":101)"), "changes[0].probe.rise"},
      {probe(R"("path":"ready")"), "changes[0].probe.path: expected a path"},
      {probe(R"("path":"/a\r\nX: y")"), "changes[0].probe.path: expected a path"},
      {probe(R"("host":"a b")"), "changes[0].probe.host: expected a host name"},
      {probe(R"("expect_status":200)"), "changes[0].probe.expect_status: expected a list"},
      {probe(R"("expect_status":[])"), "changes[0].probe.expect_status: expected a list"},
      {probe(R"("expect_status":[200,99])"), "got 99"},
      {probe(R"("expect_status":["200"])"), "changes[0].probe.expect_status"},
      {probe(R"("tls":"yes")"), R"(changes[0].probe.tls: expected true or false, got "yes")"},
      {probe(R"("method":"GET")"), "changes[0].probe: unknown field \"method\""},
  };
  for (const Bad& bad : table) {
    const std::string sentence = refusal(bad.body);
    EXPECT_NE(sentence.find(bad.says), std::string::npos)
        << "body: " << bad.body << "\nexpected: " << bad.says << "\nsaid:     " << sentence;
    EXPECT_LT(sentence.size(), 400u) << sentence;
  }
}

TEST(ParseChanges, NamesTheIndexOfTheFaultyChange) {
  const std::string good = R"({"op":"enable","pool":"web","backend":"web1"},)";
  EXPECT_EQ(refusal(one(good + good + R"({"op":"weight","pool":"web","backend":"web1","weight":"x"})")),
            R"(changes[2].weight: expected an integer from 0 to 65535, got "x")");
}

TEST(ParseChanges, TakesAtMostTheGivenNumber) {
  std::string list;
  for (size_t i = 0; i < kMaxChanges; ++i) list += R"({"op":"enable","pool":"web","backend":"b"},)";
  const std::string last = R"({"op":"enable","pool":"web","backend":"b"})";
  EXPECT_EQ(parsed(one(list.substr(0, list.size() - 1))).size(), kMaxChanges);
  EXPECT_NE(refusal(one(list + last)).find("got a list of 1001"), std::string::npos);
  EXPECT_TRUE(parse_changes(one(list + last), no_pool, kMaxChanges + 1).ok());
}

TEST(ParseChanges, AnyCutOfAGoodBodyIsRefused) {
  const std::string body = render_changes({AddBackend{"web", {.name = "b", .probe = ProbeConfig{}}}});
  ASSERT_TRUE(parse_changes(body, no_pool).ok());
  for (size_t length = 0; length < body.size(); ++length) EXPECT_NE(refusal(body.substr(0, length)), "") << length;
}

TEST(ParseChanges, SurvivesRandomDamage) {
  const std::string body = render_changes({AddBackend{"web", {.name = "b", .probe = ProbeConfig{}}},
                                           ForceFailover{"web", "b", "w"}, SetWeight{"web", "b", 3}});
  std::mt19937 random(1);
  for (int round = 0; round < 5000; ++round) {
    std::string damaged = body;
    for (int i = 0; i < 3; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    const auto changes = parse_changes(damaged, no_pool);
    EXPECT_TRUE(changes.ok() || !changes.error().empty());
  }
}

Change random_change(std::mt19937& random) {
  const auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  const std::string pool = "pool" + std::to_string(below(9));
  const std::string name = "b." + std::to_string(below(9)) + "-_X";
  switch (below(7)) {
    case 0: {
      config::BackendConfig backend{.name = name,
                                    .address = config::Be32(static_cast<uint32_t>(random())),
                                    .role = below(2) == 0 ? Role::hot : Role::warm,
                                    .weight = below(65536),
                                    .domain = below(2) == 0 ? "" : "rack",
                                    .standby = below(2) == 0 ? "" : "w",
                                    .enabled = below(2) == 0};
      if (below(2) == 0) {
        ProbeConfig probe;
        probe.kind = static_cast<config::ProbeKind>(below(3));
        probe.port = static_cast<uint16_t>(below(65536));
        probe.interval = 10ms + std::chrono::nanoseconds(below(1000000000));
        probe.timeout = 1ms + std::chrono::nanoseconds(below(9000000));
        probe.jitter_percent = below(51);
        probe.fall = 1 + below(100);
        probe.rise = 1 + below(100);
        probe.path = "/" + std::string(below(20), '%');
        probe.tls = below(2) == 0;
        probe.expect_status.assign(1 + below(5), static_cast<uint16_t>(100 + below(500)));
        backend.probe = probe;
      }
      return AddBackend{pool, backend};
    }
    case 1:
      return RemoveBackend{pool, name};
    case 2:
      return SetWeight{pool, name, below(65536)};
    case 3:
      return EnableBackend{pool, name};
    case 4:
      return DisableBackend{pool, name};
    case 5:
      return ForceFailover{pool, name, below(2) == 0 ? std::nullopt : std::optional<std::string>("w")};
    default:
      return ForceFailback{pool, name};
  }
}

TEST(RenderChanges, IsTheInverseOfParsing) {
  std::mt19937 random(2);
  for (int round = 0; round < 500; ++round) {
    std::vector<Change> changes;
    for (size_t n = 1 + random() % 4; n > 0; --n) changes.push_back(random_change(random));
    EXPECT_EQ(parsed(render_changes(changes)), changes);
  }
}

}  // namespace
}  // namespace warmswap::api
