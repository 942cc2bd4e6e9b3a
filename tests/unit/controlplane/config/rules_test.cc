// The rules over values, as the control socket meets them: nothing was read from a file.
#include "controlplane/config/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controlplane/config/config_fixture.h"

namespace warmswap::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Config good() {
  return load_text(kHead + kServices, "w.toml")->config;
}

TEST(Rules, aLoadedConfigurationIsValid) {
  EXPECT_TRUE(validate(good()));
  EXPECT_THAT(warnings(good()), IsEmpty());
}

TEST(Rules, singleValues) {
  EXPECT_TRUE(check_name("A-z.0_9"));
  EXPECT_TRUE(check_name(std::string(63, 'a')));
  for (const std::string& name : {std::string(), std::string(64, 'a'), std::string("a b"), std::string("a/b"),
                                  std::string("ä"), std::string("a\0b", 3), std::string("a\n")}) {
    EXPECT_FALSE(check_name(name)) << name;
  }
  EXPECT_TRUE(check_weight(0));
  EXPECT_TRUE(check_weight(65535));
  EXPECT_EQ(check_weight(65536).error(), "65536: expected a weight from 0 to 65535");
  EXPECT_FALSE(check_weight(-1));
  EXPECT_TRUE(check_backend_address(Be32(0xc0000201)));
  for (const uint32_t address : {0u, 0x00ffffffu, 0xe0000001u, 0xf0000000u, 0xffffffffu}) {
    EXPECT_FALSE(check_backend_address(Be32(address))) << format_address(Be32(address));
  }
}

TEST(Rules, aBackendAddedAtRunTimeObeysThoseOfTheFile) {
  Config config = good();
  BackendConfig backend{.name = "b\n2", .address = Be32(0), .weight = 70000, .domain = "x y"};
  EXPECT_EQ(check_backend(backend, "backend").size(), 4u);
  backend = {.name = "b1", .address = Be32(0xc000020c)};
  config.pools[0].backends.insert(config.pools[0].backends.begin() + 1, backend);
  EXPECT_EQ(validate(config).error(), "pool.web.backend.b1.name = \"b1\": expected a name used once");
}

TEST(Rules, removingAStandbyThatIsNamedIsRefused) {
  Config config = good();
  config.pools[0].backends[0].standby = "warm1";
  EXPECT_TRUE(validate(config));
  config.pools[0].backends.pop_back();
  EXPECT_THAT(validate_pool(config.pools[0]),
              ElementsAre("pool.web.backend.b1.standby = \"warm1\": expected a warm backend of this pool"));
  EXPECT_THAT(validate(config).error(), HasSubstr("b1.standby"));
}

TEST(Rules, numbersOutOfRangeAreFoundInValuesToo) {
  // The loader stops these before a value exists; a caller that builds values must meet the same bounds.
  Config config = good();
  config.pools[0].probe.interval = std::chrono::milliseconds(9);
  config.pools[0].probe.timeout = std::chrono::milliseconds(1);
  config.pools[0].probe.jitter_percent = 51;
  config.pools[0].probe.fall = 0;
  config.pools[0].probe.rise = 101;
  config.pools[0].ring_size = 1;
  config.pools[0].hold_down = std::chrono::hours(25);
  config.pools[0].hold_down_max = std::chrono::hours(26);
  config.pools[0].flap_half_life = std::chrono::milliseconds(1);
  EXPECT_EQ(validate_pool(config.pools[0]).size(), 8u);
  config = good();
  config.vips[0].protocol = 1;
  config.dataplane.memory_mib = 1;
  config.dataplane.geometry.worker_capacity = 129;
  config.dataplane.ports[0].mtu = 100;
  config.controlplane.lease = std::chrono::seconds(0);
  config.controlplane.log_level = "loud";
  config.instance.name = "";
  const std::string errors = validate(config).error();
  EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 6) << errors;
}

TEST(Rules, theSocketPathMustFit) {
  Config config = good();
  // sockaddr_un holds 107 characters and a NUL; the path is run_dir + "/" + name + ".sock".
  config.instance.name = "n";
  config.instance.run_dir = "/" + std::string(99, 'd');
  EXPECT_TRUE(validate(config)) << validate(config).error();
  config.instance.run_dir += "d";
  EXPECT_THAT(validate(config).error(), HasSubstr("expected at most 100 characters"));
  config.instance.name = "nn";
  EXPECT_THAT(validate(config).error(), HasSubstr("expected at most 99 characters"));
}

TEST(Rules, primesMatchASieve) {
  constexpr uint32_t kEnd = 20'000;
  std::vector<bool> composite(kEnd);
  for (uint32_t n = 2; n < kEnd; ++n) {
    EXPECT_EQ(is_prime(n), !composite[n]) << n;
    for (uint32_t multiple = 2 * n; multiple < kEnd; multiple += n) composite[multiple] = true;
  }
  EXPECT_FALSE(is_prime(0));
  EXPECT_FALSE(is_prime(1));
  EXPECT_TRUE(is_prime(65537));
  EXPECT_TRUE(is_prime(4294967291u));
  EXPECT_FALSE(is_prime(4294967295u));
}

}  // namespace
}  // namespace warmswap::config
