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

TEST(Describe, copesWithEmptyParts) {
  EXPECT_FALSE(describe(Config{}).empty());
}

}  // namespace
}  // namespace warmswap::config
