// What a wrong file gets told. Each case makes one edit to a right document and names the whole message, so a message
// that loses its line, key, value or expectation fails here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controlplane/config/config_fixture.h"

namespace warmswap::config {
namespace {

using testing::HasSubstr;

struct Case {
  const char* name;
  const char *from, *to;  // an edit of kHead + kServices, see replaced()
  const char* message;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class LoadError : public testing::TestWithParam<Case> {};

TEST_P(LoadError, isOneLineThatNamesLineKeyValueAndExpectation) {
  const Case& c = GetParam();
  const auto loaded = load_text(replaced(kHead + kServices, c.from, c.to), "w.toml");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error(), c.message);
}

constexpr const char* kEnd = "pool = \"web\"\n";
constexpr const char* kPool = "name = \"web\"\n";
constexpr const char* kCores = "cores = [1]\n";
constexpr const char* kPort = "interface = \"eth0\"\n";

constexpr Case kCases[] = {
    {"duration", kPool, "+probe.interval = \"5ms\"\n",
     "w.toml:11: pool.web.probe.interval = \"5ms\": expected a duration from 10ms to 1h"},
    {"holdDownAboveItsMost", kPool, "+hold_down_max = \"5s\"\n",
     "w.toml:11: pool.web.hold_down_max = \"5s\": expected at least hold_down, 10s"},
    {"durationWithoutUnit", kPool, "+hold_down = 5\n",
     "w.toml:11: pool.web.hold_down = 5: expected a duration from 0s to 24h, in quotes"},
    {"timeoutBeyondInterval", kPool, "+probe.interval = \"1s\"\nprobe.timeout = \"1001ms\"\n",
     "w.toml:12: pool.web.probe.timeout = \"1001ms\": expected at most the interval, 1s, so that probes never overlap"},
    {"word", kPool, "+mode = \"hot\"\n", "w.toml:11: pool.web.mode = \"hot\": expected \"hot-hot\" or \"hot-warm\""},
    {"encapsulation", kPool, "+encapsulation = \"gue\"\n",
     "w.toml:11: pool.web.encapsulation = \"gue\": expected \"ipip\""},
    {"integerRange", "role =", "weight = 65536\nrole =",
     "w.toml:17: pool.web.backend.warm1.weight = 65536: expected a weight from 0 to 65535"},
    {"integerBeyond64Bits", "role =", "weight = 99999999999999999999\nrole =",
     "w.toml:17: pool.web.backend.warm1.weight = 99999999999999999999: expected a weight from 0 to 65535"},
    {"floatForInteger", "role =", "weight = 1.5\nrole =",
     "w.toml:17: pool.web.backend.warm1.weight = 1.5: expected a weight from 0 to 65535"},
    {"boolean",
     "role =", "enabled = 1\nrole =", "w.toml:17: pool.web.backend.warm1.enabled = 1: expected true or false"},
    {"address", "192.0.2.21", "192.0.2.256",
     "w.toml:16: pool.web.backend.warm1.address = \"192.0.2.256\": expected an IPv4 address such as \"192.0.2.1\""},
    {"multicast", "192.0.2.21", "224.0.0.1",
     "w.toml:16: pool.web.backend.warm1.address = \"224.0.0.1\": expected an address of a host, not one of 0.0.0.0/8, "
     "multicast (224.0.0.0/4) or reserved (240.0.0.0/4)"},
    {"addressTwice", "192.0.2.21", "192.0.2.11",
     "w.toml:16: pool.web.backend.warm1.address = \"192.0.2.11\": expected an address used once in a pool, and backend "
     "\"b1\" has it"},
    {"addressOfAVip", "192.0.2.21", "198.51.100.10",
     "w.toml:16: pool.web.backend.warm1.address = \"198.51.100.10\": expected the backend's own address, not that of "
     "vip "
     "\"http\""},
    {"unknownKey", kPool, "+ringsize = 7\n", "w.toml:11: pool.web.ringsize: unknown key; did you mean \"ring_size\"?"},
    {"unknownSection", kEnd, "+[dataplan]\n", "w.toml:23: dataplan: unknown key; did you mean \"dataplane\"?"},
    {"unknownKeyOfOddCharacters", kPool, "+\"a\\nb\" = 7\n", "w.toml:11: pool.web.\"a\\u000ab\": unknown key"},
    {"missingKey", "driver = \"af_xdp\"\n", "",
     "w.toml:5: dataplane.port.uplink.driver is missing: expected \"af_xdp\", \"pci\" or \"vdev\""},
    {"missingPort", "port = 80\n", "", "w.toml:18: vip.http.port is missing: expected a port, or 0 for any port"},
    {"missingName", "name = \"b1\"\n", "", "w.toml:11: pool.web.backend[1].name is missing: expected a name"},
    {"name", "\"b1\"", "\"b 1\"",
     "w.toml:12: pool.web.backend.\"b 1\".name = \"b 1\": expected 1 to 63 characters out of A-Z a-z 0-9 . _ -"},
    {"nameOf64", "\"b1\"", "\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"",
     "w.toml:12: pool.web.backend.\"<hidden>\".name = \"<hidden>\": expected 1 to 63 characters out of A-Z a-z 0-9 . _ "
     "-"},
    {"nameTwice", "\"warm1\"", "\"b1\"",
     "w.toml:15: pool.web.backend.b1.name = \"b1\": expected a name used once, and line 12 has it"},
    {"danglingPool", kEnd, "pool = \"wbe\"\n",
     "w.toml:22: vip.http.pool = \"wbe\": expected the name of a [[pool]]; did you mean \"web\"?"},
    {"danglingStandby", "192.0.2.11\"\n", "192.0.2.11\"\nstandby = \"warm2\"\n",
     "w.toml:14: pool.web.backend.b1.standby = \"warm2\": expected a warm backend of this pool; did you mean "
     "\"warm1\"?"},
    {"hotStandby", "192.0.2.11\"\n", "192.0.2.11\"\nstandby = \"b1\"\n",
     "w.toml:14: pool.web.backend.b1.standby = \"b1\": expected a warm backend of this pool, and b1 is hot"},
    {"standbyOfAWarmOne", "role =", "standby = \"b1\"\nrole =",
     "w.toml:17: pool.web.backend.warm1.standby = \"b1\": expected only on a hot backend"},
    {"warmInHotHot", kPool, "+mode = \"hot-hot\"\n",
     "w.toml:18: pool.web.backend.warm1.role = \"warm\": expected \"hot\" in a pool of mode \"hot-hot\"; standbys need "
     "mode "
     "= \"hot-warm\""},
    {"ringNotPrime", kPool, "+ring_size = 65536\n",
     "w.toml:11: pool.web.ring_size = 65536: expected a prime number, which Maglev needs to reach every slot; the next "
     "one "
     "is 65537"},
    {"ringTooBig", kPool, "+ring_size = 16777259\n",
     "w.toml:11: pool.web.ring_size = 16777259: expected a prime number from 2 to 16777216"},
    {"ringTooSmall", kPool, "+ring_size = 7\n",
     "w.toml:11: pool.web.ring_size = 7: expected at least 10 slots for each of the 1 hot backends: 10"},
    {"sameService", kEnd, "+[[vip]]\nname = \"x\"\naddress = \"198.51.100.10\"\nport = 80\npool = \"web\"\n",
     "w.toml:23: vip.x = tcp 198.51.100.10:80: expected a protocol, address and port of its own, and vip \"http\" has "
     "them"},
    {"noProbePort", "port = 80", "port = 0",
     "w.toml:9: pool.web.probe.port is missing: expected a port to probe, because no vip of the pool names one"},
    {"probePath", kPool, "+probe.kind = \"http\"\nprobe.path = \"/a b\"\n",
     "w.toml:12: pool.web.probe.path = \"/a b\": expected an HTTP path: / first, printable ASCII without spaces, at "
     "most "
     "1024 characters"},
    {"requestSplitting", kPool, "+probe.kind = \"http\"\nprobe.host = \"a\\r\\nX: y\"\n",
     "w.toml:12: pool.web.probe.host = \"a\\u000d\\u000aX: y\": expected a host name: printable ASCII "
     "without spaces, at most 255 characters"},
    {"status", kPool, "+probe.kind = \"http\"\nprobe.expect_status = [200, 600]\n",
     "w.toml:12: pool.web.probe.expect_status = 600: expected a list of HTTP status codes from 100 to 599"},
    {"noStatus", kPool, "+probe.kind = \"http\"\nprobe.expect_status = []\n",
     "w.toml:12: pool.web.probe.expect_status = []: expected at least one HTTP status code"},
    {"noCores", kCores, "cores = []\n",
     "w.toml:4: dataplane.cores = []: expected at least one CPU number, one worker each"},
    {"coreTwice", kCores, "cores = [1, 1]\n",
     "w.toml:4: dataplane.cores = 1: expected each CPU once: a core runs one worker"},
    {"moreCoresThanWorkers", kCores, "cores = [1, 2]\nlimits.workers = 1\n",
     "w.toml:4: dataplane.cores = 2 CPUs: expected at most dataplane.limits.workers, 1"},
    {"tooManyBackends", kCores, "cores = [1]\nlimits.backends = 1\n",
     "w.toml:5: dataplane.limits.backends = 1: expected at least 2, because of the number of backends in all pools"},
    {"arenaTooSmall", kPool, "+ring_size = 16777213\n[dataplane.limits]\narena_mb = 4\n",
     "w.toml:13: dataplane.limits.arena_mb = 4: expected at least 33, because of the size of one snapshot (rings, "
     "seats, "
     "vips)"},
    {"deviceForAfXdp", kPort, "+device = \"x\"\n",
     "w.toml:9: dataplane.port.uplink.device = \"x\": expected no device for af_xdp: interface says which"},
    {"noInterface", kPort, "", "w.toml:5: dataplane.port.uplink.interface is missing: expected the interface to bind"},
    {"descriptors", kPort, "+receive_descriptors = 1000\n",
     "w.toml:9: dataplane.port.uplink.receive_descriptors = 1000: expected a power of two from 64 to 32768"},
    {"pciAddress", "driver = \"af_xdp\"", "driver = \"pci\"\ndevice = \"3:0.0\"",
     "w.toml:8: dataplane.port.uplink.device = \"3:0.0\": expected a PCI address such as \"0000:03:00.0\""},
    {"samePort", kPort, "+[[dataplane.port]]\nname = \"b\"\ndriver = \"af_xdp\"\ninterface = \"eth0\"\n",
     "w.toml:12: dataplane.port.b.interface = \"eth0\": expected one that no other port has"},
    {"singleBracket", "[[vip]]", "[vip]", "w.toml:18: vip = a table: expected sections with two brackets, [[vip]]"},
    {"valueForSection", kPool, "+probe = 3\n", "w.toml:11: pool.web.probe = 3: expected a section, [pool.probe]"},
    {"tlsForHttp", kPool, "+probe = {kind = \"http\", tls = true}\n",
     "w.toml:11: pool.web.probe.tls = true: expected kind = \"https\", which is HTTP over TLS"},
    {"execWithoutCommand", kPool, "+probe.kind = \"exec\"\n",
     "w.toml:11: pool.web.probe.command is missing: expected the program an exec probe runs, and its arguments"},
    {"execWithoutPath", kPool, "+probe = {kind = \"exec\", command = [\"check\"]}\n",
     "w.toml:11: pool.web.probe.command = \"check\": expected the program by its whole path; no shell looks for it"},
    {"tunnelWithoutVip", kPool, "+probe = {kind = \"udp\", payload = \"x\", via = \"tunnel\"}\n",
     "w.toml:11: pool.web.probe.via = \"tunnel\": expected a UDP vip of the pool, which the probe could go to"},
    {"rateWithoutPaths", kPool, "+warm = {rate = 10}\n",
     "w.toml:11: pool.web.warm.paths is missing: expected what simulated load (rate) asks for"},
    {"rateWithoutPayloads", kPool, "+warm = {kind = \"tcp\", rate = 10}\n",
     "w.toml:11: pool.web.warm.payloads is missing: expected what simulated load (rate) asks for"},
    {"warmKind", kPool, "+warm = {kind = \"udp\"}\n",
     "w.toml:11: pool.web.warm.kind = \"udp\": expected \"http\", \"https\" or \"tcp\""},
    {"pathsForTcp", kPool, "+warm = {kind = \"tcp\", paths = [\"/\"]}\n",
     "w.toml:11: pool.web.warm.paths = \"/\": expected payloads with kind = \"tcp\""},
    {"payloadsForHttp", kPool, "+warm = {payloads = [\"x\"]}\n",
     "w.toml:11: pool.web.warm.payloads = \"x\": expected paths with kind = \"http\""},
    {"payloadsForHttps", kPool, "+warm = {kind = \"https\", payloads = [\"x\"]}\n",
     "w.toml:11: pool.web.warm.payloads = \"x\": expected paths with kind = \"https\""},
    {"expectForHttp", kPool, "+warm = {paths = [\"/\"], expect = \"x\"}\n",
     "w.toml:11: pool.web.warm.expect = \"x\": expected none with kind = \"http\", of which any status below 400 is "
     "good"},
    {"warmPayload", kPool, "+warm = {kind = \"tcp\", payloads = [\"PING\", \"hex:0\"]}\n",
     "w.toml:11: pool.web.warm.payloads = \"hex:0\": expected at most 2048 characters of text, or \"hex:\" and an even "
     "number of hexadecimal digits"},
    {"warmExpect", kPool, "+warm = {kind = \"tcp\", payloads = [\"PING\"], expect = \"hex:g0\"}\n",
     "w.toml:11: pool.web.warm.expect = \"hex:g0\": expected at most 2048 characters of text, or \"hex:\" and an even "
     "number of hexadecimal digits"},
    {"budgetBelowRate", kPool, "+warm = {rate = 10, paths = [\"/\"], budget = 9}\n",
     "w.toml:11: pool.web.warm.budget = 9: expected at least rate, 10, or no standby is ever warm"},
    {"outerSourceHostBits", "[instance]\n", "[instance]\nouter_source = \"198.18.0.1/16\"\n",
     "w.toml:2: instance.outer_source = \"198.18.0.1/16\": expected host bits of zero, such as \"198.18.0.0/16\""},
    {"outerSourceLength", "[instance]\n", "[instance]\nouter_source = \"128.0.0.0/7\"\n",
     "w.toml:2: instance.outer_source = \"128.0.0.0/7\": expected a prefix length from 8 to 32"},
    {"runDir", "[instance]\n", "[instance]\nrun_dir = \"run\"\n",
     "w.toml:2: instance.run_dir = \"run\": expected an absolute path"},
    {"listen", kEnd, "+[controlplane]\nlisten = \"localhost:80\"\n",
     "w.toml:24: controlplane.listen = \"localhost:80\": expected \"address:port\" with an IPv4 address, or \"\" for "
     "no "
     "listener"},
    {"syntax", kPool, "name = web\n",
     "w.toml:10: not valid TOML: no value of any TOML type (does a string lack its quotes?)"},
    {"syntaxUnit", kPool, "+hold_down = 5s\n",
     "w.toml:11: not valid TOML: something follows the value (does a string lack its quotes?)"},
    {"keyTwice", kPool, "+name = \"web\"\n", "w.toml:11: not valid TOML: value (\"name\") already exists."},
};

INSTANTIATE_TEST_SUITE_P(Cases, LoadError, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case>& test) { return std::string(test.param.name); });

TEST(LoadErrors, areAllReportedInTheOrderOfTheFile) {
  const std::string text = replaced(
      replaced(replaced(kHead + kServices, "cores = [1]", "cores = [1, \"x\"]\nidle = \"spin\""), "192.0.2.21", "x"),
      "port = 80", "port = 80000");
  const auto loaded = load_text(text, "w.toml");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error(),
            "w.toml:4: dataplane.cores = \"x\": expected a list of CPU numbers from 0 to 1023\n"
            "w.toml:5: dataplane.idle = \"spin\": expected \"poll\" or \"backoff\"\n"
            "w.toml:17: pool.web.backend.warm1.address = \"x\": expected an IPv4 address such as \"192.0.2.1\"\n"
            "w.toml:22: vip.http.port = 80000: expected a port (0 = any) from 0 to 65535");
}

TEST(LoadErrors, doNotCascade) {
  // The interval is wrong, so whether the timeout fits it cannot be judged; the default must not be.
  const auto loaded =
      load_text(replaced(kHead + kServices, kPool, "+probe.interval = \"5\"\nprobe.timeout = \"30s\"\n"), "w.toml");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error(), "w.toml:11: pool.web.probe.interval = \"5\": expected a duration from 10ms to 1h");
}

TEST(LoadErrors, emptyFileNamesWhatIsMissing) {
  const auto loaded = load_text("", "w.toml");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error(), HasSubstr("w.toml: instance.hash_key is missing"));
  EXPECT_THAT(loaded.error(), HasSubstr("w.toml: dataplane.cores is missing"));
  EXPECT_THAT(loaded.error(), HasSubstr("w.toml: dataplane.port is missing"));
}

TEST(LoadErrors, nameTheFileThatCannotBeRead) {
  EXPECT_EQ(load_file("/nonexistent/w.toml").error(), "cannot read \"/nonexistent/w.toml\": No such file or directory");
  EXPECT_EQ(load_file("/dev").error(), "cannot read \"/dev\": expected a regular file");
}

std::string warnings_of(const std::string& text) {
  const auto loaded = load_text(text, "w.toml");
  EXPECT_TRUE(loaded) << loaded.error();
  std::string out;
  for (const std::string& warning : loaded ? loaded->warnings : std::vector<std::string>{}) out += warning + "\n";
  return out;
}

TEST(LoadWarnings, sayWhatWorksButIsSuspicious) {
  const std::string good = kHead + kServices;
  EXPECT_EQ(warnings_of(good), "");
  EXPECT_EQ(warnings_of(replaced(good, "role = \"warm\"\n", "")),
            "w.toml:9: pool.web: mode is \"hot-warm\" and no backend is warm: a failed backend's slots go to the "
            "survivors\n");
  EXPECT_EQ(warnings_of(good + "[[pool]]\nname = \"idle\"\nmode = \"hot-hot\"\n"),
            "w.toml:23: pool.idle: no hot backend with a weight above 0: its vips answer nobody\n"
            "w.toml:23: pool.idle: no vip leads to it\n");
  EXPECT_EQ(warnings_of(replaced(good, "name = \"b1\"\n", "+capacity = 90\n")),
            "w.toml:13: pool.web.backend.b1.capacity: 90 is less than the weight, 100: its own share is already too "
            "much\n");
  EXPECT_EQ(warnings_of(good + "[controlplane]\nlisten = \"192.0.2.1:9100\"\n"),
            "w.toml:24: controlplane.listen: not a loopback address: status and metrics are open to the network\n");
  EXPECT_EQ(warnings_of(replaced(good, kPool, "+probe.path = \"/x\"\n")),
            "w.toml:11: pool.web.probe.path: has no effect on a probe of kind \"tcp\"\n");
  for (const char* key : {"verify = true", "ca_file = \"/x\"", "host = \"h\""}) {
    const std::string name(key, std::string_view(key).find(' '));
    const auto probe = [&](const std::string& keys) {
      return warnings_of(replaced(good, kPool, "+probe = {" + keys + ", " + key + "}\n"));
    };
    EXPECT_EQ(probe("kind = \"tcp\""),
              "w.toml:11: pool.web.probe." + name + ": has no effect on a probe of kind \"tcp\" without tls\n");
    EXPECT_EQ(probe("kind = \"tcp\", tls = true"), "");
    EXPECT_EQ(probe("kind = \"grpc\", tls = true"), "");
    EXPECT_EQ(probe("kind = \"icmp\""),
              "w.toml:11: pool.web.probe." + name + ": has no effect on a probe of kind \"icmp\"\n");
  }
  EXPECT_EQ(warnings_of(replaced(good, kPool, "+probe = {kind = \"udp\", payload = \"x\", tls = true}\n")),
            "w.toml:11: pool.web.probe.tls: has no effect on a probe of kind \"udp\"\n");
  EXPECT_EQ(warnings_of(replaced(good, "name = \"web\"\n", "+warm = {kind = \"tcp\", payloads = [\"x\"]}\n")), "");
  EXPECT_THAT(warnings_of(replaced(replaced(good, "role = \"warm\"\n", ""), kPool,
                                   "+mode = \"hot-hot\"\nwarm = {kind = \"tcp\", payloads = [\"x\"]}\n")),
              HasSubstr("w.toml:12: pool.web.warm.payloads: has no effect in a pool of mode \"hot-hot\""));
  EXPECT_EQ(warnings_of(replaced(good, kPool, "+probe = {kind = \"http\", tls = false}\n")), "");
  EXPECT_EQ(warnings_of(replaced(good, kPool, "+probe = {kind = \"tcp\", payload = \"x\", expect = \"y\"}\n")), "");
  EXPECT_EQ(warnings_of(replaced(good, kPool, "+probe = {kind = \"tcp_half_open\", expect = \"y\"}\n")),
            "w.toml:11: pool.web.probe.expect: has no effect on a probe of kind \"tcp_half_open\"\n");
  EXPECT_EQ(
      warnings_of(replaced(good, "192.0.2.21", "198.18.3.4")),
      "w.toml:16: pool.web.backend.warm1.address: lies in instance.outer_source, 198.18.0.0/16, whose addresses no "
      "host may own\n");
  EXPECT_EQ(warnings_of(replaced(good, "port = 80\n", "port = 80\nprotocol = \"udp\"\n")),
            "w.toml:9: pool.web.probe.port: not set, so tcp probes go to the port of a UDP vip\n");
  EXPECT_EQ(
      warnings_of(replaced(good, kPool, "+ring_size = 97\n")),
      "w.toml:11: pool.web.ring_size: fewer than 100 slots for each of the 1 hot backends: shares may differ from the "
      "weights by more than 1 %\n");
}

}  // namespace
}  // namespace warmswap::config
