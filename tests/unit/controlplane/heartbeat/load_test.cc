#include "controlplane/heartbeat/load.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>

namespace warmswap::heartbeat {
namespace {

using namespace std::chrono_literals;

contract::AgentLoad percent(int cpu, int memory, int disk, int network) {
  const auto part = [](int value) { return static_cast<uint16_t>(value * 65535 / 100); };
  return {.cpu = part(cpu), .memory = part(memory), .disk = part(disk), .network = part(network)};
}

// From the field: CPU, memory, disk and network of three nodes.
TEST(LoadCoefficient, TheLeastLoadedNodeGetsTheMost) {
  const config::LoadConfig config;
  const std::vector<double> loads = {weighted_load(config, percent(70, 60, 50, 80), 0),
                                     weighted_load(config, percent(40, 30, 20, 60), 0),
                                     weighted_load(config, percent(30, 20, 10, 40), 0)};
  EXPECT_NEAR(loads[0], 0.65, 0.001);
  EXPECT_NEAR(loads[1], 0.375, 0.001);
  EXPECT_NEAR(loads[2], 0.25, 0.001);
  const std::vector<double> coefficients = load_coefficients(loads);
  EXPECT_NEAR(coefficients[0], 1, 0.001);
  EXPECT_NEAR(coefficients[1], 0.577, 0.001);
  EXPECT_NEAR(coefficients[2], 0.385, 0.001);
  const std::vector<double> shares = shares_for(loads);
  EXPECT_GT(shares[2], shares[1]);
  EXPECT_GT(shares[1], shares[0]);
  EXPECT_NEAR(shares[2] / shares[0], 2.6, 0.01);
}

TEST(LoadCoefficient, PartsThatAreNotKnownDoNotCount) {
  config::LoadConfig config;
  contract::AgentLoad load;
  EXPECT_EQ(weighted_load(config, load, 0), 0);
  load.cpu = 65535;
  EXPECT_NEAR(weighted_load(config, load, 0), 1, 1e-9);
  config.connections = 3;
  load.connections = 50;
  EXPECT_NEAR(weighted_load(config, load, 100), (1 + 3 * 0.5) / 4, 1e-9);
}

/// Hosts whose load is their background plus traffic over speed, in a closed loop with the balance.
class Loop {
 public:
  struct Host {
    double speed = 1;
    double background = 0;
  };
  Loop(config::LoadConfig config, std::vector<Host> hosts, double traffic)
      : config_(config), hosts_(std::move(hosts)), traffic_(traffic), share_(hosts_.size(), contract::kWhole) {
    for (uint64_t i = 0; i < hosts_.size(); ++i) ids_.push_back(i);
  }

  double load(size_t host) const {
    double all = 0;
    for (const uint16_t share : share_) all += share;
    return hosts_[host].background + traffic_ * share_[host] / all / hosts_[host].speed;
  }

  /// One interval, with a little noise in the reports. How many shares changed.
  size_t step() {
    now_ += config_.interval;
    for (uint64_t i = 0; i < hosts_.size(); ++i) {
      const double noise = 1 + 0.02 * (static_cast<double>(random_() % 1000) / 500 - 1);
      const auto part = static_cast<uint16_t>(std::lround(std::clamp(load(i) * noise, 0.0, 1.0) * 65535));
      if (!silent_.contains(i)) balance_.report(i, {.cpu = part}, now_);
    }
    size_t changed = 0;
    for (const LoadBalance::Share& share : balance_.update(config_, ids_, now_)) {
      changed += share_[share.id] != share.share;
      share_[share.id] = share.share;
    }
    return changed;
  }

  config::LoadConfig config_;
  std::vector<Host> hosts_;
  double traffic_;
  std::vector<uint16_t> share_;
  std::set<uint64_t> silent_;

 private:
  LoadBalance balance_;
  std::vector<uint64_t> ids_;
  Nanoseconds now_{1s};
  std::mt19937_64 random_{6};
};

config::LoadConfig balanced() {
  config::LoadConfig config;
  config.balance = true;
  return config;
}

TEST(LoadBalance, HostsOfDifferentSpeedComeToCarryAlikeAndStayThere) {
  Loop loop(balanced(), {{1, 0}, {1, 0}, {0.5, 0}, {2, 0}}, 1.6);
  EXPECT_GT(loop.load(2) / loop.load(3), 3.9);
  for (int i = 0; i < 120; ++i) loop.step();
  for (size_t host = 0; host < 4; ++host) {
    EXPECT_NEAR(loop.load(host) / loop.load(0), 1, 0.2) << "host " << host << " within the threshold on either side";
  }
  size_t changes = 0;
  for (int i = 0; i < 300; ++i) changes += loop.step();
  EXPECT_LE(changes, 6u) << "it swings";
}

TEST(LoadBalance, ABackgroundLoadIsGivenWayToAndComesBack) {
  Loop loop(balanced(), {{1, 0}, {1, 0}, {1, 0.3}}, 1.2);
  for (int i = 0; i < 120; ++i) loop.step();
  EXPECT_LT(loop.share_[2], contract::kWhole * 7 / 10);
  EXPECT_GE(loop.share_[2], contract::kWhole / 4) << "never less than the least";
  loop.hosts_[2].background = 0;
  for (int i = 0; i < 120; ++i) loop.step();
  EXPECT_GT(loop.share_[2], contract::kWhole * 8 / 10);
}

TEST(LoadBalance, NoShareMovesFasterThanTheStep) {
  Loop loop(balanced(), {{1, 0}, {1, 0.9}}, 0.4);
  uint16_t before = contract::kWhole;
  for (int i = 0; i < 60; ++i) {
    loop.step();
    ASSERT_GE(loop.share_[1] + contract::kWhole / kQuanta, before * 0.949) << "interval " << i;
    before = loop.share_[1];
  }
}

TEST(LoadBalance, WithinTheThresholdNothingMoves) {
  Loop loop(balanced(), {{1, 0}, {1.05, 0}, {0.96, 0}}, 1.5);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(loop.step(), 0u);
}

TEST(LoadBalance, AnIdlePoolIsLeftAlone) {
  Loop loop(balanced(), {{1, 0}, {0.2, 0}}, 0.05);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(loop.step(), 0u);
}

TEST(LoadBalance, WhoSaysNothingHoldsAndThenGoesBackToNeutral) {
  Loop loop(balanced(), {{1, 0}, {1, 0}, {0.4, 0}}, 1.5);
  for (int i = 0; i < 100; ++i) loop.step();
  const uint16_t held = loop.share_[2];
  ASSERT_LT(held, contract::kWhole * 7 / 10);
  loop.silent_.insert(2);
  for (int i = 0; i < 9; ++i) loop.step();
  EXPECT_NEAR(loop.share_[2], held, 2.0 * contract::kWhole / kQuanta) << "its last word counts for ten seconds";
  for (int i = 0; i < 60; ++i) loop.step();
  EXPECT_GE(loop.share_[2], contract::kWhole * 95 / 100);
}

TEST(LoadBalance, WhoTakesOverAPlaceBeginsWithItsShare) {
  LoadBalance balance;
  const config::LoadConfig config = balanced();
  const std::vector<uint64_t> ids{1, 2};
  for (const uint64_t id : ids) balance.report(id, {.cpu = 30000}, 1s);
  balance.begins_with(1, contract::kWhole);
  balance.begins_with(2, contract::kWhole / 2);
  const auto shares = balance.update(config, ids, 2s);
  EXPECT_EQ(shares[1].share, contract::kWhole / 2) << "equal loads are no reason to move";
  balance.begins_with(2, contract::kWhole / 2);
  EXPECT_EQ(balance.update(config, ids, 3s)[1].share, contract::kWhole / 2);
}

TEST(LoadBalance, SwitchedOffTheWeightsCountAtOnce) {
  Loop loop(balanced(), {{1, 0}, {1, 0}, {0.4, 0}}, 1.5);
  for (int i = 0; i < 100; ++i) loop.step();
  ASSERT_LT(loop.share_[2], contract::kWhole * 7 / 10);
  loop.config_.balance = false;
  loop.step();
  EXPECT_EQ(loop.share_[2], contract::kWhole);
}

TEST(LoadBalance, OffItChangesNothing) {
  config::LoadConfig off;
  Loop loop(off, {{1, 0}, {0.2, 0.5}}, 1);
  for (int i = 0; i < 50; ++i) ASSERT_EQ(loop.step(), 0u);
}

}  // namespace
}  // namespace warmswap::heartbeat
