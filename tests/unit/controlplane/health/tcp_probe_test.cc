// tcp, beyond the opening of a connection.
#include <thread>

#include "controlplane/health/text_exchange.h"
#include "tests/unit/controlplane/health/prober_fixture.h"
#include "tests/unit/controlplane/health/tls_server.h"

namespace warmswap::health {
namespace {

class TcpProbe : public ProberTest {
 protected:
  static Target asking(const Server& server, std::string payload, std::string expect, Clock::duration timeout = 5s) {
    Target target = ProberTest::target(1, server.port(), ProbeKind::tcp, 1h, timeout);
    target.probe.payload = std::move(payload);
    target.probe.expect = std::move(expect);
    return target;
  }
  /// Takes a line, answers with these pieces, a moment apart, and hangs up or stays.
  Server::Serve speaking(std::vector<std::string> pieces, bool stays = false) {
    return [this, pieces = std::move(pieces), stays](const Server::Connection& connection) {
      heard_.clear();
      while (!heard_.ends_with('\n')) {
        const std::string more = connection.receive();
        if (more.empty()) return;
        heard_ += more;
      }
      for (const std::string& piece : pieces) {
        connection.send(piece);
        std::this_thread::sleep_for(20ms);
      }
      if (stays) connection.readable();
    };
  }

  TlsIdentity identity_;
  std::string heard_;
};

/// A service that says nothing until the client goes.
void listening(const Server::Connection& connection) {
  while (!connection.receive().empty()) continue;
}

TEST_F(TcpProbe, OverTlsTheHandshakeMustSucceed) {
  const Server server(identity_.over_tls(listening));
  Target one = target(1, server.port());
  one.probe.tls = true;
  one.probe.host = "www.example";
  one.probe.verify = true;
  one.probe.ca_file = identity_.ca_file();
  const ProbeResult result = probe_once(one);
  EXPECT_EQ(result.outcome, Outcome::good);
  EXPECT_EQ(result.detail, "connected over TLS");
  EXPECT_EQ(identity_.offered_protocols(), "") << "who knows what is spoken inside";
  results.clear();
  one.probe.host = "other.example";
  EXPECT_EQ(probe_once(one).outcome, Outcome::bad);
}

TEST_F(TcpProbe, OverTlsAServerWithoutItIsBadAlthoughItAcceptsConnections) {
  const Server server(listening);
  Target one = target(1, server.port(), ProbeKind::tcp, 1h, 50ms);
  EXPECT_EQ(probe_once(one).outcome, Outcome::good);
  results.clear();
  one.probe.tls = true;
  EXPECT_EQ(probe_once(one).detail, "timed out after 50 ms: no end of the TLS handshake");
}

TEST_F(TcpProbe, AnAnswerMayComeInPieces) {
  const Server server(speaking({"one PO", "", "NG two"}, true));
  const ProbeResult result = probe_once(asking(server, "hex:50494e470a", "PONG"));
  EXPECT_EQ(result.outcome, Outcome::good) << result.detail;
  EXPECT_EQ(result.detail, "answered");
  EXPECT_EQ(heard_, "PING\n");
}

TEST_F(TcpProbe, AnyAnswerWillDoWhereNothingIsExpected) {
  const Server server(speaking({"?"}, true));
  EXPECT_EQ(probe_once(asking(server, "PING\n", "")).outcome, Outcome::good);
}

TEST_F(TcpProbe, WhereNothingIsSentItWaitsForABanner) {
  const Server server([](const Server::Connection& connection) {
    std::this_thread::sleep_for(20ms);
    connection.send("220 mail.example ESMTP\r\n");
    connection.readable();
  });
  EXPECT_EQ(probe_once(asking(server, "", "220 ")).outcome, Outcome::good);
}

TEST_F(TcpProbe, OverTlsItIsAskedInside) {
  const Server server(identity_.over_tls(speaking({"+PO", "NG\r\n"}, true)));
  Target one = asking(server, "PING\n", "+PONG");
  one.probe.tls = true;
  const ProbeResult result = probe_once(one);
  EXPECT_EQ(result.outcome, Outcome::good) << result.detail;
  EXPECT_EQ(result.detail, "answered");
}

TEST_F(TcpProbe, AConnectionThatClosesEarlyIsBad) {
  {
    const Server server(speaking({"-ERR loading\r\n"}));
    const ProbeResult result = probe_once(asking(server, "PING\n", "+PONG"));
    EXPECT_EQ(result.outcome, Outcome::bad);
    EXPECT_EQ(result.detail, "connection closed after an answer of 14 bytes without \"+PONG\"");
  }
  results.clear();
  const Server server(speaking({}));
  EXPECT_EQ(probe_once(asking(server, "PING\n", "")).detail, "connection closed before an answer");
}

TEST_F(TcpProbe, ATimeoutSaysHowFarItCame) {
  {
    const Server server(speaking({}, true));
    EXPECT_EQ(probe_once(asking(server, "PING\n", "", 200ms)).detail, "timed out after 200 ms: no answer");
  }
  results.clear();
  const Server server(speaking({"-ERR\r\n"}, true));
  EXPECT_EQ(probe_once(asking(server, "PING\n", "+PONG", 200ms)).detail,
            "timed out after 200 ms: no \"+PONG\" in the answer");
}

TEST_F(TcpProbe, SoMuchOfAnAnswerIsLookedAt) {
  {
    const Server server(speaking({std::string(kTextLimit - 4, 'x') + "PONG"}, true));
    EXPECT_EQ(probe_once(asking(server, "PING\n", "PONG")).outcome, Outcome::good);
  }
  results.clear();
  const Server server(speaking({"x", std::string(kTextLimit - 4, 'x') + "PONG"}, true));
  const ProbeResult result = probe_once(asking(server, "PING\n", "PONG"));
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_EQ(result.detail, "the first 65536 bytes of the answer are without \"PONG\"");
}

}  // namespace
}  // namespace warmswap::health
