#include "perf/gen/fields.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace warmswap::gen {
namespace {

bool read(std::string_view key, std::string_view text, StreamConfig& stream) {
  const auto field = std::ranges::find(stream_fields(), key, &StreamField::key);
  EXPECT_NE(field, stream_fields().end()) << key;
  return field->read(text, stream);
}
bool accepts(std::string_view key, std::string_view text) {
  StreamConfig stream;
  return read(key, text, stream);
}

TEST(StreamFields, ReadWhatTheyDescribe) {
  StreamConfig stream;
  ASSERT_TRUE(read("vip", "198.51.100.10,198.51.100.11", stream));
  ASSERT_TRUE(read("port", "8000-8099", stream));
  ASSERT_TRUE(read("source", "10.0.0.0/8,192.0.2.0/24", stream));
  ASSERT_TRUE(read("flows", "1.5M", stream));
  ASSERT_TRUE(read("choice", "zipf:1.2", stream));
  ASSERT_TRUE(read("size", "imix", stream));
  ASSERT_TRUE(read("kinds", "syn:1,data:8", stream));
  ASSERT_TRUE(read("fixed_rate", "250kpps", stream));
  EXPECT_EQ(stream.vips.size(), 2u);
  EXPECT_EQ(stream.ports, (PortRange{8000, 8099}));
  EXPECT_EQ(format_address_prefix(stream.sources[1]), "192.0.2.0/24");
  EXPECT_EQ(stream.flows, 1'500'000u);
  EXPECT_EQ(format_choice(stream), "zipf:1.2");
  EXPECT_EQ(format_sizes(stream), "64:7,594:4,1518:1");
  EXPECT_EQ(format_kinds(stream), "syn:1,data:8");
  EXPECT_DOUBLE_EQ(*stream.fixed_rate, 250'000);
  ASSERT_TRUE(read("kinds", "life-cycle:12", stream));
  EXPECT_EQ(format_kinds(stream), "life-cycle:12");
}

TEST(StreamFields, RefuseEverythingElse) {
  for (const auto& [key, text] : std::vector<std::pair<std::string_view, std::string_view>>{{"name", ""},
                                                                                            {"name", "a b"},
                                                                                            {"protocol", "sctp"},
                                                                                            {"vip", "198.51.100"},
                                                                                            {"vip", ""},
                                                                                            {"vip", "1.2.3.4,"},
                                                                                            {"port", "0"},
                                                                                            {"port", "90-80"},
                                                                                            {"port", "80-70000"},
                                                                                            {"port", "80x"},
                                                                                            {"source", "10.0.0.1/8"},
                                                                                            {"source", "10.0.0.0/33"},
                                                                                            {"source_port", "-5"},
                                                                                            {"flows", "0"},
                                                                                            {"flows", "1.5"},
                                                                                            {"flows", "201M"},
                                                                                            {"flows", "many"},
                                                                                            {"choice", "zipf:0"},
                                                                                            {"choice", "zipf 1"},
                                                                                            {"choice", "random"},
                                                                                            {"size", "63"},
                                                                                            {"size", "9019"},
                                                                                            {"size", "64:0"},
                                                                                            {"size", "64,"},
                                                                                            {"kinds", "rst"},
                                                                                            {"kinds", "life-cycle:"},
                                                                                            {"kinds", "syn:x"},
                                                                                            {"weight", "0"},
                                                                                            {"fixed_rate", "max"},
                                                                                            {"fixed_rate", "-1"},
                                                                                            {"fixed_rate", "2Gpps"}}) {
    EXPECT_FALSE(accepts(key, text)) << key << " = " << text;
  }
}

TEST(StreamFields, ContradictionsAreNamed) {
  StreamConfig stream;
  stream.vips = {*parse_ip("198.51.100.10")};
  EXPECT_EQ(contradiction(stream), std::nullopt);
  StreamConfig udp = stream;
  udp.transport = Transport::udp;
  EXPECT_EQ(contradiction(udp), std::nullopt);
  udp.kinds = {{Kind::syn, 1}};
  EXPECT_EQ(contradiction(udp), "stream stream: udp has no syn: leave `kinds` out");
  StreamConfig big_syn = stream;
  big_syn.kinds = {{Kind::syn, 1}};
  big_syn.sizes = {{512, 1}};
  EXPECT_EQ(contradiction(big_syn), "stream stream: `size` is for data segments, and its kinds (syn) have none");
  StreamConfig cycle = stream;
  cycle.life_cycle = 3;
  cycle.choice = Choice::fresh;
  EXPECT_NE(contradiction(cycle), std::nullopt);
  StreamConfig mixed = stream;
  mixed.vips.push_back(*parse_ip("2001:db8::1"));
  EXPECT_EQ(contradiction(mixed),
            "stream stream: vips 198.51.100.10 and 2001:db8::1 are of different families; make two streams");
}

TEST(Rate, Text) {
  EXPECT_DOUBLE_EQ(*parse_rate("1.25Mpps"), 1.25e6);
  EXPECT_DOUBLE_EQ(*parse_rate("14880952"), 14'880'952);
  EXPECT_DOUBLE_EQ(*parse_rate("2k"), 2000);
  EXPECT_TRUE(std::isinf(*parse_rate("max")));
  for (const char* text : {"", "pps", "0", "1e6", "1 M", "1.1G", "nan", "-3", "0x10"})
    EXPECT_FALSE(parse_rate(text)) << text;
}

}  // namespace
}  // namespace warmswap::gen
