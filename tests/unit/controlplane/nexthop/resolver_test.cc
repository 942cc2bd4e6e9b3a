#include "controlplane/nexthop/resolver.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <tuple>
#include <vector>

#include "tests/unit/controlplane/nexthop/netlink_faults.h"
#include "tests/unit/controlplane/nexthop/network_sandbox.h"

namespace warmswap::nexthop {
namespace {

using namespace std::chrono_literals;

constexpr Be32 kOnLink(0xc0000202);        // 192.0.2.2
constexpr Be32 kSecondOnLink(0xc0000203);  // 192.0.2.3
constexpr Be32 kBehind(0xcb007107);        // 203.0.113.7, behind a gateway
constexpr MacAddress kPeerMac = {2, 0, 0, 0, 0, 2};

class ResolverTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { why_not_ = ::geteuid() == 0 ? test::NetworkSandbox::enter() : "needs root"; }

  void SetUp() override {
    if (!why_not_.empty()) GTEST_SKIP() << why_not_;
    network_ = std::make_unique<test::NetworkSandbox>();
    resolver_.emplace(open());
  }

  Resolver open() {
    return Resolver::open(loop_, {.on_change = [this] { ++changes_; },
                                  .log = [this](const std::string& line) { log_.push_back(line); }})
        .value();
  }

  /// Runs the loop until `condition` holds; false after a few seconds.
  bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      loop_.restart();
      loop_.run_one_for(20ms);
    }
    return true;
  }
  void run_for(std::chrono::milliseconds time) {
    const auto deadline = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < deadline) {
      loop_.restart();
      loop_.run_one_until(deadline);
    }
  }

  bool resolves(Be32 destination, const MacAddress& mac) {
    return eventually([&] {
      const auto next_hop = resolver_->find(destination);
      return next_hop && next_hop->mac == mac;
    });
  }

  /// Over all netlink sockets of this namespace: the last but one column of /proc/net/netlink.
  static uint64_t dropped_notifications() {
    std::ifstream table("/proc/self/net/netlink");
    std::string line;
    std::getline(table, line);
    uint64_t sum = 0;
    while (std::getline(table, line)) {
      std::istringstream columns(line);
      std::string skipped;
      uint64_t drops = 0;
      for (int i = 0; i < 8; ++i) columns >> skipped;
      columns >> drops;
      sum += drops;
    }
    return sum;
  }

  boost::asio::io_context loop_;
  std::unique_ptr<test::NetworkSandbox> network_;
  std::optional<Resolver> resolver_;
  int changes_ = 0;
  std::vector<std::string> log_;

 private:
  inline static std::string why_not_;
};

TEST_F(ResolverTest, ResolvesANeighbourThatTheKernelDidNotKnow) {
  resolver_->set_destinations({kOnLink, kSecondOnLink});
  ASSERT_TRUE(resolves(kOnLink, kPeerMac));
  ASSERT_TRUE(resolves(kSecondOnLink, kPeerMac));
  const auto next_hop = resolver_->find(kOnLink);
  EXPECT_EQ(next_hop->interface, "lb0");
  EXPECT_EQ(next_hop->neighbour, kOnLink);
  EXPECT_EQ(next_hop->mtu, 1500);
  EXPECT_GE(changes_, 1);
  EXPECT_TRUE(log_.empty()) << log_[0];
  network_->ip("neigh show 192.0.2.2 | grep -q managed");
}

TEST_F(ResolverTest, FollowsTheMacOfANeighbour) {
  resolver_->set_destinations({kOnLink});
  ASSERT_TRUE(resolves(kOnLink, kPeerMac));
  const int before = changes_;
  network_->ip("neigh replace 192.0.2.2 lladdr 02:00:00:00:00:99 dev lb0 nud permanent");
  EXPECT_TRUE(resolves(kOnLink, {2, 0, 0, 0, 0, 0x99}));
  EXPECT_EQ(changes_, before + 1);
}

/// Throws unless the kernel has 192.0.2.2 as a permanent entry with this MAC.
void expect_permanent(test::NetworkSandbox& network, const std::string& mac) {
  network.ip("neigh show 192.0.2.2 nud permanent | grep -q 'lladdr " + mac + "'");
}

TEST_F(ResolverTest, APermanentNeighbourIsUsedAndLeftAlone) {
  network_->ip("neigh replace 192.0.2.2 lladdr 02:00:00:00:00:22 dev lb0 nud permanent");
  resolver_->set_destinations({kOnLink});
  ASSERT_TRUE(resolves(kOnLink, {2, 0, 0, 0, 0, 0x22}));
  run_for(50ms);
  expect_permanent(*network_, "02:00:00:00:00:22");

  resolver_->set_destinations({});
  ASSERT_TRUE(eventually([&] { return !resolver_->find(kOnLink); }));
  run_for(50ms);
  expect_permanent(*network_, "02:00:00:00:00:22");
}

TEST_F(ResolverTest, ANeighbourMadePermanentWhileInUseIsLeftAlone) {
  resolver_->set_destinations({kOnLink});
  ASSERT_TRUE(resolves(kOnLink, kPeerMac));
  network_->ip("neigh show 192.0.2.2 | grep -q managed");
  network_->ip("neigh replace 192.0.2.2 lladdr 02:00:00:00:00:99 dev lb0 nud permanent");
  resolver_->set_destinations({});  // the loop has not seen the notification yet
  ASSERT_TRUE(eventually([&] { return !resolver_->find(kOnLink); }));
  run_for(50ms);
  expect_permanent(*network_, "02:00:00:00:00:99");
}

TEST_F(ResolverTest, ANeighbourThatIsNoLongerPermanentIsResolved) {
  network_->ip("neigh replace 192.0.2.2 lladdr 02:00:00:00:00:22 dev lb0 nud permanent");
  resolver_->set_destinations({kOnLink});
  ASSERT_TRUE(resolves(kOnLink, {2, 0, 0, 0, 0, 0x22}));
  network_->ip("neigh del 192.0.2.2 dev lb0");
  EXPECT_TRUE(resolves(kOnLink, kPeerMac));
  network_->ip("neigh show 192.0.2.2 | grep -q managed");
}

TEST_F(ResolverTest, FollowsRoutes) {
  network_->ip("neigh replace 192.0.2.3 lladdr 02:00:00:00:00:33 dev lb0 nud permanent");
  resolver_->set_destinations({kBehind});
  run_for(50ms);
  EXPECT_FALSE(resolver_->find(kBehind)) << "there is no route yet";

  network_->ip("route add 203.0.113.0/24 via 192.0.2.2");
  ASSERT_TRUE(resolves(kBehind, kPeerMac));
  EXPECT_EQ(resolver_->find(kBehind)->neighbour, kOnLink);

  network_->ip("route add 203.0.113.7/32 via 192.0.2.3 mtu 1400");
  ASSERT_TRUE(resolves(kBehind, {2, 0, 0, 0, 0, 0x33}));
  EXPECT_EQ(resolver_->find(kBehind)->neighbour, kSecondOnLink);
  EXPECT_EQ(resolver_->find(kBehind)->mtu, 1400);

  network_->ip("route replace blackhole 203.0.113.7/32");
  EXPECT_TRUE(eventually([&] { return !resolver_->find(kBehind); }));
}

TEST_F(ResolverTest, FollowsTheLinksMtuAndItsEnd) {
  resolver_->set_destinations({kOnLink});
  ASSERT_TRUE(resolves(kOnLink, kPeerMac));
  network_->ip("link set lb0 mtu 1400");
  EXPECT_TRUE(eventually([&] { return resolver_->find(kOnLink)->mtu == 1400; }));
  network_->ip("link set lb0 down");  // its routes go without a notification of their own
  EXPECT_TRUE(eventually([&] { return !resolver_->find(kOnLink); }));
}

TEST_F(ResolverTest, ADeadNeighbourKeepsItsMac) {
  resolver_->set_destinations({kOnLink});
  ASSERT_TRUE(resolves(kOnLink, kPeerMac));
  const int before = changes_;
  std::ofstream("/proc/sys/net/ipv4/neigh/lb0/retrans_time_ms") << 10;
  network_->peer("link set host0 arp off");
  network_->ip("neigh flush dev lb0");  // the kernel asks again, in vain
  // Not at a set time: the kernel asks for a managed neighbour again and again.
  ASSERT_TRUE(eventually([] { return std::system("ip neigh show nud failed | grep -q '^192.0.2.2 '") == 0; }));
  run_for(50ms);
  EXPECT_TRUE(resolver_->find(kOnLink));
  EXPECT_EQ(changes_, before);
}

TEST_F(ResolverTest, AsksAgainForANeighbourThatWasFlushed) {
  resolver_->set_destinations({kOnLink});
  ASSERT_TRUE(resolves(kOnLink, kPeerMac));
  network_->ip("neigh flush dev lb0");
  network_->peer("link set host0 address 02:00:00:00:00:44");
  EXPECT_TRUE(resolves(kOnLink, {2, 0, 0, 0, 0, 0x44}));
}

TEST_F(ResolverTest, ForgetsDestinationsThatAreNoLongerAskedFor) {
  resolver_->set_destinations({kOnLink});
  ASSERT_TRUE(resolves(kOnLink, kPeerMac));
  resolver_->set_destinations({});
  EXPECT_TRUE(eventually([&] { return !resolver_->find(kOnLink); }));
  network_->ip("neigh show 192.0.2.2 | grep -q 192.0.2.2");
  network_->ip("neigh show 192.0.2.2 | grep -vq managed");
}

TEST_F(ResolverTest, AChangeThatDoesNotConcernUsIsNotTold) {
  resolver_->set_destinations({kOnLink});
  ASSERT_TRUE(resolves(kOnLink, kPeerMac));
  const int before = changes_;
  network_->ip("route add 198.51.100.0/24 via 192.0.2.3");
  network_->ip("neigh replace 192.0.2.77 lladdr 02:00:00:00:00:77 dev lb0 nud permanent");
  network_->ip("link add other type veth peer name other1");
  run_for(100ms);
  EXPECT_EQ(changes_, before);
}

TEST_F(ResolverTest, CatchesUpAfterNotificationsWereLost) {
  resolver_->set_destinations({kOnLink});
  ASSERT_TRUE(resolves(kOnLink, kPeerMac));
  // While the loop stands still more notifications come than the socket holds, the one that counts among the last.
  const std::string batch = ::testing::TempDir() + "warmswap-resolver-test." + std::to_string(::getpid());
  std::ofstream lines(batch);
  for (int round = 0; round < 160; ++round) {
    for (int host = 10; host < 250; ++host) {
      lines << "neigh replace 192.0.2." << host << " lladdr 02:00:00:00:" << 10 + round % 80
            << ":01 dev lb0 nud permanent\n";
    }
  }
  lines << "neigh replace 192.0.2.2 lladdr 02:00:00:00:00:55 dev lb0 nud permanent\n";
  lines.close();
  network_->ip("-batch " + batch);
  ::unlink(batch.c_str());
  ASSERT_GT(dropped_notifications(), 0u) << "the socket held them all: nothing was tested";
  EXPECT_TRUE(resolves(kOnLink, {2, 0, 0, 0, 0, 0x55}));
}

TEST_F(ResolverTest, AnAnswerThatFailsChangesNothing) {
  network_->ip("route add 203.0.113.0/24 via 192.0.2.3");
  resolver_->set_destinations({kOnLink, kBehind});
  ASSERT_TRUE(resolves(kOnLink, kPeerMac));
  ASSERT_TRUE(resolves(kBehind, kPeerMac));
  const int before = changes_;
  // EINTR is what an interrupted dump comes to: it is asked for again, and nothing to tell.
  for (const auto& [type, error, told] :
       {std::tuple{RTM_GETLINK, EINTR, false}, std::tuple{RTM_GETLINK, ENOBUFS, true},
        std::tuple{RTM_GETROUTE, ETIMEDOUT, true}, std::tuple{RTM_GETROUTE, ENOMEM, true},
        std::tuple{RTM_GETNEIGH, EINTR, false}, std::tuple{RTM_GETNEIGH, ENOBUFS, true}}) {
    log_.clear();
    const test::NetlinkFault fault(static_cast<uint16_t>(type), error);
    resolver_->set_destinations({kOnLink, kBehind});
    EXPECT_TRUE(eventually([&] { return fault.refused() > 0; }));
    run_for(20ms);
    EXPECT_EQ(changes_, before) << type << " " << std::strerror(error);
    EXPECT_TRUE(resolver_->find(kOnLink) && resolver_->find(kBehind)) << type << " " << std::strerror(error);
    EXPECT_EQ(!log_.empty(), told) << type << " " << std::strerror(error);
  }
  resolver_->set_destinations({kOnLink});
  EXPECT_TRUE(eventually([&] { return !resolver_->find(kBehind); })) << "it goes on afterwards";
}

TEST_F(ResolverTest, EveryKindOfNoRouteIsAnAnswer) {
  for (const std::string kind : {"unreachable", "prohibit", "blackhole"}) {
    network_->ip("route replace 203.0.113.7/32 via 192.0.2.2");
    resolver_->set_destinations({kBehind});
    ASSERT_TRUE(resolves(kBehind, kPeerMac));
    network_->ip("route replace " + kind + " 203.0.113.7/32");
    EXPECT_TRUE(eventually([&] { return !resolver_->find(kBehind); })) << kind;
  }
  network_->ip("route replace 203.0.113.7/32 via 192.0.2.2");
  ASSERT_TRUE(resolves(kBehind, kPeerMac));
  network_->ip("route del 203.0.113.7/32");
  EXPECT_TRUE(eventually([&] { return !resolver_->find(kBehind); }));
  EXPECT_TRUE(log_.empty()) << log_[0];
}

TEST_F(ResolverTest, WithoutPrivilegesReadsAndSaysOnceWhatItMayNot) {
  network_->ip("neigh replace 192.0.2.2 lladdr 02:00:00:00:00:22 dev lb0 nud permanent");
  ASSERT_EQ(::seteuid(65534), 0);
  resolver_.emplace(open());
  resolver_->set_destinations({kOnLink, kSecondOnLink});
  EXPECT_TRUE(resolves(kOnLink, {2, 0, 0, 0, 0, 0x22}));
  resolver_->set_destinations({kOnLink});
  run_for(50ms);
  ASSERT_EQ(::seteuid(0), 0);
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_NE(log_[0].find("CAP_NET_ADMIN"), std::string::npos) << log_[0];
}

TEST_F(ResolverTest, CallsNobodyAfterItsEnd) {
  resolver_->set_destinations({kOnLink});
  resolver_.reset();
  run_for(50ms);
  EXPECT_EQ(changes_, 0);
}

}  // namespace
}  // namespace warmswap::nexthop
