// A new control plane goes on from what the last one left in shared memory.
#include "tests/unit/controlplane/failover/records.h"
#include "tests/unit/controlplane/failover/sim.h"

namespace warmswap::failover {
namespace {

/// The same pool in a new process.
Sim restarted(const Sim& old) {
  Sim sim(old.spec);
  sim.now = old.now + 1h;
  sim.state = adopt(sim.spec, records_of(old.state), sim.now).state;
  return sim;
}

TEST(Adopt, SeatsAndStatesAreWhatTheyWere) {
  Sim old = Sim::running(pool({hot("hot1"), hot("hot2"), hot("hot3"), hot("hot4"), warm("warm1"), warm("warm2")}));
  old.fail("hot1");
  old.bad("hot2");
  old.send(Disable{"hot3"});
  const Outcome outcome = adopt(old.spec, records_of(old.state), old.now + 1h);
  EXPECT_TRUE(outcome.states.empty());
  EXPECT_TRUE(outcome.seats.empty());
  EXPECT_EQ(outcome.state.seats, old.state.seats);
  for (size_t i = 0; i < old.state.backends.size(); ++i) {
    EXPECT_EQ(outcome.state.backends[i].state, old.state.backends[i].state);
    EXPECT_EQ(outcome.state.backends[i].since, old.state.backends[i].since);
    EXPECT_EQ(outcome.state.backends[i].failures, old.state.backends[i].failures);
  }
}

TEST(Adopt, AServingBackendServesUntilFallBadProbes) {
  Sim sim = restarted(Sim::running(pool({hot("hot1"), warm("warm1")})));
  EXPECT_EQ(sim.seats(), "hot1=hot1");
  sim.bad("hot1");
  sim.bad("hot1");
  EXPECT_EQ(sim.seats(), "hot1=hot1");
  sim.bad("hot1");
  EXPECT_EQ(sim.seats(), "hot1=warm1") << "and the standby has stayed ready";
}

TEST(Adopt, AFailedBackendIsNeverAssumedUp) {
  Sim old = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  old.fail("hot1");
  Sim sim = restarted(old);
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2");
  EXPECT_EQ(sim.state_of("hot1"), State::failed);
  sim.good("hot1");
  EXPECT_EQ(sim.state_of("hot1"), State::failed);
  sim.good("hot1");
  EXPECT_EQ(sim.state_of("hot1"), State::recovering);
}

TEST(Adopt, TheHoldDownBeginsAnew) {
  config::PoolConfig spec = pool({hot("hot1"), warm("warm1")});
  spec.failback = config::Failback::automatic;
  Sim old = Sim::running(spec);
  old.fail("hot1");
  old.recover("hot1");
  Sim sim = restarted(old);
  EXPECT_EQ(sim.state_of("hot1"), State::recovering) << "nobody watched it in between";
  EXPECT_EQ(sim.send(Tick{}).deadline, sim.now + 10s);
  sim.pass(10s);
  EXPECT_EQ(sim.seats(), "hot1=hot1");
}

TEST(Adopt, HeldAndDisabledSurvive) {
  Sim old = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  old.send(Failover{"hot1", ""});
  old.send(Disable{"hot2"});
  Sim sim = restarted(old);
  EXPECT_TRUE(sim.find("hot1").held);
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=-");
  EXPECT_EQ(sim.state_of("hot2"), State::disabled);
  EXPECT_EQ(sim.refused(Failback{"hot1"}), "");
}

TEST(Adopt, DisabledByTheFileIsDisabled) {
  const Sim old = Sim::running(pool({hot("hot1"), hot("hot2")}));
  config::PoolConfig spec = old.spec;
  spec.backends[0].enabled = false;
  const Outcome outcome = adopt(spec, records_of(old.state), old.now);
  EXPECT_EQ(outcome.state.backends[0].state, State::disabled);
  EXPECT_FALSE(outcome.state.seats[0].holder.has_value());
}

TEST(Adopt, BackendsWithoutARecordStartUnknown) {
  const Sim old = Sim::running(pool({hot("hot1"), warm("warm1")}));
  const config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), warm("warm1")});
  const Outcome outcome = adopt(spec, records_of(old.state), old.now);
  EXPECT_EQ(outcome.state.backends[1].state, State::unknown);
  EXPECT_EQ(outcome.state.backends[2].state, State::warm) << "no evidence is no failure";
}

TEST(Adopt, AHolderThatLeftTheFileIsReplaced) {
  Sim old = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1"), warm("warm2")}));
  old.fail("hot1");
  const config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), warm("warm2")});
  const Outcome outcome = adopt(spec, records_of(old.state), old.now);
  EXPECT_EQ(outcome.state.seats[0].holder, 2u);
}

TEST(Adopt, ContradictoryRecordsAreSurvived) {
  const config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), warm("warm1"), warm("warm2")});
  const std::vector<AdoptedBackend> records = {
      {.name = "hot1", .state = State::failed, .seats = {"hot1"}},   // failed, yet in its seat
      {.name = "hot2", .state = State::serving, .seats = {"hot1"}},  // a hot backend in another's seat
      {.name = "warm1", .state = State::promoted, .held = true, .seats = {"hot2"}},
      {.name = "warm1", .state = State::promoted, .seats = {"hot1"}},  // twice
      {.name = "warm2", .state = State::promoted, .seats = {"warm1"}},
      {.name = "gone", .state = State::serving, .seats = {"hot1"}},
      {.name = "", .state = State::draining, .seats = {}},
  };
  const Outcome outcome = adopt(spec, records, 1s);
  EXPECT_EQ(outcome.state.seats[0].holder, 3u) << "hot1 failed; warm2 is ready and has no seat";
  EXPECT_EQ(outcome.state.seats[1].holder, 2u) << "warm1's first record";
  EXPECT_FALSE(outcome.state.backends[2].held) << "only a hot backend can be held";
}

}  // namespace
}  // namespace warmswap::failover
