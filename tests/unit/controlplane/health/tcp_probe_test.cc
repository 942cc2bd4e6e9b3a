// tcp, beyond the opening of a connection.
#include "tests/unit/controlplane/health/prober_fixture.h"
#include "tests/unit/controlplane/health/tls_server.h"

namespace warmswap::health {
namespace {

class TcpProbe : public ProberTest {
 protected:
  TlsIdentity identity_;
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

}  // namespace
}  // namespace warmswap::health
