#include "controlplane/api/text.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <random>

#include "controlplane/api/target.h"

namespace warmswap::api {
namespace {

using namespace std::chrono_literals;

TEST(Address, AgreesWithTheSystemLibrary) {
  std::mt19937 random(3);
  for (int i = 0; i < 1000; ++i) {
    const contract::Be32 address(static_cast<uint32_t>(random()));
    char expected[INET_ADDRSTRLEN];
    const uint32_t raw = address.raw();
    ASSERT_NE(inet_ntop(AF_INET, &raw, expected, sizeof(expected)), nullptr);
    EXPECT_EQ(format_address(address), expected);
    EXPECT_EQ(parse_address(expected), address);
  }
}

TEST(Address, RefusesWhatIsNotFourPlainDecimals) {
  for (const char* text : {"",         ".",         "...",       "1.2.3",     "1.2.3.4.5",
                           "1.2.3.",   ".1.2.3",    "1..2.3",    "256.1.1.1", "1.1.1.256",
                           "01.2.3.4", "1.2.3.04",  "+1.2.3.4",  "1.2.3.-4",  " 1.2.3.4",
                           "1.2.3.4 ", "0x1.2.3.4", "1.2.3.4\n", "a.b.c.d",   "99999999999999999999.1.1.1"}) {
    EXPECT_EQ(parse_address(text), std::nullopt) << text;
  }
}

TEST(Time, IsRfc3339WithMicroseconds) {
  const auto day = std::chrono::sys_days(std::chrono::year(2024) / 2 / 29);
  EXPECT_EQ(format_time(day + 23h + 59min + 59s + 7us), "2024-02-29T23:59:59.000007Z");
  EXPECT_EQ(format_time(std::chrono::sys_days(std::chrono::year(1969) / 12 / 31) + 24h - 1us),
            "1969-12-31T23:59:59.999999Z");
}

TEST(Utf8, ReplacesOnlyWhatIsBroken) {
  const std::string good = "aé€😀\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf";
  EXPECT_EQ(valid_utf8(good), good);
  const std::string mark = "\xef\xbf\xbd";
  EXPECT_EQ(valid_utf8("a\xff"), "a" + mark);
  EXPECT_EQ(valid_utf8("\xc3"), mark);
  EXPECT_EQ(valid_utf8("\xc0\xaf"), mark + mark) << "overlong";
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"), mark + mark + mark) << "surrogate";
  EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80"), mark + mark + mark + mark) << "beyond Unicode";
  EXPECT_EQ(valid_utf8("\xe2\x82x"), mark + mark + "x");
}

TEST(Shorten, CutsBetweenCharacters) {
  EXPECT_EQ(shorten("abc", 3), "abc");
  EXPECT_EQ(shorten("abcd", 3), "abc…");
  EXPECT_EQ(shorten("a€b", 2), "a…");
  EXPECT_EQ(shorten("€€", 3), "€…");
}

TEST(Target, ReadsPathAndQuery) {
  const auto target = parse_target("/v1/backends?pool=a%20b+c&x=&flag&&y=1=2");
  ASSERT_TRUE(target.ok()) << target.error();
  EXPECT_EQ(target->path, "/v1/backends");
  EXPECT_EQ(target->find("pool"), "a b c");
  EXPECT_EQ(target->find("x"), "");
  EXPECT_EQ(target->find("flag"), "");
  EXPECT_EQ(target->find("y"), "1=2");
  EXPECT_EQ(target->find("z"), std::nullopt);
}

TEST(Target, ReadsAbsoluteForm) {
  for (const char* raw : {"http://host:1/v1/status?a=1", "/v1/status?a=1", "/v1/status?a=1#part"}) {
    const auto target = parse_target(raw);
    ASSERT_TRUE(target.ok());
    EXPECT_EQ(target->path, "/v1/status") << raw;
    EXPECT_EQ(target->find("a"), "1") << raw;
  }
  EXPECT_EQ(parse_target("http://host")->path, "/");
  EXPECT_EQ(parse_target("/redirect?to=http://host/")->path, "/redirect");
}

TEST(Target, RefusesAmbiguity) {
  for (const char* raw : {"/a%2", "/%zz", "/?a=%", "/?%4=1", "/?a=1&a=2", "/?a=1&%61=2"}) {
    EXPECT_FALSE(parse_target(raw).ok()) << raw;
  }
  std::string many = "/?";
  for (int i = 0; i < 100; ++i) many.append("p").append(std::to_string(i)).append("=1&");
  EXPECT_FALSE(parse_target(many).ok());
}

}  // namespace
}  // namespace warmswap::api
