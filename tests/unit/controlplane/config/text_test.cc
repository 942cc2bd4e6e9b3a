#include "controlplane/config/text.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <random>

namespace warmswap::config {
namespace {

using namespace std::chrono_literals;

TEST(Duration, readsEveryUnitAndFractions) {
  const std::pair<const char*, Nanoseconds> cases[] = {
      {"0s", 0ns},   {"1ns", 1ns}, {"250us", 250us}, {"20ms", 20ms},        {"1.5s", 1500ms}, {"2m", 2min},
      {"1.5m", 90s}, {"1h", 1h},   {"0.25h", 15min}, {"0.000000001s", 1ns}, {"007ms", 7ms},   {"1.50s", 1500ms},
  };
  for (const auto& [text, value] : cases) EXPECT_EQ(parse_duration(text), value) << text;
}

TEST(Duration, refusesWhatIsNotOne) {
  for (const char* text : {"",
                           "5",
                           "ms",
                           "-5ms",
                           "+5ms",
                           "5 ms",
                           " 5ms",
                           "5ms ",
                           "5MS",
                           "5d",
                           "1m30s",
                           ".5s",
                           "5.s",
                           "1.2.3s",
                           "0x5ms",
                           "1e3ms",
                           "0.0000000001s",
                           "0.5ns",
                           "9223372036854775807h",
                           "99999999999999999999ns",
                           "1.0000000000000000000000000s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Duration, formatIsReadBackExactly) {
  std::mt19937_64 random(1);
  const int64_t scales[] = {1, 1000, 1'000'000, 1'000'000'000, 60'000'000'000};
  for (int i = 0; i < 10'000; ++i) {
    const Nanoseconds value(static_cast<int64_t>(random() % 100'000) * scales[random() % std::size(scales)]);
    EXPECT_EQ(parse_duration(format_duration(value)), value) << format_duration(value);
  }
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(2h), "2h");
}

TEST(Address, agreesWithTheCLibrary) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 10'000; ++i) {
    in_addr raw{static_cast<uint32_t>(random())};
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &raw, text, sizeof(text));
    ASSERT_EQ(parse_address(text), Be32::from_raw(raw.s_addr)) << text;
    ASSERT_EQ(format_address(Be32::from_raw(raw.s_addr)), text);
  }
  using namespace std::string_view_literals;
  for (const auto text :
       {""sv, "1.2.3"sv, "1.2.3.4.5"sv, "256.1.1.1"sv, "01.2.3.4"sv, " 1.2.3.4"sv, "1.2.3.4\0x"sv, "::1"sv}) {
    EXPECT_EQ(parse_address(text), std::nullopt) << text;
  }
}

TEST(Address, readsPrefixesAndEndpoints) {
  EXPECT_EQ(parse_prefix("198.18.0.0/16"), (Prefix{Be32(0xc6120000), 16}));
  EXPECT_EQ(parse_prefix("0.0.0.0/0"), (Prefix{Be32(0), 0}));
  for (const char* text : {"198.18.0.0", "198.18.0.0/", "198.18.0.0/33", "198.18.0.0/-1", "198.18.0.0/1x", "/8"}) {
    EXPECT_EQ(parse_prefix(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_endpoint("127.0.0.1:9100")->port, 9100);
  EXPECT_EQ(parse_endpoint("")->address, "");
  for (const char* text : {"127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", ":80", "localhost:80"}) {
    EXPECT_FALSE(parse_endpoint(text)) << text;
  }
}

TEST(HashKeyText, bytesAreInWrittenOrder) {
  // Key bytes 00 01 … 0f, the key of the SipHash paper's test vectors, as little-endian words.
  const auto key = parse_hash_key("000102030405060708090A0b0c0d0e0f");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->k0, 0x0706050403020100u);
  EXPECT_EQ(key->k1, 0x0f0e0d0c0b0a0908u);
  for (const char* text : {"", "00", "000102030405060708090a0b0c0d0e0", "000102030405060708090a0b0c0d0e0f0",
                           "000102030405060708090a0b0c0d0e0g", "0x0102030405060708090a0b0c0d0e0f"}) {
    EXPECT_FALSE(parse_hash_key(text)) << text;
  }
}

TEST(Quote, staysOneLineHidesKeysAndIsBounded) {
  EXPECT_EQ(quote("a\"b\\c\n\x7f"), R"("a\"b\\c\u000a\u007f")");
  EXPECT_EQ(quote("x0f1e2d3c4b5a69788796a5b4c3d2e1f0y"), "\"x<hidden>y\"");
  const std::string umlauts = [] {
    std::string text = "x";
    for (int i = 0; i < 100; ++i) text += "ü";
    return text;
  }();
  const std::string shown = quote(umlauts);
  EXPECT_LT(shown.size(), 90u);
  EXPECT_TRUE(shown.ends_with("ü…\"")) << shown;  // cut between characters
}

TEST(Closest, findsTyposAndNothingElse) {
  const std::vector<std::string> keys{"interval", "timeout", "rise", "fall", "path"};
  EXPECT_EQ(closest("inteval", keys), "interval");
  EXPECT_EQ(closest("intervall", keys), "interval");
  EXPECT_EQ(closest("tiemout", keys), "timeout");
  EXPECT_EQ(closest("rsie", keys), "rise");
  EXPECT_EQ(closest("fill", keys), "fall");
  EXPECT_EQ(closest("weight", keys), std::nullopt);
  EXPECT_EQ(closest("", keys), std::nullopt);
  EXPECT_EQ(closest(std::string(1000, 'x'), keys), std::nullopt);
}

}  // namespace
}  // namespace warmswap::config
