// What a right file becomes: every key reaches its value, defaults are as documented, order does not matter.
#include "controlplane/config/load.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/config/config_fixture.h"

namespace warmswap::config {
namespace {

using namespace std::chrono_literals;

Config load(const std::string& text) {
  const auto loaded = load_text(text, "test.toml");
  EXPECT_TRUE(loaded) << loaded.error();
  return loaded ? loaded->config : Config{};
}

TEST(Load, defaultsAreThoseOfTheValues) {
  const Config config = load(kHead + kServices);
  Config expected;
  expected.instance.hash_key = *parse_hash_key(kKeyText);
  expected.dataplane.cores = {1};
  expected.dataplane.ports = {{.name = "uplink", .driver = PortDriver::af_xdp, .interface = "eth0"}};
  expected.pools.resize(1);
  expected.pools[0].name = "web";
  expected.pools[0].backends = {{.name = "b1", .address = Be32(0xc000020b)},
                                {.name = "warm1", .address = Be32(0xc0000215), .role = Role::warm}};
  expected.vips = {{.name = "http", .address = Be32(0xc633640a), .port = 80, .pool = "web"}};
  EXPECT_EQ(config, expected);
  EXPECT_EQ(config.instance.outer_source, (Prefix{Be32(0xc6120000), 16}));
}

TEST(Load, everyKeyReachesItsValue) {
  const Config config = load(R"(
[instance]
name = "edge-1"
hash_key = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
group = "lb"
run_dir = "/run/lb"
outer_source = "198.19.0.0/20"
[dataplane]
cores = [4, 2]
idle = "backoff"
hugepages = "required"
memory_mb = 128
eal_args = ["--log-level=8", "-n4"]
[dataplane.limits]
workers = 3
vips = 10
backends = 20
arena_mb = 8
[[dataplane.port]]
name = "a"
driver = "pci"
device = "03:00.1"
interface = "lb0"
receive_descriptors = 512
transmit_descriptors = 2048
mtu = 1500
[[dataplane.port]]
name = "b"
driver = "vdev"
device = "net_tap0,iface=tap0"
[controlplane]
listen = ""
lease = "750ms"
log_level = "debug"
[[pool]]
name = "p"
mode = "hot-warm"
encapsulation = "ipip"
ring_size = 1009
failback = "auto"
hold_down = "1m"
hold_down_max = "1h"
flap_half_life = "90s"
failback_step = 20
failback_pause = "3s"
promotion_ramp = "4s"
activate_below = 70
trickle = 2
[pool.guard]
fail = "open"
overload = "carry"
panic_threshold = 30
self_suspicion = 60
self_suspicion_hold = "5s"
[pool.slow_start]
window = "1m"
aggression = 150
least = 5
[pool.probe]
kind = "http"
port = 8080
interval = "50ms"
timeout = "20ms"
jitter = 5
fall = 4
rise = 6
path = "/up?x=1"
host = "h.example"
expect_status = [200, 301]
[[pool.backend]]
name = "x"
address = "192.0.2.1"
role = "hot"
weight = 7
capacity = 9
domain = "d1"
standby = "y"
enabled = false
[pool.backend.probe]
kind = "tcp"
interval = "10ms"
[[pool.backend]]
name = "y"
address = "192.0.2.2"
role = "warm"
domain = "d2"
[[vip]]
name = "v"
address = "203.0.113.1"
protocol = "udp"
port = 0
pool = "p"
)");
  Config expected;
  expected.instance = {"edge-1", *parse_hash_key(kKeyText), Prefix{Be32(0xc6130000), 20}, "/run/lb", "lb"};
  expected.dataplane = {.cores = {4, 2},
                        .idle = IdlePolicy::backoff,
                        .hugepages = HugepagePolicy::required,
                        .memory_mib = 128,
                        .ports = {{"a", PortDriver::pci, "lb0", "03:00.1", 512, 2048, 1500},
                                  {.name = "b", .driver = PortDriver::vdev, .device = "net_tap0,iface=tap0"}},
                        .eal_args = {"--log-level=8", "-n4"},
                        .geometry = {3, 10, 20, 0, 8u << 20}};
  expected.controlplane = {"", 0, 750ms, "debug"};
  PoolConfig pool{.name = "p",
                  .mode = Mode::hot_warm,
                  .encapsulation = contract::Encapsulation::ipip,
                  .ring_size = 1009,
                  .failback = Failback::automatic,
                  .hold_down = 1min,
                  .hold_down_max = 1h,
                  .flap_half_life = 90s,
                  .failback_step = 20,
                  .failback_pause = 3s,
                  .promotion_ramp = 4s,
                  .slow_start = {1min, 150, 5},
                  .activate_below = 70,
                  .trickle = 2,
                  .guard = {Fail::open, Overload::carry, 30, 60, 5s},
                  .probe = {ProbeKind::http, 8080, 50ms, 20ms, 5, 4, 6, "/up?x=1", "h.example", {200, 301}}};
  ProbeConfig own = pool.probe;
  own.kind = ProbeKind::tcp;
  own.interval = 10ms;
  own.timeout = 10ms;  // not given: capped by the interval that is
  pool.backends = {{"x", Be32(0xc0000201), Role::hot, 7, 9, "d1", "y", false, own},
                   {.name = "y", .address = Be32(0xc0000202), .role = Role::warm, .domain = "d2"}};
  expected.pools = {pool};
  expected.vips = {{"v", Be32(0xcb007101), contract::kProtoUdp, 0, "p"}};
  EXPECT_EQ(config, expected);
}

TEST(Load, whatKeepsStandbysWarm) {
  const auto warm = [](const std::string& keys) {
    return load(replaced(kHead + kServices, "name = \"web\"\n", "+warm = {" + keys + "}\n")).pools[0].warm;
  };
  const WarmConfig tcp = warm("kind = \"tcp\", payloads = [\"PING\\n\", \"hex:00\"], expect = \"PONG\"");
  EXPECT_EQ(tcp, (WarmConfig{.kind = ProbeKind::tcp, .payloads = {"PING\n", "hex:00"}, .expect = "PONG"}));
  EXPECT_EQ(tcp.requests(), tcp.payloads);
  const WarmConfig https = warm("kind = \"https\", paths = [\"/a\"]");
  EXPECT_EQ(https, (WarmConfig{.kind = ProbeKind::https, .paths = {"/a"}}));
  EXPECT_EQ(https.requests(), https.paths);
  EXPECT_EQ(warm("paths = [\"/a\"]").kind, ProbeKind::http);
}

TEST(Load, aProbeOverTls) {
  const std::string own = "[[pool.backend]]\nname = \"own\"\naddress = \"192.0.2.12\"\n[pool.backend.probe]\n";
  const std::string text = replaced(
      kHead + kServices, "[[vip]]",
      own + "tls = false\n[pool.probe]\nkind = \"grpc\"\ntls = true\nverify = true\nca_file = \"/ca\"\n[[vip]]");
  const PoolConfig pool = load(text).pools[0];
  EXPECT_TRUE(over_tls(pool.probe));
  EXPECT_TRUE(pool.probe.verify);
  EXPECT_EQ(pool.probe.ca_file, "/ca");
  EXPECT_FALSE(over_tls(*pool.find_backend("own")->probe));
  EXPECT_TRUE(over_tls(load(replaced(text, "tls = false\n", "")).pools[0].find_backend("own")->probe.value()))
      << "as the pool's";
  for (const auto& word : kProbeKindWords) {
    const bool may = word.text == "tcp" || word.text == "grpc" || word.text == "https";
    EXPECT_EQ(over_tls({.kind = word.value, .tls = true}), may) << word.text;
    EXPECT_EQ(over_tls({.kind = word.value}), word.text == "https") << word.text;
  }
}

TEST(Load, orderOfTheFileDoesNotMatter) {
  const std::string more = "[[vip]]\nname = \"https\"\naddress = \"198.51.100.10\"\nport = 443\npool = \"alpha\"\n";
  const std::string alpha =
      "[[pool]]\nname = \"alpha\"\nmode = \"hot-hot\"\n"
      "[[pool.backend]]\nname = \"z\"\naddress = \"192.0.2.99\"\n"
      "[[pool.backend]]\nname = \"a\"\naddress = \"192.0.2.98\"\n";
  EXPECT_EQ(load(kHead + kServices + alpha + more), load(alpha + more + kServices + kHead));
  const Config config = load(kHead + kServices + alpha + more);
  EXPECT_EQ(config.pools[0].name, "alpha");
  EXPECT_EQ(config.pools[0].backends[0].name, "a");
  ASSERT_NE(config.find_pool("web"), nullptr);
  EXPECT_NE(config.find_pool("web")->find_backend("warm1"), nullptr);
  EXPECT_EQ(config.find_pool("web")->find_backend("warm"), nullptr);
  EXPECT_EQ(config.find_pool("zzz"), nullptr);
}

TEST(Load, aProbeGoesToItsOwnPortElseToThatOfTheFirstVip) {
  const Config config = load(kHead + replaced(kServices, "port = 80", "port = 8000") +
                             "[[vip]]\nname = \"any\"\naddress = \"198.51.100.10\"\nport = 0\npool = \"web\"\n");
  const PoolConfig& pool = config.pools[0];
  EXPECT_EQ(probe_port(config, pool, pool.probe), 8000);  // vip "any" comes first by name but names no port
  ProbeConfig own = pool.probe;
  own.port = 81;
  EXPECT_EQ(probe_port(config, pool, own), 81);
  EXPECT_EQ(&probe_of(pool, pool.backends[0]), &pool.probe);
  EXPECT_EQ(probe_port(Config{}, pool, pool.probe), 0);
}

TEST(Load, theDataplanePartIgnoresEverythingElse) {
  const TemporaryDirectory directory;
  const auto broken =
      directory.write("w.toml", kHead + "[[pool]]\nring_size = \"x\"\n[nonsense]\na = 1\n[controlplane]\nlease = 3\n");
  EXPECT_FALSE(load_file(broken));
  const auto part = load_dataplane_part(broken);
  ASSERT_TRUE(part) << part.error();
  EXPECT_EQ(part->config.dataplane.cores, std::vector<uint32_t>{1});
  EXPECT_TRUE(part->config.pools.empty());
  EXPECT_FALSE(load_dataplane_part(directory.write("x.toml", replaced(kHead, "cores = [1]", "cores = [-1]"))));
  EXPECT_FALSE(load_dataplane_part(directory.write("y.toml", kHead + "[[pool]]\nring_size = \n")));
}

TEST(Load, aProbeOfAnotherKindTakesOverNoTextsOfThePools) {
  const std::string text = replaced(replaced(kHead + kServices, "name = \"web\"\n",
                                             "+probe = {kind = \"grpc\", tls = true, fall = 7, service = \"s\"}\n"),
                                    "name = \"b1\"\n", "+probe = {kind = \"http\"}\n");
  const auto loaded = load_text(text, "w.toml");
  ASSERT_TRUE(loaded) << loaded.error();
  const ProbeConfig& own = loaded->config.pools[0].backends[0].probe.value();
  EXPECT_FALSE(own.tls);
  EXPECT_EQ(own.fall, 7u) << "what every kind has";
  ProbeConfig https{.kind = ProbeKind::https};
  https.expect = "OK";
  EXPECT_EQ(inherited_probe(https, ProbeKind::http).expect, "OK") << "of the same pages";
  EXPECT_EQ(inherited_probe(https, ProbeKind::tcp).expect, "") << "a server that does not speak first is asked nothing";
}

}  // namespace
}  // namespace warmswap::config
