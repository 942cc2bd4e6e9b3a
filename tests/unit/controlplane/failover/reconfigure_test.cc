// The configuration changes under a running pool.
#include "tests/unit/controlplane/failover/sim.h"

namespace warmswap::failover {
namespace {

// Longer than a small-string buffer, so that a dangling view of a name shows under AddressSanitizer.
const std::string kLong = "-with-a-name-that-does-not-fit-into-the-string-object";

TEST(Reconfigure, AnUnchangedConfigurationChangesNothing) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  sim.fail("hot1");
  sim.bad("hot2");
  const PoolState before = sim.state;
  const Outcome outcome = sim.change(sim.spec);
  EXPECT_EQ(sim.state, before);
  EXPECT_TRUE(outcome.states.empty());
  EXPECT_TRUE(outcome.seats.empty());
}

TEST(Reconfigure, WhatRemainsKeepsItsStateAndSeat) {
  Sim sim = Sim::running(pool({hot("hot2" + kLong), hot("hot4" + kLong), warm("warm1" + kLong)}));
  sim.fail("hot4" + kLong);
  sim.bad("hot2" + kLong);
  const BackendState suspect = sim.find("hot2" + kLong);
  sim.change(pool({hot("hot1" + kLong), hot("hot2" + kLong), hot("hot3" + kLong), hot("hot4" + kLong),
                   warm("warm0" + kLong), warm("warm1" + kLong)}));
  EXPECT_EQ(sim.find("hot2" + kLong), suspect);
  EXPECT_EQ(sim.state_of("hot1" + kLong), State::unknown);
  EXPECT_EQ(sim.state.seats[3].holder, 5u) << "hot4 is held by warm1";
  EXPECT_EQ(sim.state.seats[1].holder, 1u) << "hot2 holds its own";
  sim.good("hot3" + kLong);
  EXPECT_EQ(sim.state_of("hot3" + kLong), State::serving) << "a new backend serves at its first good probe";
}

TEST(Reconfigure, RemovingTheOwnerFreesItsStandby) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), hot("hot3"), warm("warm1")}));
  sim.fail("hot1");
  sim.fail("hot2");
  ASSERT_EQ(sim.seats(), "hot1=warm1 hot2=- hot3=hot3");
  sim.change(pool({hot("hot2"), hot("hot3"), warm("warm1")}));
  EXPECT_EQ(sim.seats(), "hot2=warm1 hot3=hot3");
}

TEST(Reconfigure, RemovingAHolderIsLikeItsFailure) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1"), warm("warm2")}));
  sim.fail("hot1");
  const Outcome next = sim.change(pool({hot("hot1"), hot("hot2"), warm("warm2")}));
  EXPECT_EQ(sim.seats(), "hot1=warm2 hot2=hot2");
  ASSERT_EQ(next.seats.size(), 1u);
  EXPECT_EQ(next.seats[0].before, "warm1");
  EXPECT_EQ(next.seats[0].detail, "warm1: removed");
  EXPECT_EQ(next.seats[0].cause, Cause::configuration);
  sim.recover("hot1");
  sim.change(pool({hot("hot1"), hot("hot2")}));
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=hot2") << "the owner is healthy and returns at once";
}

TEST(Reconfigure, AWeightOfZeroReleasesTheStandby) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  sim.fail("hot1");
  config::PoolConfig spec = sim.spec;
  spec.backends[0].weight = 0;
  sim.change(spec);
  EXPECT_EQ(sim.seats(), "hot1=- hot2=hot2");
  EXPECT_EQ(sim.state_of("warm1"), State::warm);
  spec.backends[0].weight = 7;
  sim.change(spec);
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2");
  EXPECT_EQ(assignment(sim.spec, sim.state)[0],
            (SeatAssignment{.owner = 0, .weight = 7, .holder = 2, .guest = {}, .holder_share = kWhole}));
}

TEST(Reconfigure, ARoleChangeKeepsWhatTheProbesProved) {
  Sim sim = Sim::running(pool({hot("a"), hot("b"), warm("c")}));
  config::PoolConfig spec = sim.spec;
  spec.backends[0].role = Role::warm;
  spec.backends[2].role = Role::hot;
  sim.change(spec);
  EXPECT_EQ(sim.state_of("a"), State::warm);
  EXPECT_EQ(sim.state_of("c"), State::serving);
  EXPECT_EQ(sim.seats(), "b=b c=c");
}

TEST(Reconfigure, APromotedStandbyThatTurnsHotLeavesTheOthersSeat) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  sim.fail("hot1");
  config::PoolConfig spec = sim.spec;
  spec.backends[2].role = Role::hot;
  sim.change(spec);
  EXPECT_EQ(sim.seats(), "hot1=- hot2=hot2 warm1=warm1");
}

TEST(Reconfigure, HotHotReleasesStandbys) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  sim.fail("hot1");
  config::PoolConfig spec = sim.spec;
  spec.mode = config::Mode::hot_hot;
  sim.change(spec);
  EXPECT_EQ(sim.seats(), "hot1=- hot2=hot2");
}

TEST(Reconfigure, OnlyAChangeOfEnabledOverridesACommand) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2")}));
  sim.send(Disable{"hot1"});
  config::PoolConfig spec = sim.spec;
  spec.backends[0].weight = 50;
  sim.change(spec);
  EXPECT_EQ(sim.state_of("hot1"), State::disabled) << "the file still says enabled, as it did before the command";
  spec.backends[0].enabled = false;
  sim.change(spec);
  spec.backends[0].enabled = true;
  sim.change(spec);
  EXPECT_EQ(sim.state_of("hot1"), State::unknown);
  spec.backends[1].enabled = false;
  const Outcome outcome = sim.change(spec);
  EXPECT_EQ(sim.state_of("hot2"), State::disabled);
  ASSERT_EQ(outcome.states.size(), 1u);
  EXPECT_EQ(outcome.states[0].cause, Cause::configuration);
}

TEST(Reconfigure, ProbesMayBeDroppedAndIntroduced) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2")}));
  sim.fail("hot1");
  config::PoolConfig spec = sim.spec;
  spec.probe.kind = config::ProbeKind::none;
  sim.change(spec);
  EXPECT_EQ(sim.state_of("hot1"), State::recovering) << "taken as healthy; its return is a failback all the same";
  spec.probe.kind = config::ProbeKind::http;
  sim.change(spec);
  EXPECT_EQ(sim.state_of("hot2"), State::serving);
  sim.fail("hot2");
  EXPECT_EQ(sim.state_of("hot2"), State::failed);
}

}  // namespace
}  // namespace warmswap::failover
