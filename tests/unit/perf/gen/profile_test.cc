#include "perf/gen/profile.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "perf/gen/fields.h"
#include "perf/gen/packet_source.h"

namespace warmswap::gen {
namespace {

std::string error_of(std::string_view text) {
  const auto profile = parse_profile(text, "p.toml");
  return profile ? "none" : profile.error();
}

TEST(Profile, ReadsStreamsWithTextsAndNumbers) {
  const auto profile = parse_profile(R"(rate = "2Mpps"
seed = 7
[[stream]]
name = "web"
vip = "198.51.100.10"
flows = 1000
weight = 3
[[stream]]
vip = "198.51.100.11"
protocol = "udp"
port = 53
fixed_rate = "10kpps"
)",
                                     "p.toml");
  ASSERT_TRUE(profile) << profile.error();
  ASSERT_EQ(profile->streams.size(), 2u);
  EXPECT_EQ(profile->streams[0].name, "web");
  EXPECT_EQ(profile->streams[0].flows, 1000u);
  EXPECT_EQ(profile->streams[1].name, "stream2");
  EXPECT_EQ(profile->streams[1].ports, (PortRange{53, 53}));
  EXPECT_DOUBLE_EQ(*profile->rate, 2e6);
  EXPECT_EQ(*profile->seed, 7u);
}

TEST(Profile, NamesFileLineKeyAndExpectation) {
  EXPECT_EQ(error_of("[[stream]]\nname = \"web\"\nvip = \"198.51.100.10\"\nflows = 0\n"),
            "p.toml:4: stream.web.flows = 0: expected a whole number from 1 to 200M, such as 1000 or 1M");
  EXPECT_EQ(error_of("[[stream]]\nvip = \"198.51.100.10\"\nflow = 5\n"),
            "p.toml:3: stream.stream1.flow is not a key of a profile; did you mean \"flows\"?");
  EXPECT_EQ(error_of("rates = \"1M\"\n[[stream]]\nvip = \"198.51.100.10\"\n"),
            "p.toml:1: rates is not a key of a profile; did you mean \"rate\"?");
  EXPECT_EQ(error_of("[[stream]]\nname = \"web\"\n"),
            "p.toml:1: stream.web.vip is missing: expected the addresses to send to");
  EXPECT_EQ(error_of("seed = -1\n[[stream]]\nvip = \"198.51.100.10\"\n"),
            "p.toml:1: seed = -1: expected an integer from 0");
  EXPECT_EQ(error_of("[[stream]]\nvip = [\"198.51.100.10\"]\n"),
            "p.toml:2: stream.stream1.vip = an array: expected addresses separated by commas, such as "
            "198.51.100.10,198.51.100.11");
  EXPECT_NE(error_of("stream = 5\n").find("p.toml:1: stream = 5: expected [[stream]] sections"), std::string::npos);
  EXPECT_NE(error_of("[[stream]\n").find("p.toml:1: not valid TOML"), std::string::npos);
  EXPECT_NE(error_of("").find("stream is missing: expected at least one [[stream]]"), std::string::npos);
}

TEST(Profile, ReportsAllFaultsAtOnceAndContradictions) {
  const std::string both = error_of("[[stream]]\nvip = \"x\"\nport = 0\n");
  EXPECT_NE(both.find("p.toml:2:"), std::string::npos);
  EXPECT_NE(both.find("p.toml:3:"), std::string::npos);
  EXPECT_EQ(error_of("[[stream]]\nname = \"a\"\nvip = \"198.51.100.10\"\nprotocol = \"udp\"\nkinds = \"syn\"\n"),
            "p.toml:1: stream.a: stream a: udp has no syn: leave `kinds` out");
  EXPECT_NE(error_of("[[stream]]\nname=\"a\"\nvip=\"198.51.100.10\"\n[[stream]]\nname=\"a\"\nvip=\"198.51.100.10\"\n")
                .find("the name is used twice"),
            std::string::npos);
  std::string many;
  for (uint32_t i = 0; i <= kMaxStreams; ++i) many += "[[stream]]\nvip = \"198.51.100.10\"\n";
  EXPECT_NE(error_of(many).find("16 streams, expected at most 15"), std::string::npos);
}

TEST(Profile, TheShippedOnesAreRight) {
  int found = 0;
  for (const auto& file : std::filesystem::directory_iterator(WARMSWAP_SOURCE_ROOT "/perf/gen/profiles")) {
    const auto profile = read_profile(file.path());
    ASSERT_TRUE(profile) << profile.error();
    TrafficConfig traffic;
    traffic.streams = profile->streams;
    EXPECT_TRUE(StreamSource::make(traffic)) << file.path();
    ++found;
  }
  EXPECT_GE(found, 2);
}

}  // namespace
}  // namespace warmswap::gen
