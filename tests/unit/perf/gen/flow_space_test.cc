#include "perf/gen/flow_space.h"

#include <gtest/gtest.h>

#include <set>
#include <tuple>

namespace warmswap::gen {
namespace {

StreamConfig config_with(const std::vector<const char*>& vips, const std::vector<const char*>& sources) {
  StreamConfig config;
  for (const char* vip : vips) config.vips.push_back(*parse_ip(vip));
  for (const char* source : sources) config.sources.push_back(*parse_address_prefix(source));
  return config;
}

struct Addresses {
  IpAddress source;
  IpAddress vip;
};
Addresses addresses(const FlowSpace& space, const FlowTuple& tuple) {
  Addresses out{space.sources()[tuple.source].address, space.vips()[tuple.vip]};
  out.source.set_low(tuple.source_low);
  return out;
}

std::optional<FlowSpace::Flow> find(const FlowSpace& space, const FlowTuple& tuple) {
  const Addresses at = addresses(space, tuple);
  return space.find(at.source.bytes.data(), tuple.source_port, at.vip.bytes.data(), tuple.port);
}

TEST(FlowSpace, EveryFlowHasATupleOfItsOwnAndIsFoundByIt) {
  std::vector<StreamConfig> configs{
      config_with({"198.51.100.10"}, {}),
      config_with({"198.51.100.10", "198.51.100.11", "203.0.113.5"}, {"10.0.0.0/30", "192.0.2.7", "172.16.0.0/24"}),
      config_with({"2001:db8::10"}, {}),
      config_with({"2001:db8::10", "2001:db8:5::1"}, {"2001:db8:1::/120", "2001:db8:2::5"}),
  };
  configs[1].ports = {8000, 8009};
  configs[3].source_ports = {5000, 5999};
  for (StreamConfig& config : configs) {
    config.flows = 20'000;
    const auto space = FlowSpace::make(config, 99);
    ASSERT_TRUE(space) << space.error();
    std::set<std::tuple<uint32_t, uint32_t, uint16_t, uint32_t, uint16_t>> seen;
    for (uint64_t flow = 0; flow < config.flows; ++flow) {
      const FlowTuple tuple = space->tuple(flow, 0);
      ASSERT_TRUE(seen.emplace(tuple.source, tuple.source_low, tuple.source_port, tuple.vip, tuple.port).second);
      ASSERT_GE(tuple.port, config.ports.first);
      ASSERT_LE(tuple.port, config.ports.last);
      ASSERT_GE(tuple.source_port, config.source_ports.first);
      ASSERT_LE(tuple.source_port, config.source_ports.last);
      ASSERT_EQ(find(*space, tuple), (FlowSpace::Flow{flow, 0}));
    }
  }
}

TEST(FlowSpace, GenerationsUseDifferentPortsThatNoOtherFlowUses) {
  StreamConfig config = config_with({"198.51.100.10"}, {"10.0.0.0/28"});
  config.life_cycle = 3;
  config.flows = 1000;
  const auto space = FlowSpace::make(config, 5);
  ASSERT_TRUE(space);
  ASSERT_EQ(space->generations(), 64u);
  std::set<std::pair<uint32_t, uint16_t>> seen;
  for (uint64_t flow = 0; flow < config.flows; ++flow) {
    const uint32_t source = space->tuple(flow, 0).source_low;
    for (uint32_t generation = 0; generation < 64; ++generation) {
      const FlowTuple tuple = space->tuple(flow, generation);
      ASSERT_EQ(tuple.source_low, source) << "the client stays the same";
      ASSERT_TRUE(seen.emplace(tuple.source_low, tuple.source_port).second);
      ASSERT_EQ(find(*space, tuple), (FlowSpace::Flow{flow, generation}));
    }
    ASSERT_EQ(space->tuple(flow, 64).source_port, space->tuple(flow, 0).source_port);
  }
}

TEST(FlowSpace, FindsNothingElse) {
  StreamConfig config = config_with({"198.51.100.10"}, {"10.0.0.0/24"});
  config.flows = 1000;
  const auto space = FlowSpace::make(config, 1);
  ASSERT_TRUE(space);
  const auto at = [&](const char* source, uint16_t source_port, const char* vip, uint16_t port) {
    return space->find(parse_ip(source)->bytes.data(), source_port, parse_ip(vip)->bytes.data(), port).has_value();
  };
  EXPECT_FALSE(at("10.0.1.1", 2000, "198.51.100.10", 80)) << "source outside";
  EXPECT_FALSE(at("9.255.255.255", 2000, "198.51.100.10", 80)) << "source below";
  EXPECT_FALSE(at("10.0.0.1", 80, "198.51.100.10", 80)) << "source port outside";
  EXPECT_FALSE(at("10.0.0.1", 2000, "198.51.100.11", 80)) << "another vip";
  EXPECT_FALSE(at("10.0.0.1", 2000, "198.51.100.10", 81)) << "another port";
  // 1000 of 256 · 64512 places are flows: hitting one of them by chance is rare.
  int hits = 0;
  for (uint16_t port = 1024; port < 11'024; ++port) hits += at("10.0.0.1", port, "198.51.100.10", 80) ? 1 : 0;
  EXPECT_LE(hits, 12);
}

TEST(FlowSpace, RefusesWhatItCannotTellApart) {
  const auto error = [](const StreamConfig& config) {
    const auto space = FlowSpace::make(config, 1);
    return space ? std::string("none") : space.error();
  };
  StreamConfig few = config_with({"198.51.100.10"}, {"10.0.0.1"});
  few.flows = 100'000;
  EXPECT_EQ(error(few),
            "stream stream: 100000 flows asked for, but its sources, source ports, vips and ports make only 64512");
  EXPECT_EQ(error(config_with({"198.51.100.10"}, {"10.0.0.0/8", "10.1.0.0/16"})),
            "stream stream: sources 10.0.0.0/8 and 10.1.0.0/16 overlap");
  EXPECT_EQ(error(config_with({"2001:db8::1"}, {"2001:db8:1::/64", "2001:db8:1::5"})),
            "stream stream: sources 2001:db8:1::/64 and 2001:db8:1::5/128 overlap");
  EXPECT_EQ(error(config_with({"198.51.100.10", "198.51.100.10"}, {})),
            "stream stream: vip 198.51.100.10 is named twice");
  EXPECT_EQ(error(config_with({"198.51.100.10"}, {"2001:db8::/64"})),
            "stream stream: source 2001:db8::/64 is not of the family of vip 198.51.100.10");
  EXPECT_EQ(error(config_with({}, {})), "stream stream: no vip to send to");
}

TEST(FlowSpace, FreshChoiceUsesTheWholeSpace) {
  StreamConfig config = config_with({"198.51.100.10"}, {});
  const StreamConfig flood = syn_flood(config, 1000);
  const auto space = FlowSpace::make(flood, 1);
  ASSERT_TRUE(space);
  EXPECT_EQ(space->flows(), (uint64_t{1} << 17) * 64512);
  for (uint64_t flow = 0; flow < space->flows(); flow += space->flows() / 1000) {
    ASSERT_EQ(find(*space, space->tuple(flow, 0)), (FlowSpace::Flow{flow, 0}));
  }
}

}  // namespace
}  // namespace warmswap::gen
