// Enable, disable, failover and failback by command.
#include "tests/unit/controlplane/failover/sim.h"

namespace warmswap::failover {
namespace {

TEST(FailoverCommand, MovesAHealthySeatAndHoldsIt) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), warm("warm1")});
  spec.failback = config::Failback::automatic;
  Sim sim = Sim::running(spec);
  const Outcome outcome = sim.send(Failover{"hot1", ""});
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2");
  EXPECT_EQ(sim.state_of("hot1"), State::recovering);
  EXPECT_TRUE(sim.find("hot1").held);
  ASSERT_EQ(outcome.seats.size(), 1u);
  EXPECT_EQ(outcome.seats[0].cause, Cause::failover);
  EXPECT_FALSE(outcome.seats[0].first_bad.has_value());
  EXPECT_FALSE(outcome.deadline.has_value());
  sim.pass(24h);
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2") << "automatic failback does not undo a command";
  EXPECT_EQ(sim.refused(Failback{"hot1"}), "");
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=hot2");
  EXPECT_FALSE(sim.find("hot1").held);
}

TEST(FailoverCommand, TakesTheNamedStandby) {
  Sim sim = Sim::running(pool({hot("hot1"), warm("warm1"), warm("warm2")}));
  EXPECT_EQ(sim.refused(Failover{"hot1", "warm2"}), "");
  EXPECT_EQ(sim.seats(), "hot1=warm2");
}

TEST(FailoverCommand, AHeldSeatGoesToTheNextStandbyNotToItsOwner) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1"), warm("warm2")}));
  sim.send(Failover{"hot1", ""});
  sim.fail("warm1");
  EXPECT_EQ(sim.seats(), "hot1=warm2 hot2=hot2");
  sim.fail("warm2");
  EXPECT_EQ(sim.seats(), "hot1=- hot2=hot2") << "held, and the pool has somebody else";
}

TEST(FailoverCommand, IsRefusedWithASentence) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), hot("hot3"), warm("warm1"), warm("warm2"), warm("warm3")}));
  sim.fail("warm2");
  sim.send(Failover{"hot3", "warm3"});
  const std::string before = sim.seats();
  EXPECT_EQ(sim.refused(Failover{"hot9", ""}), "pool web has no backend hot9");
  EXPECT_EQ(sim.refused(Failover{"hot1", "warm9"}), "pool web has no backend warm9");
  EXPECT_EQ(sim.refused(Failover{"hot1", "hot2"}), "hot2 is hot; expected a warm backend as standby");
  EXPECT_EQ(sim.refused(Failover{"hot1", "warm2"}), "warm2 is cold; expected a warm standby");
  EXPECT_EQ(sim.refused(Failover{"hot1", "warm3"}), "warm3 already holds the seat of hot3");
  EXPECT_EQ(sim.refused(Failover{"hot3", ""}), "warm3 already holds the seat of hot3");
  EXPECT_EQ(sim.refused(Failover{"warm1", ""}), "warm1 is warm and owns no seat; name the hot backend to fail over");
  EXPECT_EQ(sim.refused(Failover{"hot1", ""}), "");
  EXPECT_EQ(sim.refused(Failover{"hot2", ""}), "pool web has no ready standby for hot2");
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2 hot3=warm3") << "before: " << before;
}

TEST(FailoverCommand, IsRefusedWhereItMakesNoSense) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), warm("warm1")});
  spec.backends[0].weight = 0;
  Sim sim = Sim::running(spec);
  EXPECT_EQ(sim.refused(Failover{"hot1", ""}), "hot1 has weight 0: its seat has no slots to take over");
  spec.mode = config::Mode::hot_hot;
  sim.change(spec);
  EXPECT_EQ(sim.refused(Failover{"hot2", ""}), "pool web is hot-hot and has no standbys; disable hot2 to take it out");
}

TEST(FailbackCommand, IsRefusedWithASentence) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  EXPECT_EQ(sim.refused(Failback{"nobody"}), "pool web has no backend nobody");
  EXPECT_EQ(sim.refused(Failback{"warm1"}), "warm1 is warm and owns no seat; name the hot backend to fail back");
  EXPECT_EQ(sim.refused(Failback{"hot1"}), "hot1 already has its seat");
  sim.fail("hot1");
  EXPECT_EQ(sim.refused(Failback{"hot1"}), "hot1 is failed (refused); expected a healthy owner to fail back to");
  sim.recover("hot1");
  sim.bad("hot1");
  EXPECT_EQ(sim.refused(Failback{"hot1"}), "the last probe of hot1 was bad; expected a healthy owner");
  sim.good("hot1");
  EXPECT_EQ(sim.refused(Failback{"hot1"}), "");
}

TEST(DisableCommand, TakesABackendOutAtOnce) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  const Outcome outcome = sim.send(Disable{"hot1"});
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2");
  EXPECT_EQ(sim.state_of("hot1"), State::disabled);
  ASSERT_EQ(outcome.seats.size(), 1u);
  EXPECT_EQ(outcome.seats[0].cause, Cause::disable);
  EXPECT_EQ(sim.find("hot1").failures, 0u) << "nothing failed";
  sim.good("hot1");
  EXPECT_EQ(sim.state_of("hot1"), State::disabled) << "probes do not enable";
}

TEST(DisableCommand, AppliesToAPromotedStandbyToo) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1"), warm("warm2")}));
  sim.fail("hot1");
  sim.send(Disable{"warm1"});
  EXPECT_EQ(sim.seats(), "hot1=warm2 hot2=hot2");
  EXPECT_EQ(sim.state_of("warm1"), State::disabled);
  sim.send(Enable{"warm1"});
  EXPECT_EQ(sim.state_of("warm1"), State::cold) << "it has to prove itself again";
}

TEST(DisableCommand, IsIdempotentAndRefusesStrangers) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2")}));
  sim.send(Disable{"hot1"});
  const PoolState before = sim.state;
  EXPECT_EQ(sim.refused(Disable{"hot1"}), "");
  EXPECT_EQ(sim.state, before);
  EXPECT_EQ(sim.refused(Disable{"hot9"}), "pool web has no backend hot9");
  EXPECT_EQ(sim.refused(Enable{"hot9"}), "pool web has no backend hot9");
}

TEST(EnableCommand, WithTheSeatEmptyServesAtTheFirstGoodProbe) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2")}));
  sim.send(Disable{"hot1"});
  sim.send(Enable{"hot1"});
  EXPECT_EQ(sim.state_of("hot1"), State::unknown);
  EXPECT_EQ(sim.seats(), "hot1=- hot2=hot2") << "never assumed up";
  sim.good("hot1");
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=hot2");
}

TEST(EnableCommand, WithAStandbyInTheSeatIsAFailback) {
  Sim sim = Sim::running(pool({hot("hot1"), warm("warm1")}));
  sim.send(Disable{"hot1"});
  sim.send(Enable{"hot1"});
  sim.good("hot1");
  EXPECT_EQ(sim.seats(), "hot1=warm1");
  EXPECT_EQ(sim.state_of("hot1"), State::recovering);
  EXPECT_EQ(sim.refused(Failback{"hot1"}), "");
  EXPECT_EQ(sim.seats(), "hot1=hot1");
}

TEST(EnableCommand, WithoutProbesServesAtOnce) {
  config::PoolConfig spec = pool({hot("hot1")});
  spec.probe.kind = config::ProbeKind::none;
  Sim sim(spec);
  sim.send(Disable{"hot1"});
  EXPECT_EQ(sim.seats(), "hot1=-");
  sim.send(Enable{"hot1"});
  EXPECT_EQ(sim.seats(), "hot1=hot1");
}

TEST(Batch, ARefusedCommandNamesItsPlaceAndTheOthersAreObeyed) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  const Outcome outcome =
      sim.send(std::vector<Event>{Disable{"hot2"}, Failover{"hot1", "warm1"}, Enable{"hot2"}, Failback{"hot9"}});
  ASSERT_EQ(outcome.refusals.size(), 2u);
  EXPECT_EQ(outcome.refusals[0].event, 1u);
  EXPECT_EQ(outcome.refusals[0].sentence, "warm1 already holds the seat of hot2") << "it sees the Disable before it";
  EXPECT_EQ(outcome.refusals[1].event, 3u);
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=warm1");
  EXPECT_EQ(sim.state_of("hot2"), State::unknown);
}

}  // namespace
}  // namespace warmswap::failover
