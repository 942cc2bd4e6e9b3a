// A whole failure domain, two that change places, and drills.
#include "tests/unit/controlplane/failover/sim.h"

namespace warmswap::failover {
namespace {

TEST(FailoverDomain, MovesAllOfADomainOrNothing) {
  Sim sim = Sim::running(pool({hot("hot1", "", "a"), hot("hot2", "", "a"), hot("hot3", "", "b"), warm("warm1", "a"),
                               warm("warm2", "b"), warm("warm3", "c")}));
  EXPECT_EQ(sim.refused(FailoverDomain{"z"}), "no backend of pool web that holds a seat is in the failure domain z");
  EXPECT_EQ(sim.refused(FailoverDomain{"a"}), "");
  EXPECT_EQ(sim.seats(), "hot1=warm2 hot2=warm3 hot3=hot3");
  EXPECT_TRUE(sim.find("hot1").held);
  EXPECT_EQ(sim.refused(FailoverDomain{"b"}),
            "pool web has no ready standby outside b for the seat of hot3, which hot3 holds")
      << "warm1 could take one of the two seats, and a half-moved domain is none";
  EXPECT_EQ(sim.seats(), "hot1=warm2 hot2=warm3 hot3=hot3");
}

TEST(FailoverDomain, TakesStandbysOutOfTheDomainToo) {
  Sim sim = Sim::running(pool({hot("hot1", "warm1", "a"), warm("warm1", "b"), warm("warm2", "c")}));
  sim.fail("hot1");
  ASSERT_EQ(sim.seats(), "hot1=warm1");
  EXPECT_EQ(sim.refused(FailoverDomain{"b"}), "");
  EXPECT_EQ(sim.seats(), "hot1=warm2");
}

TEST(Swap, AHotBackendAndItsStandbyChangePlacesAndBack) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1"), warm("warm2")}));
  EXPECT_EQ(sim.refused(Swap{"hot1", "warm2"}), "");
  EXPECT_EQ(sim.seats(), "hot1=warm2 hot2=hot2");
  EXPECT_EQ(sim.refused(Swap{"warm2", "hot1"}), "");
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=hot2");
}

TEST(Swap, TwoStandbysChangePlaces) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1"), warm("warm2")}));
  sim.fail("hot1");
  ASSERT_EQ(sim.seats(), "hot1=warm1 hot2=hot2");
  EXPECT_EQ(sim.refused(Swap{"warm2", "warm1"}), "");
  EXPECT_EQ(sim.seats(), "hot1=warm2 hot2=hot2");
}

TEST(Swap, IsRefusedWithASentence) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1"), warm("warm2")}));
  EXPECT_EQ(sim.refused(Swap{"hot1", "hot2"}),
            "hot1 and hot2 are both hot; expected a hot backend and a standby, or two standbys");
  EXPECT_EQ(sim.refused(Swap{"warm1", "warm2"}),
            "warm1 and warm2 both wait; expected one standby that holds a seat and one that waits");
  EXPECT_EQ(sim.refused(Swap{"hot1", "x"}), "pool web has no backend x");
  sim.fail("warm1");
  EXPECT_EQ(sim.refused(Swap{"hot1", "warm1"}), "warm1 is cold; expected a warm standby");
}

TEST(Drill, TheOwnerReturnsByTheClock) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  EXPECT_EQ(sim.refused(Drill{"hot1", "", 30s}), "");
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2");
  const Outcome waiting = sim.pass(29999ms);
  EXPECT_EQ(waiting.deadline, sim.now + 1ms);
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2");
  const Outcome over = sim.pass(1ms);
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=hot2");
  EXPECT_EQ(over.seats[0].cause, Cause::drill);
  EXPECT_EQ(over.seats[0].detail, "the drill is over");
  EXPECT_FALSE(sim.find("hot1").held);
  EXPECT_FALSE(over.deadline.has_value());
}

TEST(Drill, AnOwnerThatFailsMeanwhileReturnsWhenItWorks) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  sim.send(Drill{"hot1", "", 30s});
  sim.fail("hot1");
  sim.pass(60s);
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2");
  sim.recover("hot1");
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=hot2");
}

TEST(Drill, IsRefusedWhereItWouldHurt) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  sim.bad("hot1");
  EXPECT_EQ(sim.refused(Drill{"hot1", "", 1s}), "hot1 is not healthy; a drill needs an owner that can come back");
  sim.good("hot1");
  sim.fail("warm1");
  EXPECT_EQ(sim.refused(Drill{"hot1", "", 1s}), "pool web has no ready standby for hot1");
  sim.recover("warm1");
  sim.send(Failover{"hot1", ""});
  EXPECT_EQ(sim.refused(Drill{"hot1", "", 1s}),
            "hot1 does not sit in its own seat; a drill needs an owner that serves");
}

}  // namespace
}  // namespace warmswap::failover
