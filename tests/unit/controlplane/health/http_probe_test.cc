// HTTP probes against servers that behave and servers that do not.
#include <gmock/gmock.h>

#include <mutex>

#include "tests/unit/controlplane/health/prober_fixture.h"

namespace warmswap::health {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class HttpProbe : public ProberTest {
 protected:
  ProbeResult probe(const Server::Serve& serve, Clock::duration timeout = 5s) {
    const Server server(serve);
    return probe_once(target(1, server.port(), ProbeKind::http, 1h, timeout));
  }
};

TEST_F(HttpProbe, anExpectedStatusIsGood) {
  const ProbeResult result = probe(answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  EXPECT_EQ(result.id, 1u);
  EXPECT_EQ(result.outcome, Outcome::good);
  EXPECT_EQ(result.detail, "HTTP status 200");
  EXPECT_GE(result.finished, result.started);
}

TEST_F(HttpProbe, anotherStatusIsBadAndNamed) {
  const Server server(answering("HTTP/1.1 500 Internal Server Error\r\n\r\n"));
  Target one = target(1, server.port(), ProbeKind::http);
  one.probe.expect_status = {200, 204};
  const ProbeResult result = probe_once(one);
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_EQ(result.detail, "HTTP status 500, expected 200, 204");
}

TEST_F(HttpProbe, theRequestIsWhatTheConfigurationSays) {
  std::string request;
  std::mutex mutex;
  const Server server([&](const Server::Connection& connection) {
    const std::scoped_lock lock(mutex);
    request = connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\n\r\n");
  });
  Target one = target(1, server.port(), ProbeKind::http);
  one.probe.path = "/healthz?x=1";
  one.probe.host = "www.example.org";
  EXPECT_EQ(probe_once(one).outcome, Outcome::good);
  const auto seen = [&] {
    const std::scoped_lock lock(mutex);
    return request;
  };
  EXPECT_EQ(seen(),
            "GET /healthz?x=1 HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: warmswap-probe\r\nAccept: */*\r\n"
            "Connection: close\r\n\r\n");
  results.clear();
  one.probe.host = "";
  probe_once(one);
  EXPECT_THAT(seen(), HasSubstr("\r\nHost: 127.0.0.1:" + std::to_string(server.port()) + "\r\n"));
}

TEST_F(HttpProbe, anEndlessBodyIsNotWaitedFor) {
  const ProbeResult result = probe([](const Server::Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    connection.readable();  // until the prober goes
  });
  EXPECT_EQ(result.outcome, Outcome::good);
  EXPECT_LT(result.finished - result.started, 4s);
}

TEST_F(HttpProbe, garbageIsBad) {
  const ProbeResult result = probe(answering("SSH-2.0-OpenSSH_9.2p1\r\n"));
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_THAT(result.detail, StartsWith("not a usable HTTP response: "));
}

TEST_F(HttpProbe, aHugeHeaderIsBad) {
  const ProbeResult result = probe([](const Server::Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\n");
    while (connection.send("X-Padding: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n")) continue;
  });
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_THAT(result.detail, HasSubstr("header larger than 8192 bytes"));
}

TEST_F(HttpProbe, closingWithoutAnAnswerIsBad) {
  EXPECT_EQ(probe([](const Server::Connection& connection) { connection.read_request(); }).detail,
            "connection closed before the end of an HTTP response header");
  results.clear();
  EXPECT_EQ(probe([](const Server::Connection& connection) {
              connection.read_request();
              connection.send("HTTP/1.1 200 OK\r\nConte");
            }).outcome,
            Outcome::bad);
  results.clear();
  const ProbeResult reset = probe([](const Server::Connection& connection) {
    connection.read_request();
    connection.reset_on_close();
  });
  EXPECT_EQ(reset.outcome, Outcome::bad);
  EXPECT_EQ(reset.detail, "connection reset by peer");
}

TEST_F(HttpProbe, anAnswerCountsAlthoughTheRequestWasNotRead) {
  const Server server(answering_unasked("HTTP/1.1 200 OK\r\n\r\n"));
  Target one = target(1, server.port(), ProbeKind::http);
  one.probe.path.append(8 << 20, 'x');  // more than fits on the way
  const ProbeResult result = probe_once(one);
  EXPECT_EQ(result.outcome, Outcome::good) << result.detail;
}

TEST_F(HttpProbe, silenceTimesOut) {
  const ProbeResult result = probe(
      [](const Server::Connection& connection) {
        connection.read_request();
        connection.readable();
      },
      100ms);
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_EQ(result.detail, "timed out after 100 ms: no complete HTTP response header");
  EXPECT_GE(result.finished - result.started, 100ms);
  EXPECT_LT(result.finished - result.started, 2s);
}

TEST_F(HttpProbe, aSlowDripDoesNotExtendTheTimeout) {
  const ProbeResult result = probe(
      [](const Server::Connection& connection) {
        connection.read_request();
        connection.send("HTTP/1.1 200 OK\r\nX-Drip: ");
        while (connection.send("x")) std::this_thread::sleep_for(5ms);
      },
      100ms);
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_THAT(result.detail, StartsWith("timed out after 100 ms"));
  EXPECT_LT(result.finished - result.started, 2s);
}

TEST_F(HttpProbe, aLoopThatWasHeldUpIsNotTheBackendsFault) {
  const Server server(answering("HTTP/1.1 200 OK\r\n\r\n"));
  prober.set_targets({target(1, server.port(), ProbeKind::http, 1h, 100ms)});
  io.run_one();                        // opens the connection
  std::this_thread::sleep_for(300ms);  // the loop stands still, past the deadline; the request is not even sent
  ASSERT_TRUE(run_until([&] { return !results.empty(); }));
  EXPECT_EQ(results[0].outcome, Outcome::good) << results[0].detail;
}

TEST_F(HttpProbe, aHeldUpLoopDoesNotWaitForASilentBackendForever) {
  const SilentPort port;
  prober.set_targets({target(1, port.port(), ProbeKind::http, 1h, 100ms)});
  io.run_one();
  std::this_thread::sleep_for(2s);
  const auto resumed = Clock::now();
  ASSERT_TRUE(run_until([&] { return !results.empty(); }));
  EXPECT_EQ(results[0].outcome, Outcome::bad);
  EXPECT_LT(results[0].finished - resumed, 1s);  // at most one more timeout
}

TEST_F(HttpProbe, theBodyMustContainWhatIsExpected) {
  const Server server(answering("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"status\": \"degraded\"}"));
  Target one = target(1, server.port(), ProbeKind::http);
  one.probe.expect = "\"degraded\"";
  EXPECT_EQ(probe_once(one).detail, "HTTP status 200 and the expected body");
  results.clear();
  one.probe.expect = "\"ok\"";
  const ProbeResult other = probe_once(one);
  EXPECT_EQ(other.outcome, Outcome::bad);
  EXPECT_THAT(other.detail, HasSubstr("but the first 22 bytes of the body are without"));
}

}  // namespace
}  // namespace warmswap::health
