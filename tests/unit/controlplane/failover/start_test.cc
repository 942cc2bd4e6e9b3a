// From nothing known to serving, and what single probes do.
#include <stdexcept>

#include "tests/unit/controlplane/failover/sim.h"

namespace warmswap::failover {
namespace {

TEST(Start, NobodyServesBeforeTheFirstGoodProbe) {
  Sim sim(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  EXPECT_EQ(sim.seats(), "hot1=- hot2=-");
  EXPECT_EQ(sim.state_of("hot1"), State::unknown);
  EXPECT_EQ(sim.state_of("warm1"), State::cold);
}

TEST(Start, TheFirstGoodProbeSeatsAHotBackendAtOnce) {
  Sim sim(pool({hot("hot1"), hot("hot2")}));
  const Outcome outcome = sim.good("hot2");
  EXPECT_EQ(sim.seats(), "hot1=- hot2=hot2");
  ASSERT_EQ(outcome.seats.size(), 1u);
  EXPECT_EQ(outcome.seats[0].kind, SeatChangeKind::opened);
  ASSERT_EQ(outcome.states.size(), 1u);
  EXPECT_EQ(outcome.states[0].from, State::unknown);
  EXPECT_EQ(outcome.states[0].to, State::serving);
  EXPECT_EQ(outcome.states[0].cause, Cause::probe);
}

TEST(Start, AStandbyBecomesReadyAfterRiseGoodProbes) {
  Sim sim(pool({hot("hot1"), warm("warm1")}));
  sim.good("warm1");
  EXPECT_EQ(sim.state_of("warm1"), State::warming);
  sim.bad("warm1");
  EXPECT_EQ(sim.state_of("warm1"), State::cold) << "good probes count in a row";
  sim.good("warm1");
  sim.good("warm1");
  EXPECT_EQ(sim.state_of("warm1"), State::warm);
  EXPECT_EQ(sim.find("warm1").failures, 0u);
}

TEST(Start, NoStandbyIsPromotedBeforeFallBadProbes) {
  Sim sim(pool({hot("hot1"), warm("warm1")}));
  sim.good("warm1");
  sim.good("warm1");
  sim.bad("hot1");
  sim.bad("hot1");
  EXPECT_EQ(sim.seats(), "hot1=-");
  EXPECT_EQ(sim.state_of("hot1"), State::unknown);
  const Outcome outcome = sim.bad("hot1");
  EXPECT_EQ(sim.seats(), "hot1=warm1");
  EXPECT_EQ(sim.state_of("hot1"), State::failed);
  ASSERT_EQ(outcome.seats.size(), 1u);
  EXPECT_EQ(outcome.seats[0].detail, "hot1: refused");
}

TEST(Start, AStandbyNotReadyIsNeverPromoted) {
  Sim sim(pool({hot("hot1"), warm("warm1")}));
  sim.good("warm1");
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=-");
  sim.good("warm1");
  EXPECT_EQ(sim.seats(), "hot1=warm1") << "it takes the empty seat once it is ready";
}

TEST(Start, WithoutProbesBackendsServeAtOnce) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), warm("warm1")});
  spec.probe.kind = config::ProbeKind::none;
  spec.backends[1].probe = config::ProbeConfig{};
  Sim sim(spec);
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=-") << "hot2 has a probe of its own";
  EXPECT_EQ(sim.state_of("warm1"), State::warm);
  sim.fail("hot1");
  EXPECT_EQ(sim.state_of("hot1"), State::serving) << "nobody asked for probes";
}

TEST(Start, ADisabledBackendStaysOut) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2")});
  spec.backends[0].enabled = false;
  Sim sim(spec);
  sim.good("hot1");
  EXPECT_EQ(sim.state_of("hot1"), State::disabled);
  EXPECT_EQ(sim.seats(), "hot1=- hot2=-");
}

TEST(Probes, OneBadProbeMakesASuspectThatKeepsItsSeat) {
  Sim sim = Sim::running(pool({hot("hot1"), warm("warm1")}));
  const Outcome suspect = sim.bad("hot1");
  EXPECT_EQ(sim.state_of("hot1"), State::suspect);
  EXPECT_EQ(sim.seats(), "hot1=hot1");
  EXPECT_TRUE(suspect.seats.empty());
  ASSERT_EQ(suspect.states.size(), 1u);
  EXPECT_EQ(suspect.states[0].first_bad, sim.now);
  sim.bad("hot1");
  sim.good("hot1");
  EXPECT_EQ(sim.state_of("hot1"), State::serving) << "bad probes count in a row";
  sim.bad("hot1");
  sim.bad("hot1");
  EXPECT_EQ(sim.seats(), "hot1=hot1");
}

TEST(Probes, OneThatCouldNotBeRunChangesNothing) {
  Sim sim = Sim::running(pool({hot("hot1"), warm("warm1")}));
  sim.bad("hot1");
  sim.bad("hot1");
  const PoolState before = sim.state;
  for (int i = 0; i < 10; ++i) {
    const Outcome outcome = sim.send(ProbeResult{"hot1", Probe::not_run, "no file descriptors", sim.now});
    EXPECT_TRUE(outcome.states.empty());
  }
  EXPECT_EQ(sim.state, before) << "neither a good nor a bad streak ends or grows";
}

TEST(Probes, ALateResultOfARemovedBackendIsIgnored) {
  Sim sim = Sim::running(pool({hot("hot1")}));
  const PoolState before = sim.state;
  sim.bad("gone");
  EXPECT_EQ(sim.state, before);
}

TEST(Step, RefusesAStateOfAnotherConfiguration) {
  Sim sim(pool({hot("hot1")}));
  EXPECT_THROW(step(pool({hot("hot1"), hot("hot2")}), sim.state, Tick{}, sim.now), std::invalid_argument);
}

}  // namespace
}  // namespace warmswap::failover
