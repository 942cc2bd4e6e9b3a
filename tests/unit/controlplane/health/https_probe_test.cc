// https against servers with certificates made here.
#include "tests/unit/controlplane/health/prober_fixture.h"
#include "tests/unit/controlplane/health/tls_server.h"

namespace warmswap::health {
namespace {

constexpr const char* kEmptyPage = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

class HttpsProbe : public ProberTest {
 protected:
  Server::Serve answering(const std::string& response) { return identity_.over_tls(health::answering(response)); }

  Target asking(uint16_t port, const std::string& host, bool verify, Clock::duration timeout = 5s) const {
    Target target = ProberTest::target(1, port, ProbeKind::https, 1h, timeout);
    target.probe.host = host;
    target.probe.verify = verify;
    if (verify) target.probe.ca_file = identity_.ca_file();
    return target;
  }

  TlsIdentity identity_;
};

TEST_F(HttpsProbe, AnExpectedStatusIsGoodWhoeverTheServerSaysItIs) {
  identity_.use_certificate("other.example", true);
  Server server(answering(kEmptyPage));
  const ProbeResult result = probe_once(asking(server.port(), "www.example", false));
  EXPECT_EQ(result.outcome, Outcome::good) << result.detail;
  EXPECT_EQ(result.detail, "HTTP status 200");
  EXPECT_EQ(identity_.server_name(), "www.example") << "SNI";
}

TEST_F(HttpsProbe, TheHostsPortIsNoPartOfTheServersNameAndAnAddressIsNone) {
  Server server(answering(kEmptyPage));
  const ProbeResult result = probe_once(asking(server.port(), "www.example:8443", true));
  EXPECT_EQ(result.outcome, Outcome::good) << result.detail;
  EXPECT_EQ(identity_.server_name(), "www.example");
  EXPECT_EQ(probe_once(asking(server.port(), "192.0.2.7:8443", false)).outcome, Outcome::good);
  EXPECT_EQ(identity_.server_name(), "");
}

TEST_F(HttpsProbe, AnotherStatusIsBad) {
  Server server(answering("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(probe_once(asking(server.port(), "www.example", false)).detail, "HTTP status 503, expected 200");
}

TEST_F(HttpsProbe, AVerifiedCertificateIsGood) {
  Server server(answering(kEmptyPage));
  const ProbeResult result = probe_once(asking(server.port(), "www.example", true));
  EXPECT_EQ(result.outcome, Outcome::good) << result.detail;
}

TEST_F(HttpsProbe, ACertificateForSomebodyElseIsBad) {
  identity_.use_certificate("other.example");
  Server server(answering(kEmptyPage));
  const ProbeResult result = probe_once(asking(server.port(), "www.example", true));
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_NE(result.detail.find("TLS: certificate verify failed"), std::string::npos) << result.detail;
}

TEST_F(HttpsProbe, AnExpiredCertificateIsBad) {
  identity_.use_certificate("www.example", true);
  Server server(answering(kEmptyPage));
  EXPECT_EQ(probe_once(asking(server.port(), "www.example", true)).outcome, Outcome::bad);
}

TEST_F(HttpsProbe, AServerThatSpeaksNoTlsIsBad) {
  Server server([](const Server::Connection& connection) { connection.send("HTTP/1.1 200 OK\r\n\r\n"); });
  const ProbeResult result = probe_once(asking(server.port(), "", false));
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_NE(result.detail.find("TLS: "), std::string::npos) << result.detail;
}

TEST_F(HttpsProbe, AServerThatDoesNotShakeHandsTimesOut) {
  Server server([](const Server::Connection& connection) {
    while (!connection.receive().empty()) continue;
  });
  EXPECT_EQ(probe_once(asking(server.port(), "", false, 50ms)).detail,
            "timed out after 50 ms: no end of the TLS handshake");
}

TEST_F(HttpsProbe, WithoutAGoodbyeOfTlsABodyEndsAllTheSame) {
  Server server(answering("HTTP/1.1 200 OK\r\n\r\nall is well"));
  Target target = asking(server.port(), "www.example", false);
  target.probe.expect = "well";
  const ProbeResult result = probe_once(target);
  EXPECT_EQ(result.outcome, Outcome::good) << result.detail;
}

TEST_F(HttpsProbe, AnAnswerCountsAlthoughTheRequestWasNotRead) {
  Server server(identity_.over_tls(answering_unasked(kEmptyPage)));
  Target target = asking(server.port(), "www.example", false);
  target.probe.path.append(8 << 20, 'x');  // more than fits on the way
  const ProbeResult result = probe_once(target);
  EXPECT_EQ(result.outcome, Outcome::good) << result.detail;
}

TEST_F(HttpsProbe, AMissingCaFileSaysNothingAboutTheBackend) {
  Server server(answering(kEmptyPage));
  Target target = asking(server.port(), "www.example", true);
  target.probe.ca_file = identity_.ca_file() + ".none";
  const ProbeResult result = probe_once(target);
  EXPECT_EQ(result.outcome, Outcome::not_run);
  EXPECT_NE(result.detail.find("cannot read the certificates of ca_file"), std::string::npos) << result.detail;
}

}  // namespace
}  // namespace warmswap::health
