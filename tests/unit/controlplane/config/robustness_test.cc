// Files that are no configuration must be refused quickly and without taking the process along.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/unit/controlplane/config/config_fixture.h"

namespace warmswap::config {
namespace {

std::string repeated(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

/// `open` nested so many times around `inner`.
std::string nested(std::string_view key, std::string_view open, std::string_view inner, std::string_view close,
                   size_t times) {
  return fmt::format("{}{}{}{}\n", key, repeated(open, times), inner, repeated(close, times));
}

TEST(Robustness, hostileNestingIsRefused) {
  constexpr size_t kTimes = 200'000;
  for (const std::string& text : {nested("x = ", "[", "", "", kTimes), nested("x = ", "[\n", "", "", kTimes),
                                  nested("x = ", "{a=", "", "", kTimes), nested("", "a.", "a = 1", "", kTimes),
                                  nested("[", "a.", "a]", "", kTimes)}) {
    EXPECT_FALSE(load_text(text, "w.toml"));
  }
}

TEST(Robustness, theDeepestThatIsParsedIsSurvived) {
  for (const std::string& text :
       {nested("x = ", "[", "", "]", 900), nested("x = ", "{a=", "1", "}", 900), nested("", "a.", "a = 1", "", 4000)}) {
    EXPECT_FALSE(load_text(text, "w.toml"));
  }
}

TEST(Robustness, aLargeConfigurationLoads) {
  // 10 000 backends: what the health checker is built for.
  std::string text = kHead;
  for (int pool = 0; pool < 100; ++pool) {
    text += fmt::format("[[pool]]\nname = \"p{}\"\nmode = \"hot-hot\"\n", pool);
    for (int b = 1; b <= 100; ++b) {
      text += fmt::format("[[pool.backend]]\nname = \"b{}\"\naddress = \"10.{}.0.{}\"\n", b, pool, b);
    }
    text += fmt::format("[[vip]]\nname = \"v{}\"\naddress = \"198.51.100.{}\"\nport = 80\npool = \"p{}\"\n", pool, pool,
                        pool);
  }
  const auto start = std::chrono::steady_clock::now();
  const auto loaded = load_text(text, "w.toml");
  const auto took = std::chrono::steady_clock::now() - start;
  ASSERT_TRUE(loaded) << loaded.error();
  EXPECT_EQ(loaded->config.pools.size(), 100u);
  EXPECT_LT(took, std::chrono::seconds(30));  // 0.5 s; the bound catches work that grows with the square
}

}  // namespace
}  // namespace warmswap::config
