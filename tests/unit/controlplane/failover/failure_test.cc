// Who takes the seat of a failed backend, and who is left alone.
#include "tests/unit/controlplane/failover/sim.h"

namespace warmswap::failover {
namespace {

TEST(Failure, AReadyStandbyTakesTheSeatWithinTheSameStep) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), hot("hot3"), warm("warm1")}));
  const Nanoseconds first_bad = sim.now;
  const Outcome outcome = sim.fail("hot2");
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=warm1 hot3=hot3");
  EXPECT_EQ(sim.state_of("hot2"), State::failed);
  EXPECT_EQ(sim.state_of("warm1"), State::promoted);
  EXPECT_EQ(sim.find("hot2").failures, 1u);
  EXPECT_EQ(sim.find("hot2").reason, "refused");
  ASSERT_EQ(outcome.seats.size(), 1u);
  const SeatChange& change = outcome.seats[0];
  EXPECT_EQ(change.kind, SeatChangeKind::failover);
  EXPECT_EQ(change.owner, "hot2");
  EXPECT_EQ(change.before, "hot2");
  EXPECT_EQ(change.after, "warm1");
  EXPECT_EQ(change.cause, Cause::probe);
  EXPECT_EQ(change.first_bad, first_bad);
  EXPECT_EQ(change.decided, first_bad + 2s) << "fall 3 at 1 s";
  ASSERT_EQ(outcome.states.size(), 2u);
  EXPECT_EQ(outcome.states[1].backend, "warm1");
  EXPECT_EQ(outcome.states[1].detail, "takes the seat of hot2 (hot2: refused)");
}

TEST(Failure, AnExplicitStandbyComesFirst) {
  Sim sim = Sim::running(pool({hot("hot1", "warm3"), warm("warm1"), warm("warm2"), warm("warm3")}));
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=warm3");
}

TEST(Failure, AnExplicitStandbyThatIsNotReadyIsPassedOver) {
  Sim sim = Sim::running(pool({hot("hot1", "warm3"), warm("warm1"), warm("warm2"), warm("warm3")}));
  sim.fail("warm3");
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=warm1");
}

TEST(Failure, AnExplicitStandbyThatMissedABeatIsNotPreferred) {
  Sim sim = Sim::running(pool({hot("hot1", "warm2"), warm("warm1"), warm("warm2")}));
  sim.bad("warm2");
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=warm1");
}

TEST(Failure, ADoubtedStandbyIsBetterThanNone) {
  Sim sim = Sim::running(pool({hot("hot1"), warm("warm1")}));
  sim.bad("warm1");
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=warm1");
}

TEST(Failure, NeverTheSameDomainWhenAnotherIsLeft) {
  Sim sim = Sim::running(pool({hot("hot1", "", "rack-a"), warm("warm1", "rack-a"), warm("warm2", "rack-b")}));
  sim.bad("warm2");
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=warm2") << "even though warm1 is in order first and warm2 missed a beat";
}

TEST(Failure, TheSameDomainWhenNoOtherIsLeft) {
  Sim sim = Sim::running(pool({hot("hot1", "", "rack-a"), warm("warm1", "rack-a")}));
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=warm1");
}

TEST(Failure, BackendsWithoutADomainShareNone) {
  Sim sim = Sim::running(pool({hot("hot1"), warm("warm1"), warm("warm2", "rack-b")}));
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=warm1");
}

TEST(Failure, AReplacementAvoidsTheDomainOfTheStandbyItReplacesToo) {
  Sim sim = Sim::running(
      pool({hot("hot1", "", "rack-a"), warm("warm1", "rack-b"), warm("warm2", "rack-b"), warm("warm3", "rack-c")}));
  sim.fail("hot1");
  ASSERT_EQ(sim.seats(), "hot1=warm1");
  sim.fail("warm1");
  EXPECT_EQ(sim.seats(), "hot1=warm3");
}

TEST(Failure, FirstChoicesOfDifferentSeatsDoNotCollide) {
  // One at a time, each hot backend alone: hot i reaches for warm i mod M.
  const config::PoolConfig spec =
      pool({hot("hot1"), hot("hot2"), hot("hot3"), hot("hot4"), warm("warm1"), warm("warm2"), warm("warm3")});
  const std::pair<const char*, const char*> expected[] = {
      {"hot1", "hot1=warm1 hot2=hot2 hot3=hot3 hot4=hot4"},
      {"hot2", "hot1=hot1 hot2=warm2 hot3=hot3 hot4=hot4"},
      {"hot3", "hot1=hot1 hot2=hot2 hot3=warm3 hot4=hot4"},
      {"hot4", "hot1=hot1 hot2=hot2 hot3=hot3 hot4=warm1"},
  };
  for (const auto& [name, seats] : expected) {
    Sim sim = Sim::running(spec);
    sim.fail(name);
    EXPECT_EQ(sim.seats(), seats);
  }
}

TEST(Failure, ExplicitStandbysAreLeftToThoseWhoNamedThem) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2", "warm1"), warm("warm1"), warm("warm2")}));
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=warm2 hot2=hot2") << "warm1 is promised to hot2";
}

TEST(Failure, AStandbyOfAnotherDomainIsLeftToWhoNeedsIt) {
  Sim sim = Sim::running(pool({hot("hot1", "", "rack-a"), hot("hot2"), warm("warm1", "rack-a"), warm("warm2")}));
  sim.fail("hot2");
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=warm1") << "warm1 is of no use to hot1";
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=warm2 hot2=warm1");
}

TEST(Failure, ASpareIsTakenBeforeAnothersFirstChoice) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1"), warm("warm2"), warm("warm3")}));
  sim.fail("warm1");
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=warm3 hot2=hot2") << "warm2 is the first choice of hot2";
}

TEST(Failure, OneSeatPerStandbyThenTheSlotsAreReDealt) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), hot("hot3"), warm("warm1")}));
  sim.fail("hot1");
  const Outcome outcome = sim.fail("hot3");
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2 hot3=-");
  ASSERT_EQ(outcome.seats.size(), 1u);
  EXPECT_EQ(outcome.seats[0].kind, SeatChangeKind::vacated);
  EXPECT_EQ(outcome.seats[0].after, "");
}

TEST(Failure, AHolderStaysThroughEverythingThatHappensElsewhere) {
  Sim sim = Sim::running(pool({hot("hot1", "warm1"), hot("hot2"), hot("hot3"), warm("warm1"), warm("warm2")}));
  sim.fail("warm1");
  sim.fail("hot1");
  ASSERT_EQ(sim.seats(), "hot1=warm2 hot2=hot2 hot3=hot3");
  sim.recover("warm1");
  EXPECT_EQ(sim.seats(), "hot1=warm2 hot2=hot2 hot3=hot3") << "its explicit standby is ready again, and waits";
  sim.fail("hot3");
  EXPECT_EQ(sim.seats(), "hot1=warm2 hot2=hot2 hot3=warm1");
  sim.fail("hot2");
  EXPECT_EQ(sim.seats(), "hot1=warm2 hot2=- hot3=warm1");
}

TEST(Failure, APromotedStandbyThatFailsIsReplaced) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1"), warm("warm2")}));
  sim.fail("hot1");
  ASSERT_EQ(sim.seats(), "hot1=warm1 hot2=hot2");
  const Nanoseconds first_bad = sim.now;
  const Outcome outcome = sim.fail("warm1");
  EXPECT_EQ(sim.seats(), "hot1=warm2 hot2=hot2");
  EXPECT_EQ(sim.state_of("warm1"), State::cold);
  ASSERT_EQ(outcome.seats.size(), 1u);
  EXPECT_EQ(outcome.seats[0].before, "warm1");
  EXPECT_EQ(outcome.seats[0].first_bad, first_bad);
  sim.fail("warm2");
  EXPECT_EQ(sim.seats(), "hot1=- hot2=hot2");
  sim.recover("warm1");
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2");
}

TEST(Failure, SimultaneousFailuresAreResolvedInCanonicalOrder) {
  const config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), hot("hot3"), warm("warm1")});
  for (const std::vector<std::string>& order : {std::vector<std::string>{"hot2", "hot3"}, {"hot3", "hot2"}}) {
    Sim sim = Sim::running(spec);
    sim.fail_all(order);
    EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=warm1 hot3=-");
  }
}

TEST(Failure, AStandbyThatDiesTogetherWithItsHotBackendIsNotPromoted) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1"), warm("warm2")}));
  sim.fail_all({"warm1", "hot1"});
  EXPECT_EQ(sim.seats(), "hot1=warm2 hot2=hot2");
}

TEST(Failure, HotHotLeavesTheSeatToTheTable) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), warm("warm1")});
  spec.mode = config::Mode::hot_hot;
  Sim sim = Sim::running(spec);
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=- hot2=hot2");
  sim.fail("hot2");
  EXPECT_EQ(sim.seats(), "hot1=- hot2=-");
}

TEST(Failure, ASeatWithoutSlotsTakesNoStandby) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), warm("warm1")});
  spec.backends[0].weight = 0;
  Sim sim = Sim::running(spec);
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=- hot2=hot2");
  sim.fail("hot2");
  EXPECT_EQ(sim.seats(), "hot1=- hot2=warm1");
}

// From the field: failure flags {true, false} of two nodes: the second serves.
TEST(Failure, OfTwoWithTheFlagsTrueAndFalseTheSecondServes) {
  config::PoolConfig spec = pool({hot("first"), hot("second")});
  spec.mode = config::Mode::hot_hot;
  Sim sim = Sim::running(spec);
  sim.fail("first");
  EXPECT_EQ(sim.seats(), "first=- second=second");
}

}  // namespace
}  // namespace warmswap::failover
