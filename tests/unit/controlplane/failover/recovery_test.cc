// The way back: hold-down, automatic and manual failback, and what overrides them.
#include "tests/unit/controlplane/failover/sim.h"

namespace warmswap::failover {
namespace {

config::PoolConfig automatic(std::vector<config::BackendConfig> backends) {
  config::PoolConfig spec = pool(std::move(backends));
  spec.failback = config::Failback::automatic;
  return spec;
}

TEST(Recovery, TakesRiseGoodProbes) {
  Sim sim = Sim::running(pool({hot("hot1"), warm("warm1")}));
  sim.fail("hot1");
  sim.good("hot1");
  EXPECT_EQ(sim.state_of("hot1"), State::failed);
  sim.bad("hot1");
  sim.good("hot1");
  EXPECT_EQ(sim.state_of("hot1"), State::failed);
  sim.good("hot1");
  EXPECT_EQ(sim.state_of("hot1"), State::recovering);
  EXPECT_EQ(sim.seats(), "hot1=warm1");
}

TEST(Recovery, AutomaticFailbackComesWhenTheHoldDownEnds) {
  Sim sim = Sim::running(automatic({hot("hot1"), warm("warm1")}));
  sim.fail("hot1");
  const Outcome recovering = sim.recover("hot1");
  ASSERT_TRUE(recovering.deadline.has_value());
  EXPECT_EQ(*recovering.deadline, sim.now + 10s);
  sim.pass(10s - 1ns);
  EXPECT_EQ(sim.seats(), "hot1=warm1");
  const Outcome outcome = sim.pass(1ns);
  EXPECT_EQ(sim.seats(), "hot1=hot1");
  EXPECT_EQ(sim.state_of("warm1"), State::warm);
  ASSERT_EQ(outcome.seats.size(), 1u);
  EXPECT_EQ(outcome.seats[0].kind, SeatChangeKind::failback);
  EXPECT_EQ(outcome.seats[0].cause, Cause::hold_down);
  EXPECT_FALSE(outcome.deadline.has_value());
  for (const StateChange& change : outcome.states) EXPECT_EQ(change.cause, Cause::hold_down) << change.backend;
}

TEST(Recovery, AnyBadProbeRestartsTheHoldDown) {
  Sim sim = Sim::running(automatic({hot("hot1"), warm("warm1")}));
  sim.fail("hot1");
  sim.recover("hot1");
  sim.pass(9s);
  const Outcome doubted = sim.bad("hot1");
  EXPECT_FALSE(doubted.deadline.has_value());
  sim.pass(5s);
  EXPECT_EQ(sim.seats(), "hot1=warm1");
  const Outcome again = sim.good("hot1");
  EXPECT_EQ(again.deadline, sim.now + 10s);
  sim.pass(9s);
  EXPECT_EQ(sim.seats(), "hot1=warm1");
  sim.pass(1s);
  EXPECT_EQ(sim.seats(), "hot1=hot1");
}

TEST(Recovery, AnyEventAfterTheHoldDownEndsIt) {
  Sim sim = Sim::running(automatic({hot("hot1"), hot("hot2"), warm("warm1")}));
  sim.fail("hot1");
  sim.recover("hot1");
  sim.now += 11s;
  sim.good("hot2");
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=hot2");
}

/// How long the seat stays away after the backend is found healthy again.
Nanoseconds time_out_of_seat(Sim& sim, const std::string& backend) {
  const Nanoseconds healthy = sim.now;
  while (sim.seats() != backend + "=" + backend) {
    const std::optional<Nanoseconds> deadline = sim.pass(0s).deadline;
    if (!deadline) return Nanoseconds::max();
    sim.pass(*deadline - sim.now);
  }
  return sim.now - healthy;
}

TEST(Recovery, EachFailureDoublesTheHoldDownUpToItsBound) {
  config::PoolConfig spec = automatic({hot("hot1"), warm("warm1")});
  spec.hold_down_max = 60s;
  Sim sim = Sim::running(spec);
  for (const Nanoseconds expected : {10s, 20s, 40s, 60s, 60s}) {
    sim.fail("hot1");
    sim.recover("hot1");
    EXPECT_EQ(time_out_of_seat(sim, "hot1"), expected);
  }
}

TEST(Recovery, EachHalfLifeBetweenFailuresTakesADoublingBack) {
  config::PoolConfig spec = automatic({hot("hot1"), warm("warm1")});
  spec.flap_half_life = 1000s;
  Sim sim = Sim::running(spec);
  const auto next = [&](Nanoseconds calm) {
    sim.pass(calm);
    sim.fail("hot1");
    sim.recover("hot1");
    return time_out_of_seat(sim, "hot1");
  };
  EXPECT_EQ(next(0s), 10s);
  EXPECT_EQ(next(0s), 20s);
  EXPECT_EQ(next(0s), 40s);
  EXPECT_EQ(next(1000s), 40s) << "one less for the half-life, one more for the failure";
  EXPECT_EQ(next(2000s), 20s);
  EXPECT_EQ(next(24h), 10s) << "all forgotten";
}

TEST(Recovery, AHoldDownUnderWayKeepsItsLength) {
  config::PoolConfig spec = automatic({hot("hot1"), warm("warm1")});
  spec.hold_down = 100s;
  spec.hold_down_max = 1h;
  spec.flap_half_life = 10s;  // many pass while it waits
  Sim sim = Sim::running(spec);
  sim.fail("hot1");
  sim.recover("hot1");
  sim.fail("hot1");
  sim.recover("hot1");
  EXPECT_EQ(time_out_of_seat(sim, "hot1"), 200s);
}

TEST(Recovery, ACommandVouchesForABackendThatFlapped) {
  for (const bool by_failback : {true, false}) {
    Sim sim = Sim::running(automatic({hot("hot1"), warm("warm1")}));
    for (int i = 0; i < 3; ++i) {
      sim.fail("hot1");
      sim.recover("hot1");
    }
    if (by_failback) {
      sim.send(Failback{"hot1"});
      EXPECT_EQ(sim.seats(), "hot1=hot1") << "at once";
    } else {
      sim.send(Disable{"hot1"});
      sim.send(Enable{"hot1"});
      sim.good("hot1");  // the first evidence is enough
      EXPECT_EQ(time_out_of_seat(sim, "hot1"), 10s);
    }
    sim.fail("hot1");
    sim.recover("hot1");
    EXPECT_EQ(time_out_of_seat(sim, "hot1"), 10s);
  }
}

TEST(Recovery, WhenNobodyServesFlappingDoesNotKeepABackendOut) {
  Sim sim = Sim::running(automatic({hot("hot1"), warm("warm1")}));
  for (int i = 0; i < 5; ++i) {
    sim.fail("hot1");
    sim.recover("hot1");
  }
  sim.fail("warm1");
  EXPECT_EQ(sim.seats(), "hot1=hot1");
}

TEST(Recovery, WithoutHoldDownItIsImmediate) {
  config::PoolConfig spec = automatic({hot("hot1"), warm("warm1")});
  spec.hold_down = 0s;
  Sim sim = Sim::running(spec);
  sim.fail("hot1");
  sim.recover("hot1");
  EXPECT_EQ(sim.seats(), "hot1=hot1");
}

TEST(Recovery, ManualFailbackWaitsForTheCommand) {
  Sim sim = Sim::running(pool({hot("hot1"), warm("warm1")}));
  sim.fail("hot1");
  EXPECT_FALSE(sim.recover("hot1").deadline.has_value());
  sim.pass(24h);
  EXPECT_EQ(sim.seats(), "hot1=warm1");
  EXPECT_EQ(sim.refused(Failback{"hot1"}), "");
  EXPECT_EQ(sim.seats(), "hot1=hot1");
}

TEST(Recovery, AFreedStandbyTakesTheNextEmptySeatInTheSameStep) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  sim.fail("hot1");
  sim.fail("hot2");
  ASSERT_EQ(sim.seats(), "hot1=warm1 hot2=-");
  sim.recover("hot1");
  const Outcome outcome = sim.send(Failback{"hot1"});
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=warm1");
  ASSERT_EQ(outcome.seats.size(), 2u);
  EXPECT_EQ(outcome.seats[1].cause, Cause::failback) << "the command for hot1 set warm1 free";
  EXPECT_EQ(outcome.seats[1].detail, "warm1: free again");
}

TEST(Recovery, AHealthyOwnerReturnsAtOnceWhenItsStandbyFails) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1"), warm("warm2")}));
  sim.fail("hot1");
  sim.recover("hot1");
  const Outcome outcome = sim.fail("warm1");
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=hot2") << "manual failback, hold-down and warm2 notwithstanding";
  ASSERT_EQ(outcome.seats.size(), 1u);
  EXPECT_EQ(outcome.seats[0].kind, SeatChangeKind::failback);
  EXPECT_EQ(outcome.seats[0].cause, Cause::probe);
  EXPECT_EQ(outcome.seats[0].detail, "warm1: refused");
}

TEST(Recovery, ADoubtedOwnerLeavesItToAnotherStandby) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1"), warm("warm2")}));
  sim.fail("hot1");
  sim.recover("hot1");
  sim.bad("hot1");
  sim.fail("warm1");
  EXPECT_EQ(sim.seats(), "hot1=warm2 hot2=hot2");
}

TEST(Recovery, HotHotIsGovernedToo) {
  for (const config::Failback failback : {config::Failback::automatic, config::Failback::manual}) {
    config::PoolConfig spec = automatic({hot("hot1"), hot("hot2")});
    spec.mode = config::Mode::hot_hot;
    spec.failback = failback;
    Sim sim = Sim::running(spec);
    sim.fail("hot1");
    sim.recover("hot1");
    EXPECT_EQ(sim.seats(), "hot1=- hot2=hot2");
    EXPECT_EQ(sim.state_of("hot1"), State::recovering);
    sim.pass(10s);
    if (failback == config::Failback::manual) {
      EXPECT_EQ(sim.seats(), "hot1=- hot2=hot2");
      sim.send(Failback{"hot1"});
    }
    EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=hot2");
  }
}

TEST(Recovery, ManualFailbackIsForSeatsThatAStandbyHolds) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), hot("hot3"), warm("warm1")}));
  sim.fail("hot1");
  sim.fail("hot2");
  ASSERT_EQ(sim.seats(), "hot1=warm1 hot2=- hot3=hot3");
  sim.recover("hot1");
  sim.recover("hot2");
  sim.pass(10s);
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2 hot3=hot3") << "hot2's slots were re-dealt, hot1's standby serves";
}

TEST(Recovery, WhoNeverServedNeedsNoFailback) {
  // The balancer came up before its backends, as after a power failure.
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), hot("hot3")});
  spec.mode = config::Mode::hot_hot;
  Sim sim(spec);
  sim.fail_all({"hot1", "hot2", "hot3"});
  for (const char* name : {"hot1", "hot2", "hot3"}) sim.recover(name);
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=hot2 hot3=hot3");
}

TEST(LastResort, WhenNobodyServesTheFirstHealthyOwnerDoes) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  sim.fail_all({"hot1", "hot2", "warm1"});
  ASSERT_EQ(sim.seats(), "hot1=- hot2=-");
  const Outcome outcome = sim.recover("hot2");
  EXPECT_EQ(sim.seats(), "hot1=- hot2=hot2") << "manual failback protects running traffic, and there is none";
  ASSERT_EQ(outcome.seats.size(), 1u);
  EXPECT_EQ(outcome.seats[0].cause, Cause::last_resort);
  sim.recover("hot1");
  EXPECT_EQ(sim.seats(), "hot1=- hot2=hot2") << "now there is traffic to protect, for the hold-down";
  sim.pass(10s);
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=hot2") << "no standby is disturbed, and the capacity is missing";
}

TEST(LastResort, EvenAHeldOwnerServesBeforeNobodyDoes) {
  Sim sim = Sim::running(pool({hot("hot1"), warm("warm1")}));
  sim.send(Failover{"hot1", ""});
  sim.fail("warm1");
  EXPECT_EQ(sim.seats(), "hot1=hot1");
  EXPECT_FALSE(sim.find("hot1").held);
}

TEST(LastResort, ADisabledBackendIsNoResort) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2")}));
  sim.send(Disable{"hot1"});
  sim.fail("hot2");
  sim.good("hot1");
  EXPECT_EQ(sim.seats(), "hot1=- hot2=-");
}

}  // namespace
}  // namespace warmswap::failover
