#include "controlplane/cli/cli.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/unit/controlplane/api/fake_service.h"
#include "tests/unit/controlplane/api/json_reader.h"
#include "tests/unit/controlplane/api/test_server.h"

namespace warmswap::cli {
namespace {

using api::FakeService;
using api::read_json;
using namespace std::chrono_literals;

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Runs warmswapctl against a FakeService behind the real router and server.
class CliTest : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv("WARMSWAP_SOCKET");
    unsetenv("WARMSWAP_INSTANCE");
  }

  static Outcome run_plain(std::vector<std::string> arguments, const std::string& input = "", bool colour = false) {
    arguments.insert(arguments.begin(), "warmswapctl");
    std::vector<const char*> argv;
    argv.reserve(arguments.size());
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    const int code = run(static_cast<int>(argv.size()), argv.data(), {in, out, err, colour});
    return {code, out.str(), err.str()};
  }
  Outcome ctl(std::vector<std::string> arguments, const std::string& input = "", bool colour = false) {
    arguments.insert(arguments.begin(), {"--socket", server.socket_path()});
    return run_plain(std::move(arguments), input, colour);
  }
  /// The one change the last command sent.
  api::Change sent() {
    EXPECT_EQ(service.applied.size(), 1u);
    EXPECT_EQ(service.applied.back().size(), 1u);
    api::Change change = service.applied.back().front();
    service.applied.clear();
    return change;
  }

  FakeService service;
  api::Router router{service, "control.sock"};
  api::TestServer server{[this](const api::Request& request) { return router.handle(request); }};
};

TEST_F(CliTest, StatusShowsSeatsAndWhatIsWrong) {
  const Outcome status = ctl({"status"});
  EXPECT_EQ(status.code, 0) << status.err;
  for (const std::string part :
       {"edge1  version 0.1.0 (abi 1)  up 3 h 12 min  generation 42  fingerprint fedcba9876543210",
        "dataplane     running  pid 4711  epoch 3  lease 1.8 s left of 2.0 s",
        "last publish  build 312 µs, publish 4 µs, last worker ack 9 µs", "50.0 %",
        "pool web  hot-warm  ipip  ring 65537  failback manual", "standbys: warm1 promoted",
        "pool dns  hot-hot  ipip  ring 251  failback auto", "nobody",
        "warning: web/web2 is failed: warm1 holds its seat",
        "warning: dns/web1 is failed and no standby holds its seat"}) {
    EXPECT_TRUE(contains(status.out, part)) << part << "\nin\n" << status.out;
  }
}

TEST_F(CliTest, StatusOfADeadDataplane) {
  service.status_value.dataplane = {};
  service.status_value.publish = {};
  const Outcome status = ctl({"status"});
  EXPECT_EQ(status.code, 0);
  EXPECT_TRUE(contains(status.out, "dataplane     not running")) << status.out;
  EXPECT_TRUE(contains(status.out, "build -, publish -, last worker ack -")) << status.out;
  EXPECT_TRUE(contains(status.out, "warning: the dataplane is not running")) << status.out;
}

/// Lines of a table, split where every line has two spaces; checks that the columns stand under their titles.
void expect_aligned(const std::string& text, size_t rows) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), rows + 1) << text;
  for (const std::string& line : lines) EXPECT_FALSE(line.ends_with(' ')) << line;
  const size_t second = lines[0].find_first_not_of(' ', lines[0].find("  "));
  for (const std::string& line : lines) {
    EXPECT_EQ(line.substr(second - 2, 2), "  ") << text;
    EXPECT_NE(line[second], ' ') << text;
  }
}

TEST_F(CliTest, ListsAreAlignedTables) {
  const Outcome vips = ctl({"vips"});
  expect_aligned(vips.out, 2);
  EXPECT_TRUE(contains(vips.out, "any"));
  EXPECT_TRUE(contains(vips.out, "180.0 kB"));
  const Outcome pools = ctl({"pools"});
  expect_aligned(pools.out, 2);
  const Outcome backends = ctl({"backends"});
  expect_aligned(backends.out, 6);
  EXPECT_TRUE(contains(backends.out, "02:00:00:00:00:07 eth1"));
  EXPECT_TRUE(contains(backends.out, "unresolved on eth1"));
  EXPECT_TRUE(contains(backends.out, "timeout 50.0 ms"));
  EXPECT_TRUE(contains(backends.out, "41.2 ms, 12.5 % fail"));
  expect_aligned(ctl({"backends", "--pool", "web"}).out, 4);
}

TEST_F(CliTest, AnEmptyListSaysSo) {
  service.vip_values.clear();
  EXPECT_EQ(ctl({"vips"}).out, "no vips\n");
  service.event_values.clear();
  EXPECT_EQ(ctl({"events"}).out, "no events\n");
}

TEST_F(CliTest, JsonIsTheAnswerItself) {
  const std::pair<std::vector<std::string>, std::string> table[] = {
      {{"status", "--json"}, "/v1/status"},
      {{"--json", "vips"}, "/v1/vips"},
      {{"pools", "--json"}, "/v1/pools"},
      {{"backends", "--json"}, "/v1/backends"},
      {{"backends", "--json", "--pool", "dns"}, "/v1/backends?pool=dns"},
      {{"events", "--json"}, "/v1/events"},
      {{"drops", "--json"}, "/v1/drops"},
      {{"version", "--json"}, "/v1/version"},
      {{"explain", "203.0.113.7:40000", "198.51.100.10:80", "--json"},
       "/v1/explain?source=203.0.113.7&source_port=40000&destination=198.51.100.10&destination_port=80&protocol=tcp"},
  };
  for (const auto& [arguments, target] : table) {
    const Outcome outcome = ctl(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, router.handle({.method = "GET", .target = target}).body + "\n") << target;
  }
  const auto status = read_json(ctl({"status", "--json"}).out);
  EXPECT_EQ(status.at("pools").at(0).at("seats").at(1).at("holder"), "warm1");
}

TEST_F(CliTest, EventsShowTheTimeline) {
  const Outcome events = ctl({"events"});
  EXPECT_TRUE(contains(events.out, "2026-03-01T12:01:00.123456Z  #2  failover  web/web2  warm1 takes the seat of web2"))
      << events.out;
  EXPECT_TRUE(contains(
      events.out, "+0.000 ms first bad signal → +60.200 ms decision → +60.350 ms publish → +60.352 ms last worker ack"))
      << events.out;
  EXPECT_TRUE(contains(events.out, "21846 moved, 0 of them of survivors"));
  EXPECT_FALSE(contains(ctl({"events", "--since", "1"}).out, "#1 "));
  EXPECT_FALSE(contains(ctl({"events", "--limit", "1"}).out, "#1 "));
}

/// Collects lines and fails, as a closed pipe does, after a number of them.
class ClosingBuffer : public std::streambuf {
 public:
  explicit ClosingBuffer(int lines) : lines_(lines) {}
  std::string text;
  std::atomic<int> seen{0};

 protected:
  int_type overflow(int_type c) override {
    if (seen == lines_) return traits_type::eof();
    text += traits_type::to_char_type(c);
    if (c == '\n') ++seen;
    return c;
  }

 private:
  int lines_;
};

TEST_F(CliTest, FollowPrintsWhatHappensLater) {
  ClosingBuffer buffer(4);
  std::ostream out(&buffer);
  std::istringstream in;
  std::ostringstream err;
  std::thread follower([&] {
    const char* argv[] = {"warmswapctl", "--socket", server.socket_path().c_str(), "events", "--follow", "--json"};
    EXPECT_EQ(run(6, argv, {in, out, err, false}), 0);
  });
  while (buffer.seen < 2) std::this_thread::sleep_for(5ms);
  server.run([&] { service.event_values.push_back({.seq = 3, .kind = "change", .text = "third"}); });
  while (buffer.seen < 3) std::this_thread::sleep_for(5ms);
  server.run([&] { service.event_values = {{.seq = 1, .kind = "start", .text = "restarted"}}; });
  while (buffer.seen < 4) std::this_thread::sleep_for(5ms);
  server.run([&] { service.event_values.push_back({.seq = 2, .kind = "change", .text = "beyond the closed pipe"}); });
  follower.join();
  std::istringstream lines(buffer.text);
  std::vector<std::string> texts;
  for (std::string line; std::getline(lines, line);) {
    texts.emplace_back(read_json(line).at("text").as_string());
  }
  EXPECT_EQ(texts, (std::vector<std::string>{"the control plane started", "warm1 takes the seat of web2", "third",
                                             "restarted"}));
  EXPECT_TRUE(contains(err.str(), "its event log begins anew")) << err.str();
}

TEST_F(CliTest, ExplainTellsTheWayOfAFlow) {
  const Outcome forward = ctl({"explain", "203.0.113.7:40000", "198.51.100.10:80"});
  for (const std::string part : {"203.0.113.7:40000 → 198.51.100.10:80 tcp", "verdict   forward", "vip       http",
                                 "hash      0x0123456789abcdef", "slot      1234 of 65537", "seat      1, owner web2",
                                 "backend   warm1, in the seat of web2", "outer     198.18.0.1 → 192.0.2.21"}) {
    EXPECT_TRUE(contains(forward.out, part)) << part << "\nin\n" << forward.out;
  }
  const Outcome drop = ctl({"explain", "203.0.113.7:40000", "198.51.100.10:81"});
  EXPECT_TRUE(contains(drop.out, "drop: no_vip_port, the address is a vip but")) << drop.out;
  EXPECT_FALSE(contains(drop.out, "hash"));
  EXPECT_TRUE(contains(ctl({"explain", "203.0.113.7:1", "203.0.113.8:1", "--udp"}).out, "udp\n  verdict   pass"));
}

TEST_F(CliTest, DropsHideWhatNeverHappened) {
  EXPECT_TRUE(contains(ctl({"drops"}).out, "truncated        5  2 3         shorter than")) << ctl({"drops"}).out;
  EXPECT_FALSE(contains(ctl({"drops"}).out, "no_backend"));
  EXPECT_TRUE(contains(ctl({"drops", "--all"}).out, "no_backend"));
  service.drop_values.clear();
  EXPECT_TRUE(contains(ctl({"drops"}).out, "nothing was dropped"));
}

TEST_F(CliTest, VersionAndMetrics) {
  EXPECT_TRUE(contains(ctl({"version"}).out, "controlplane  0.1.0 (abi 1)"));
  EXPECT_TRUE(contains(ctl({"metrics"}).out, "# TYPE warmswap_generation gauge\nwarmswap_generation 42\n"));
  EXPECT_TRUE(contains(run_plain({"--version"}).out, "warmswapctl "));
}

TEST_F(CliTest, EveryChangeIsSentAsMeant) {
  using namespace api;
  const std::pair<std::vector<std::string>, Change> table[] = {
      {{"remove", "web/web1"}, RemoveBackend{"web", "web1"}},
      {{"enable", "web/web1"}, EnableBackend{"web", "web1"}},
      {{"disable", "web/web1"}, DisableBackend{"web", "web1"}},
      {{"failback", "web/web2"}, ForceFailback{"web", "web2"}},
      {{"failover", "web/web1"}, ForceFailover{"web", "web1", std::nullopt}},
      {{"failover", "web/web1", "--to", "warm1"}, ForceFailover{"web", "web1", "warm1"}},
      {{"weight", "web/web1", "0"}, SetWeight{"web", "web1", 0}},
      {{"weight", "web3", "65535"}, SetWeight{"web", "web3", 65535}},
      {{"failback", "web2"}, ForceFailback{"web", "web2"}},
      {{"failback", "web2", "--whole"}, ForceFailback{"web", "web2", true}},
      {{"failover", "--domain", "rack-a", "--pool", "web"}, ForceFailoverDomain{"web", "rack-a"}},
      {{"swap", "web/web1", "warm1"}, SwapBackends{"web", "web1", "warm1"}},
      {{"swap", "web/web1", "web/warm1"}, SwapBackends{"web", "web1", "warm1"}},
      {{"add", "web/w", "192.0.2.77"}, AddBackend{"web", {.name = "w", .address = Be32(0xc000024d)}}},
  };
  for (const auto& [arguments, change] : table) {
    const Outcome outcome = ctl(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "applied: generation 43, 21845 slots moved, 0 of them of survivors\n");
    EXPECT_EQ(sent(), change);
  }
}

TEST_F(CliTest, AddSendsWhatWasGiven) {
  const Outcome outcome = ctl({"add",
                               "web/w",
                               "192.0.2.77",
                               "--role",
                               "warm",
                               "--weight",
                               "7",
                               "--domain",
                               "rack2",
                               "--disabled",
                               "--probe-kind",
                               "http",
                               "--probe-port",
                               "8080",
                               "--probe-interval",
                               "100ms",
                               "--probe-timeout",
                               "50ms",
                               "--probe-jitter",
                               "5",
                               "--probe-fall",
                               "2",
                               "--probe-rise",
                               "4",
                               "--probe-path",
                               "/ready",
                               "--probe-host",
                               "h",
                               "--probe-tls",
                               "--probe-status",
                               "200,204"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const config::ProbeConfig probe{.kind = config::ProbeKind::http,
                                  .port = 8080,
                                  .interval = 100ms,
                                  .timeout = 50ms,
                                  .jitter_percent = 5,
                                  .fall = 2,
                                  .rise = 4,
                                  .path = "/ready",
                                  .host = "h",
                                  .expect_status = {200, 204},
                                  .tls = true};
  const config::BackendConfig backend{.name = "w",
                                      .address = config::Be32(0xc000024d),
                                      .role = config::Role::warm,
                                      .weight = 7,
                                      .domain = "rack2",
                                      .enabled = false,
                                      .probe = probe};
  EXPECT_EQ(sent(), (api::Change{api::AddBackend{"web", backend}}));
}

TEST_F(CliTest, EveryKindOfProbeButAProgramMayBeSaid) {
  for (const std::string_view kind : api::kProbeKinds) {
    const Outcome outcome = ctl({"add", "web/w", "192.0.2.77", "--probe-kind", std::string(kind)});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
  }
  EXPECT_EQ(service.applied.size(), 8u);
  EXPECT_EQ(ctl({"add", "web/w", "192.0.2.77", "--probe-kind", "exec"}).code, kExitUsage);
  EXPECT_TRUE(contains(ctl({"add", "--help"}).out, "tcp_half_open"));
}

TEST_F(CliTest, ANameInTwoPoolsMustBeSaidInFull) {
  const Outcome both = ctl({"disable", "web1"});
  EXPECT_EQ(both.code, kExitUsage);
  EXPECT_TRUE(contains(both.err, "dns/web1 or web/web1")) << both.err;
  const Outcome none = ctl({"disable", "web9"});
  EXPECT_EQ(none.code, kExitRefused);
  EXPECT_TRUE(contains(none.err, "no pool has a backend \"web9\"")) << none.err;
  EXPECT_TRUE(service.applied.empty());
}

TEST_F(CliTest, ApplySendsAListWholeAndUntouched) {
  const std::string list = R"([{"op":"enable","pool":"web","backend":"web1"},
                               {"op":"weight","pool":"web","backend":"web3","weight":5}])";
  EXPECT_EQ(ctl({"apply", "-"}, list).code, 0);
  EXPECT_EQ(ctl({"apply", "-"}, "\n {\"changes\":" + list + "}").code, 0);
  const api::TemporaryFolder folder;
  std::ofstream(folder.path("changes.json")) << list;
  EXPECT_EQ(ctl({"apply", folder.path("changes.json")}).code, 0);
  ASSERT_EQ(service.applied.size(), 3u);
  for (const auto& changes : service.applied) EXPECT_EQ(changes.size(), 2u);

  const Outcome twice = ctl({"apply", "-"}, R"([{"op":"enable","op":"disable","pool":"web","backend":"web1"}])");
  EXPECT_EQ(twice.code, kExitRefused);
  EXPECT_TRUE(contains(twice.err, "\"op\" twice")) << twice.err;
  EXPECT_EQ(ctl({"apply", "-"}, "").code, kExitRefused);
  const Outcome missing = ctl({"apply", folder.path("none")});
  EXPECT_EQ(missing.code, kExitUsage);
  EXPECT_TRUE(contains(missing.err, "No such file")) << missing.err;
  EXPECT_EQ(ctl({"apply", folder.path(".")}).code, kExitUsage);
}

TEST_F(CliTest, PlansAreShownAndOptionsSent) {
  service.result.dry_run = true;
  service.result.notes = {"beyond the limits: too much"};
  service.result.plan = {{.pool = "web",
                          .ring_size = 1000,
                          .slots_moved = 250,
                          .survivor_slots_moved = 10,
                          .slots_without_backend_after = 125,
                          .seats = {{"web1", "web1", "warm1", 0.25}, {"web2", "web2", "", 0}},
                          .backends = {{"web1", 0.5, 0.25, 100, 50, 0}, {"warm1", 0, 0.25, 0, 50, 40}}}};
  for (const auto& arguments : {std::vector<std::string>{"plan", "weight", "web/web1", "50"},
                                {"weight", "web/web1", "50", "--dry-run"},
                                {"--timeout", "3", "plan", "weight", "web/web1", "50"}}) {
    service.last_options = {};
    const Outcome outcome = ctl(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_TRUE(service.last_options.dry_run);
    EXPECT_TRUE(contains(
        outcome.out, "plan, nothing was changed\npool web: 250 of 1000 slots move (25.0 %), 10 of them of survivors"))
        << outcome.out;
    EXPECT_TRUE(contains(outcome.out, "slots without a backend: 0 → 125")) << outcome.out;
    EXPECT_TRUE(contains(outcome.out, "seat of web1: web1 → warm1, 25.0 % web1")) << outcome.out;
    EXPECT_TRUE(contains(outcome.out, "seat of web2: web2 → nobody")) << outcome.out;
    EXPECT_TRUE(contains(outcome.out, "50.0 of 40")) << outcome.out;
    EXPECT_TRUE(contains(outcome.out, "beyond the limits: too much")) << outcome.out;
  }
  service.result.dry_run = false;
  const Outcome confirmed =
      ctl({"apply", "-", "--confirm-within", "90s", "--force"}, R"([{"op":"enable","pool":"web","backend":"web1"}])");
  EXPECT_TRUE(contains(confirmed.out, "will be rolled back in 90s unless confirmed")) << confirmed.out << confirmed.err;
  EXPECT_EQ(service.last_options, (api::ChangeOptions{.force = true, .confirm_within = std::chrono::seconds(90)}));
  EXPECT_EQ(ctl({"reload", "--dry-run"}).code, 0);
  EXPECT_TRUE(service.last_options.dry_run);
  EXPECT_EQ(ctl({"confirm"}).code, 0);
  EXPECT_EQ(ctl({"rollback"}).code, 0);
  EXPECT_EQ(service.confirms, 1);
  EXPECT_EQ(service.rollbacks, 1);
  const Outcome wrong = ctl({"reload", "--confirm-within", "soon"});
  EXPECT_EQ(wrong.code, kExitRefused);
  EXPECT_TRUE(contains(wrong.err, "confirm_within")) << wrong.err;
}

TEST_F(CliTest, ReloadAndItsNotes) {
  service.result = {.generation = 50, .notes = {"nothing changed"}};
  EXPECT_EQ(ctl({"reload"}).out, "reloaded: generation 50, 0 slots moved, 0 of them of survivors\nnothing changed\n");
  EXPECT_EQ(read_json(ctl({"reload", "--json"}).out).at("generation"), 50);
  EXPECT_EQ(service.reloads, 2);
}

TEST_F(CliTest, ARefusalIsSaidAndCounts) {
  service.result = {.refusal = api::Refusal::conflict, .error = "web2 holds its own seat"};
  const Outcome outcome = ctl({"failback", "web/web2"});
  EXPECT_EQ(outcome.code, kExitRefused);
  EXPECT_EQ(outcome.err, "warmswapctl: web2 holds its own seat\n");
  EXPECT_EQ(outcome.out, "");
}

TEST_F(CliTest, WrongUsageIsTwo) {
  const std::vector<std::vector<std::string>> table = {
      {},
      {"nonsense"},
      {"status", "extra"},
      {"weight", "web/web1"},
      {"weight", "web/web1", "65536"},
      {"weight", "web/web1", "-1"},
      {"weight", "web/web1", "many"},
      {"add", "web/w"},
      {"add", "w", "192.0.2.1"},
      {"add", "/w", "192.0.2.1"},
      {"add", "web/w", "192.0.2.1", "--role", "cold"},
      {"remove", "web/"},
      {"explain", "203.0.113.7", "198.51.100.10:80"},
      {"explain", "203.0.113.7:x", "198.51.100.10:80"},
      {"explain", "203.0.113.7:1", "198.51.100.10:65536"},
      {"events", "--limit", "0"},
      {"events", "--since", "x"},
      {"status", "--timeout", "0"},
  };
  for (const auto& arguments : table) {
    const Outcome outcome = ctl(arguments);
    EXPECT_EQ(outcome.code, kExitUsage) << testing::PrintToString(arguments) << outcome.err;
    EXPECT_FALSE(outcome.err.empty());
  }
  EXPECT_TRUE(service.applied.empty());
}

TEST_F(CliTest, HelpHasExamples) {
  const Outcome help = run_plain({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_TRUE(contains(help.out, "Examples:"));
  for (const std::string command :
       {"status", "vips", "pools", "backends", "add", "remove", "weight", "enable", "disable", "failover", "failback",
        "apply", "events", "explain", "drops", "reload", "version", "metrics"}) {
    EXPECT_TRUE(contains(help.out, "\n  " + command)) << command;
    EXPECT_EQ(run_plain({command, "--help"}).code, 0) << command;
  }
}

TEST_F(CliTest, AnUnreachableControlPlaneIsThree) {
  const api::TemporaryFolder folder;
  const Outcome missing = run_plain({"--socket", folder.path("none"), "status"});
  EXPECT_EQ(missing.code, kExitUnreachable);
  EXPECT_TRUE(contains(missing.err, folder.path("none"))) << missing.err;
  EXPECT_TRUE(contains(missing.err, "Is warmswap-controlplane running")) << missing.err;
  server.stop();
  EXPECT_EQ(ctl({"status"}).code, kExitUnreachable);
}

/// A listener that accepts at most what the kernel does by itself, and says `answer` to the first caller.
class OddListener {
 public:
  explicit OddListener(const std::string& path, std::string answer = "") : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(fd_, 1), 0);
    if (answer.empty()) return;
    thread_ = std::thread([this, text = std::move(answer)] {
      const int caller = accept(fd_, nullptr, nullptr);
      char request[4096];
      EXPECT_GT(recv(caller, request, sizeof(request), 0), 0);
      send(caller, text.data(), text.size(), MSG_NOSIGNAL);
      close(caller);
    });
  }
  ~OddListener() {
    if (thread_.joinable()) thread_.join();
    close(fd_);
  }

 private:
  int fd_;
  std::thread thread_;
};

TEST_F(CliTest, ASilentOrStrangePeerIsThree) {
  const api::TemporaryFolder folder;
  {
    const OddListener silent(folder.path("silent"));
    const Outcome outcome = run_plain({"--socket", folder.path("silent"), "--timeout", "0.2", "status"});
    EXPECT_EQ(outcome.code, kExitUnreachable);
    EXPECT_TRUE(contains(outcome.err, "no answer within the timeout")) << outcome.err;
  }
  const std::pair<std::string, std::string> answers[] = {
      {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "does not speak HTTP"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "without a whole answer"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "not the JSON object expected"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "not the JSON object expected"},
  };
  int number = 0;
  for (const auto& [answer, says] : answers) {
    const std::string path = folder.path("odd" + std::to_string(++number));
    const OddListener odd(path, answer);
    const Outcome outcome = run_plain({"--socket", path, "status"});
    EXPECT_EQ(outcome.code, kExitUnreachable) << answer;
    EXPECT_TRUE(contains(outcome.err, says)) << outcome.err;
  }
}

TEST_F(CliTest, AnAnswerOfAnotherVersionIsShownAsFarAsKnown) {
  const api::TemporaryFolder folder;
  const std::string body = R"({"instance":7,"pools":[{"name":"x","seats":[null,{"share":"y"}]},3],"dataplane":[]})";
  const OddListener odd(folder.path("s"),
                        "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  const Outcome outcome = run_plain({"--socket", folder.path("s"), "status"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "pool x")) << outcome.out;
}

TEST_F(CliTest, TheSocketComesFromFlagsThenTheEnvironment) {
  const auto tried = [](std::vector<std::string> arguments) {
    arguments.push_back("status");
    return run_plain(std::move(arguments)).err;
  };
  EXPECT_TRUE(contains(tried({"--instance", "no-such"}), "/run/warmswap/no-such.sock"));
  setenv("WARMSWAP_INSTANCE", "from-environment", 1);
  EXPECT_TRUE(contains(tried({}), "/run/warmswap/from-environment.sock"));
  EXPECT_TRUE(contains(tried({"--instance", "no-such"}), "/run/warmswap/no-such.sock"));
  setenv("WARMSWAP_SOCKET", "/nowhere/else.sock", 1);
  EXPECT_TRUE(contains(tried({}), "/nowhere/else.sock"));
  EXPECT_TRUE(contains(tried({"--instance", "no-such"}), "/run/warmswap/no-such.sock"));
  EXPECT_EQ(ctl({"version"}).code, 0) << "--socket outweighs all";
}

TEST_F(CliTest, ColoursOnlyWhereAsked) {
  const auto coloured = [](const std::string& text) { return text.find('\x1b') != std::string::npos; };
  for (const std::string command : {"status", "vips", "backends", "events", "drops"}) {
    EXPECT_FALSE(coloured(ctl({command}).out)) << command;
    EXPECT_TRUE(coloured(ctl({command}, "", true).out)) << command;
    EXPECT_FALSE(coloured(ctl({command, "--json"}, "", true).out)) << command;
  }
}

TEST_F(CliTest, WhatStrangersSentCannotSteerTheTerminal) {
  const std::string hostile =
      "\x1b]0;owned\x07\r\n\xc2\x9b"
      "2J\xe2\x80\xae"
      "end";
  service.backend_values[0].reason = hostile;
  service.event_values[0].text = hostile;
  service.event_values[0].cause = hostile;
  service.status_value.warnings = {hostile};
  service.result = {.refusal = api::Refusal::invalid, .error = "x"};
  for (const std::string command : {"backends", "events", "status"}) {
    const std::string out = ctl({command}).out;
    EXPECT_TRUE(contains(out, "owned")) << command;
    for (const std::string bad : {"\x1b", "\x07", "\r", "\xc2\x9b", "\xe2\x80\xae"}) {
      EXPECT_FALSE(contains(out, bad)) << command;
    }
  }
}

}  // namespace
}  // namespace warmswap::cli
