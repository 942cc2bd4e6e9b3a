// The governed way back: steps, pauses, retreat; and the ramps of standbys and new backends.
#include "tests/unit/controlplane/failover/sim.h"

namespace warmswap::failover {
namespace {

/// 25 % at once and after each 5 s.
config::PoolConfig governed(std::vector<config::BackendConfig> backends) {
  config::PoolConfig spec = pool(std::move(backends));
  spec.failback_step = 25;
  spec.failback_pause = 5s;
  return spec;
}

/// Of hot1's seat: what its holder and its guest have, in percent.
std::pair<int, int> shares(const Sim& sim, size_t seat = 0) {
  const SeatAssignment s = assignment(sim.spec, sim.state)[seat];
  const auto percent = [](uint32_t share) { return static_cast<int>((share * 100 + kWhole / 2) / kWhole); };
  return {percent(s.holder_share), percent(s.guest_share)};
}

TEST(GovernedReturn, GoesByStepsAndThePausesBetweenThem) {
  Sim sim = Sim::running(governed({hot("hot1"), hot("hot2"), warm("warm1")}));
  sim.fail("hot1");
  sim.recover("hot1");
  const Outcome first = sim.send(Failback{"hot1"});
  ASSERT_EQ(first.seats.size(), 1u);
  EXPECT_EQ(first.seats[0].kind, SeatChangeKind::step);
  EXPECT_EQ(first.seats[0].owner_share, kWhole / 4);
  EXPECT_TRUE(first.shares_changed);
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2") << "the standby keeps the seat until the last step";
  EXPECT_EQ(shares(sim), std::pair(75, 25));
  EXPECT_EQ(sim.state_of("hot1"), State::recovering);
  EXPECT_EQ(first.deadline, sim.now + 5s);
  EXPECT_FALSE(changed_anything(sim.pass(4999ms))) << "nothing before the pause is over";
  sim.pass(1ms);
  EXPECT_EQ(shares(sim), std::pair(50, 50));
  sim.pass(5s);
  EXPECT_EQ(shares(sim), std::pair(25, 75));
  const Outcome last = sim.pass(5s);
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=hot2");
  EXPECT_EQ(last.seats[0].kind, SeatChangeKind::failback);
  EXPECT_EQ(sim.state_of("hot1"), State::serving);
  EXPECT_EQ(sim.state_of("warm1"), State::warm);
  EXPECT_FALSE(last.deadline.has_value());
}

TEST(GovernedReturn, OneBadSignalAndItRetreats) {
  config::PoolConfig spec = governed({hot("hot1"), hot("hot2"), warm("warm1")});
  spec.failback = config::Failback::automatic;
  Sim sim = Sim::running(spec);
  sim.fail("hot1");
  sim.recover("hot1");
  sim.pass(10s);
  EXPECT_EQ(shares(sim), std::pair(75, 25)) << "the hold-down is over";
  sim.pass(5s);
  EXPECT_EQ(shares(sim), std::pair(50, 50));
  const Outcome outcome = sim.bad("hot1");
  ASSERT_EQ(outcome.seats.size(), 1u);
  EXPECT_EQ(outcome.seats[0].kind, SeatChangeKind::retreat);
  EXPECT_EQ(shares(sim), std::pair(100, 0));
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2");
  sim.pass(1s);
  sim.good("hot1");
  sim.pass(9999ms);
  EXPECT_EQ(shares(sim), std::pair(100, 0)) << "the hold-down begins anew";
  sim.pass(1ms);
  EXPECT_EQ(shares(sim), std::pair(75, 25));
}

TEST(GovernedReturn, ALateHeartbeatDelaysAndUndoesNothing) {
  config::PoolConfig spec = governed({hot("hot1"), hot("hot2"), warm("warm1")});
  spec.failback = config::Failback::automatic;
  Sim sim = Sim::running(spec);
  const auto beat = [&](Beats beats) { sim.send(BeatChange{"hot1", beats, true, "beat", sim.now}); };
  beat(Beats::beating);
  sim.fail("hot1");
  sim.recover("hot1");
  sim.pass(6s);
  beat(Beats::late);
  beat(Beats::beating);
  sim.pass(4s);
  EXPECT_EQ(shares(sim), std::pair(75, 25)) << "the hold-down went on";
  beat(Beats::late);
  EXPECT_EQ(shares(sim), std::pair(75, 25));
  beat(Beats::beating);
  sim.pass(5s);
  EXPECT_EQ(shares(sim), std::pair(50, 50));
  beat(Beats::lost);
  EXPECT_EQ(shares(sim), std::pair(100, 0)) << "a lost one is an answer";
}

TEST(GovernedReturn, AnEmptySeatFillsByStepsTooAndEmptiesOnABadSignal) {
  config::PoolConfig spec = governed({hot("hot1"), hot("hot2")});
  spec.mode = config::Mode::hot_hot;
  spec.failback = config::Failback::automatic;
  Sim sim = Sim::running(spec);
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=- hot2=hot2");
  sim.recover("hot1");
  sim.pass(10s);
  EXPECT_EQ(shares(sim), std::pair(25, 0));
  EXPECT_EQ(sim.state_of("hot1"), State::recovering);
  sim.pass(5s);
  EXPECT_EQ(shares(sim), std::pair(50, 0));
  EXPECT_EQ(sim.bad("hot1").seats[0].kind, SeatChangeKind::retreat);
  EXPECT_EQ(sim.seats(), "hot1=- hot2=hot2");
  EXPECT_EQ(sim.find("hot1").failures, 1u) << "a retreat is no failure";
}

TEST(GovernedReturn, IsNotWaitedForWhenTheStandbyDies) {
  Sim sim = Sim::running(governed({hot("hot1"), hot("hot2"), warm("warm1")}));
  sim.fail("hot1");
  sim.recover("hot1");
  sim.send(Failback{"hot1"});
  sim.fail("warm1");
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=hot2");
  EXPECT_EQ(shares(sim), std::pair(100, 0));
}

TEST(GovernedReturn, AnOperatorMayHaveTheWholeSeatAtOnce) {
  Sim sim = Sim::running(governed({hot("hot1"), hot("hot2"), warm("warm1")}));
  sim.fail("hot1");
  sim.recover("hot1");
  sim.send(Failback{"hot1"});
  EXPECT_EQ(sim.refused(Failback{"hot1"}), "hot1 is already on its way back");
  EXPECT_EQ(sim.refused(Failback{"hot1", true}), "");
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=hot2");
  EXPECT_EQ(sim.refused(Failback{"hot1", true}), "hot1 already has its seat");
}

TEST(GovernedReturn, WithNobodyElseLeftTheWholeSeatIsTakenAtOnce) {
  Sim sim = Sim::running(governed({hot("hot1"), warm("warm1")}));
  sim.fail_all({"hot1", "warm1"});
  sim.recover("hot1");
  EXPECT_EQ(shares(sim), std::pair(100, 0)) << "there is no running traffic to be careful with";
}

TEST(PromotionRamp, ASetShareOfTheSeatIsTheStandbysUntilItIsWhole) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), warm("warm1")});
  spec.promotion_ramp = 20s;
  Sim sim = Sim::running(spec);
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2");
  EXPECT_EQ(shares(sim), std::pair(5, 0));
  int publishes = 0, last = 5;
  for (int i = 0; i < 2000; ++i) {
    if (sim.pass(10ms).shares_changed) ++publishes;
    ASSERT_GE(shares(sim).first, last) << "a ramp never falls";
    last = shares(sim).first;
  }
  EXPECT_EQ(last, 100);
  EXPECT_LE(publishes, 20);
}

TEST(SlowStart, FollowsEnvoysCurve) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2")});
  spec.mode = config::Mode::hot_hot;
  spec.slow_start = {.window = 100s, .aggression = 200, .least = 10};
  Sim sim = Sim::running(spec);
  config::PoolConfig grown = spec;
  grown.backends.push_back(hot("hot3"));
  sim.change(grown);
  sim.good("hot3");
  EXPECT_EQ(shares(sim, 2), std::pair(10, 0));
  EXPECT_EQ(sim.state_of("hot3"), State::serving);
  sim.pass(4s);
  EXPECT_EQ(shares(sim, 2), std::pair(20, 0)) << "(4 / 100)^(1 / 2)";
  sim.pass(21s);
  EXPECT_EQ(shares(sim, 2), std::pair(50, 0)) << "(25 / 100)^(1 / 2)";
  sim.pass(75s);
  EXPECT_EQ(shares(sim, 2), std::pair(100, 0));
}

TEST(SlowStart, DoesNotHoldBackWhoIsAlone) {
  config::PoolConfig spec = pool({hot("hot1")});
  spec.slow_start.window = 100s;
  Sim sim(spec);
  sim.good("hot1");
  EXPECT_EQ(shares(sim), std::pair(100, 0));
}

TEST(Trickle, GoesToTheStandbyThatWaitsForTheSeat) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), warm("warm1"), warm("warm2")});
  spec.trickle = 5;
  Sim sim = Sim::running(spec);
  EXPECT_EQ(shares(sim, 0), std::pair(95, 5));
  EXPECT_EQ(*assignment(sim.spec, sim.state)[0].guest, 2u);
  EXPECT_EQ(*assignment(sim.spec, sim.state)[1].guest, 3u);
  EXPECT_EQ(sim.state_of("warm1"), State::warm);
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2");
  EXPECT_EQ(shares(sim, 0), std::pair(100, 0));
  EXPECT_EQ(shares(sim, 1), std::pair(95, 5)) << "nothing of hot2 moves";
  sim.bad("warm2");
  EXPECT_EQ(shares(sim, 1), std::pair(100, 0)) << "one bad signal is enough not to risk clients";
}

TEST(Adoption, AReturnUnderWayKeepsWhatItHad) {
  config::PoolConfig spec = governed({hot("hot1"), hot("hot2"), warm("warm1")});
  Sim sim = Sim::running(spec);
  sim.fail("hot1");
  sim.recover("hot1");
  sim.send(Failback{"hot1"});
  sim.pass(7s);
  ASSERT_EQ(shares(sim), std::pair(50, 50));
  std::vector<AdoptedBackend> records;
  for (const BackendState& backend : sim.state.backends)
    records.push_back({.name = backend.name, .state = backend.state});
  records[0].returned = sim.state.seats[0].guest_share;
  records[1].seats = {"hot2"};
  records[2].seats = {"hot1"};
  sim.state = adopt(spec, records, sim.now).state;
  EXPECT_EQ(shares(sim), std::pair(50, 50)) << "no slot moves because the control plane was restarted";
  sim.pass(5s);
  EXPECT_EQ(shares(sim), std::pair(25, 75));
}

}  // namespace
}  // namespace warmswap::failover
