#include "controlplane/nexthop/next_hop_table.h"

#include <gtest/gtest.h>

namespace warmswap::nexthop {
namespace {

constexpr Be32 kBackend(0xcb007107);
constexpr Be32 kGateway(0xc0000202);
constexpr MacAddress kMac = {2, 0, 0, 0, 0, 2};
constexpr MacAddress kOtherMac = {2, 0, 0, 0, 0, 3};

NextHopTable resolved_table(uint32_t route_mtu = 0) {
  NextHopTable table;
  table.set_link(7, {"lb0", 1500});
  table.set_routes({{kBackend, {7, kGateway, route_mtu}}});
  table.learn({7, kGateway}, kMac);
  return table;
}

TEST(NextHopTable, PutsRouteLinkAndNeighbourTogether) {
  const auto next_hop = resolved_table().find(kBackend);
  ASSERT_TRUE(next_hop);
  EXPECT_EQ(*next_hop, (NextHop{7, "lb0", kGateway, kMac, 1500}));
}

TEST(NextHopTable, NeedsAllThree) {
  NextHopTable table;
  EXPECT_FALSE(table.find(kBackend));
  table.set_routes({{kBackend, {7, kGateway, 0}}});
  EXPECT_FALSE(table.find(kBackend));
  table.learn({7, kGateway}, kMac);
  EXPECT_FALSE(table.find(kBackend));
  table.set_link(7, {"lb0", 1500});
  EXPECT_TRUE(table.find(kBackend));
  EXPECT_EQ(table.all().size(), 1u);
}

TEST(NextHopTable, TheSmallerMtuCounts) {
  EXPECT_EQ(resolved_table(1400).find(kBackend)->mtu, 1400);
  EXPECT_EQ(resolved_table(9000).find(kBackend)->mtu, 1500);
  NextHopTable loopback = resolved_table();
  loopback.set_link(7, {"lo", 65536});
  EXPECT_EQ(loopback.find(kBackend)->mtu, 65535);
}

TEST(NextHopTable, TheSameNeighbourOnAnotherLinkIsAnother) {
  NextHopTable table = resolved_table();
  table.set_link(8, {"lb1", 1500});
  table.set_routes({{kBackend, {8, kGateway, 0}}});
  EXPECT_FALSE(table.find(kBackend));
}

TEST(NextHopTable, ForgetsWhatNoRouteUses) {
  NextHopTable table = resolved_table();
  table.learn({7, kBackend}, kOtherMac);  // a host on the link that nothing is sent to
  table.set_routes({{kBackend, {7, kBackend, 0}}});
  EXPECT_FALSE(table.find(kBackend));
  table.set_routes({{kBackend, {7, kGateway, 0}}});
  EXPECT_FALSE(table.find(kBackend)) << "the gateway's MAC was to be forgotten with its last route";
}

TEST(NextHopTable, ARemovedLinkTakesItsNeighboursAlong) {
  NextHopTable table = resolved_table();
  table.remove_link(7);
  EXPECT_FALSE(table.find(kBackend));
  table.set_link(7, {"new", 1500});
  EXPECT_FALSE(table.find(kBackend));
}

}  // namespace
}  // namespace warmswap::nexthop
