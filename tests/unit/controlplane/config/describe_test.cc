#include "controlplane/config/describe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controlplane/config/config_fixture.h"

namespace warmswap::config {
namespace {

TEST(Describe, namesEverythingAnOperatorChecksBeforeUse) {
  const auto loaded = load_text(kHead + kServices, "w.toml");
  ASSERT_TRUE(loaded) << loaded.error();
  const std::string text = describe(loaded->config);
  for (const char* part :
       {"1 worker on cores 1", "uplink", "af_xdp", "eth0", "tcp 198.51.100.10:80", "pool web: hot-warm", "b1",
        "192.0.2.11", "100.0 %", "warm1", "192.0.2.21", "tcp every 1s", "127.0.0.1:9100"}) {
    EXPECT_THAT(text, testing::HasSubstr(part));
  }
  EXPECT_TRUE(text.ends_with('\n'));
}

TEST(Describe, namesTlsWhereTheKindDoesNot) {
  Config config;
  config.pools = {{.name = "p", .probe = {.kind = ProbeKind::grpc, .tls = true}}};
  EXPECT_THAT(describe(config), testing::HasSubstr("probe grpc over TLS every"));
  config.pools[0].probe.kind = ProbeKind::udp;
  EXPECT_THAT(describe(config), testing::Not(testing::HasSubstr("TLS")));
}

TEST(Describe, namesWhatDecidesAboutAPool) {
  Config config;
  PoolConfig pool{.name = "p", .activate_below = 70, .trickle = 2};
  pool.probe.payload = "PING";
  pool.probe.expect = "+PONG";
  pool.guard.overload = Overload::shed;
  pool.anomaly.eject = pool.load.balance = true;
  pool.warm.paths = {"/a", "/b"};
  pool.warm.rate = 50;
  pool.backends = {{.name = "b", .capacity = 150}};
  config.pools = {pool};
  const std::string text = describe(config);
  for (const char* part :
       {"probe tcp sends \"PING\" expects \"+PONG\" every", "guard fails open, sheds overload, suspects itself at 80 %",
        "pool balances load, ejects anomalies for 30s, at most 10 %, standbys only below 70 %",
        "warm trickle of 2 %, http /a /b every 1s ± 20 %, 50 requests/s within 100ms for 5s, tried again after 10m",
        "150"}) {
    EXPECT_THAT(text, testing::HasSubstr(part));
  }
}

TEST(Describe, copesWithEmptyParts) {
  EXPECT_FALSE(describe(Config{}).empty());
}

}  // namespace
}  // namespace warmswap::config
