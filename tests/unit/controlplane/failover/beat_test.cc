// Heartbeats beside probes: a dead host is seen by its silence, a dead agent is not taken for a dead host.
#include "tests/unit/controlplane/failover/sim.h"

namespace warmswap::failover {
namespace {

class BeatTest : public ::testing::Test {
 protected:
  Outcome beat(Beats beats, bool ready = true) {
    return sim_.send(BeatChange{"hot1", beats, ready, "no heartbeat for 150 ms", sim_.now});
  }
  Sim sim_ = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
};

TEST_F(BeatTest, ALateOneMakesASuspectAndALostOneAFailure) {
  beat(Beats::beating);
  const Nanoseconds first_bad = sim_.now;
  EXPECT_EQ(beat(Beats::late).states[0].to, State::suspect);
  sim_.now += 75ms;
  const Outcome outcome = beat(Beats::lost);
  EXPECT_EQ(sim_.state_of("hot1"), State::failed);
  EXPECT_EQ(sim_.seats(), "hot1=warm1 hot2=hot2");
  EXPECT_EQ(outcome.seats[0].cause, Cause::heartbeat);
  EXPECT_EQ(outcome.seats[0].first_bad, first_bad);
  EXPECT_EQ(sim_.find("hot1").failures, 1u);
}

TEST_F(BeatTest, ALateOneThatComesIsForgotten) {
  beat(Beats::beating);
  beat(Beats::late);
  beat(Beats::beating);
  EXPECT_EQ(sim_.state_of("hot1"), State::serving);
  EXPECT_EQ(sim_.find("hot1").failures, 0u);
}

TEST_F(BeatTest, AfterASilenceProbesHaveToProveItAnew) {
  beat(Beats::beating);
  beat(Beats::lost);
  beat(Beats::beating);
  EXPECT_EQ(sim_.state_of("hot1"), State::failed) << "the host is back, whether it serves is not known";
  sim_.good("hot1");
  EXPECT_EQ(sim_.state_of("hot1"), State::failed);
  sim_.good("hot1");
  EXPECT_EQ(sim_.state_of("hot1"), State::recovering);
}

TEST_F(BeatTest, AHostThatOutlivesItsAgentComesBackByItsProbes) {
  beat(Beats::beating);
  beat(Beats::lost);
  sim_.good("hot1");
  const Outcome outcome = sim_.good("hot1");
  EXPECT_EQ(sim_.state_of("hot1"), State::recovering);
  EXPECT_EQ(outcome.states[0].detail, "ok; its agent is silent");
  EXPECT_EQ(sim_.find("hot1").beats, Beats::silent);
}

TEST_F(BeatTest, AGoodbyeIsNoFailure) {
  beat(Beats::beating);
  beat(Beats::silent);
  EXPECT_EQ(sim_.state_of("hot1"), State::serving);
}

TEST_F(BeatTest, NotReadyIsOutWithoutAFailure) {
  beat(Beats::beating);
  beat(Beats::beating, false);
  EXPECT_EQ(sim_.seats(), "hot1=warm1 hot2=hot2");
  EXPECT_EQ(sim_.find("hot1").failures, 0u);
  sim_.good("hot1");
  sim_.good("hot1");
  EXPECT_EQ(sim_.state_of("hot1"), State::failed) << "good probes do not make it ready";
  beat(Beats::beating, true);
  EXPECT_EQ(sim_.state_of("hot1"), State::failed) << "and readiness does not make it healthy";
  sim_.good("hot1");
  sim_.good("hot1");
  EXPECT_EQ(sim_.state_of("hot1"), State::recovering);
}

TEST_F(BeatTest, WithoutProbesBeatsAreAllThereIs) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), warm("warm1")});
  spec.probe.kind = config::ProbeKind::none;
  sim_ = Sim(spec);
  EXPECT_EQ(sim_.state_of("hot1"), State::serving);
  beat(Beats::beating);
  beat(Beats::lost);
  EXPECT_EQ(sim_.seats(), "hot1=warm1 hot2=hot2");
  beat(Beats::beating);
  EXPECT_EQ(sim_.state_of("hot1"), State::recovering);
}

TEST_F(BeatTest, SignalsAddUpAndEachHasToEnd) {
  beat(Beats::beating);
  beat(Beats::late);
  sim_.bad("hot1");
  beat(Beats::beating);
  EXPECT_EQ(sim_.state_of("hot1"), State::suspect) << "the probe was bad all the same";
  sim_.good("hot1");
  EXPECT_EQ(sim_.state_of("hot1"), State::serving);
}

TEST(WarmUp, AColdStandbyIsTakenOnlyWhenNothingBetterIsLeft) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1"), warm("warm2")}));
  sim.send(WarmUp{"warm1", false, "response time 80 ms at 50 requests/s"});
  EXPECT_EQ(sim.state_of("warm1"), State::warming);
  EXPECT_EQ(sim.refused(Failover{"hot1", "warm1"}), "warm1 is warming; expected a warm standby");
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=warm2 hot2=hot2");
  const Outcome outcome = sim.fail("hot2");
  EXPECT_EQ(sim.seats(), "hot1=warm2 hot2=warm1");
  EXPECT_NE(outcome.seats[0].detail.find("warm1 is not warmed up, but nothing better is left"), std::string::npos);
}

TEST(WarmUp, APoolThatAsksForItHasNoWarmStandbyBeforeIt) {
  config::PoolConfig spec = pool({hot("hot1"), warm("warm1")});
  spec.warm.rate = 100;
  spec.failback = config::Failback::automatic;
  Sim sim = Sim::running(spec);
  EXPECT_EQ(sim.state_of("warm1"), State::warming);
  sim.send(WarmUp{"warm1", true, "held 100 of 100 requests/s"});
  EXPECT_EQ(sim.state_of("warm1"), State::warm);
  sim.fail("warm1");
  sim.recover("warm1");
  EXPECT_EQ(sim.state_of("warm1"), State::warming) << "what failed comes back with cold caches";
}

TEST(WarmUp, AdoptedAsWarmItIsWarm) {
  config::PoolConfig spec = pool({hot("hot1"), warm("warm1"), warm("warm2")});
  spec.warm.rate = 100;
  const std::vector<AdoptedBackend> records = {{.name = "hot1", .state = State::serving, .seats = {"hot1"}},
                                               {.name = "warm1", .state = State::warm},
                                               {.name = "warm2", .state = State::warming}};
  const PoolState state = adopt(spec, records, Nanoseconds(0)).state;
  EXPECT_TRUE(state.backends[1].warmed);
  EXPECT_FALSE(state.backends[2].warmed);
  spec.warm.rate = 0;
  EXPECT_TRUE(reconfigure(spec, state, Nanoseconds(0)).state.backends[2].warmed) << "nobody asks for it any more";
}

}  // namespace
}  // namespace warmswap::failover
