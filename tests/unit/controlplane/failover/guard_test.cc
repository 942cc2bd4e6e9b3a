// When signals are not believed, and what is never too much: self-suspicion, panic, capacity, ejections, activation.
#include "tests/unit/controlplane/failover/ring_of.h"
#include "tests/unit/controlplane/failover/sim.h"

namespace warmswap::failover {
namespace {

uint32_t inherits(const Sim& sim, size_t seat) {
  return assignment(sim.spec, sim.state)[seat].inherit;
}

TEST(SelfSuspicion, MostFailingTogetherTakesNobodyOut) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), hot("hot3"), warm("warm1")});
  spec.guard.self_suspicion = 80;
  spec.guard.self_suspicion_hold = 3s;
  Sim sim = Sim::running(spec);
  sim.bad_all({"hot1", "hot2", "hot3", "warm1"});
  sim.now += 1s;
  sim.bad_all({"hot1", "hot2", "hot3", "warm1"});
  sim.now += 1s;
  const std::string before = sim.seats();
  sim.bad_all({"hot1", "hot2", "hot3", "warm1"});
  EXPECT_EQ(sim.seats(), before);
  EXPECT_EQ(sim.state_of("hot1"), State::suspect);
  EXPECT_EQ(sim.find("hot1").failures, 0u);
  // The cable is back: as if nothing had been.
  sim.good_all({"hot1", "hot2", "hot3", "warm1"});
  EXPECT_EQ(sim.state_of("hot1"), State::serving);
  EXPECT_FALSE(sim.state.doubt_until.has_value());
  EXPECT_EQ(sim.seats(), before);
}

TEST(SelfSuspicion, IsToldAndEndsByTheClock) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), hot("hot3"), warm("warm1")});
  spec.guard.self_suspicion = 75;
  spec.guard.self_suspicion_hold = 3s;
  Sim sim = Sim::running(spec);
  const Outcome doubt = sim.fail_all({"hot1", "hot2", "hot3"});
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=hot2 hot3=hot3");
  ASSERT_TRUE(sim.state.doubt_until.has_value());
  EXPECT_EQ(doubt.deadline, sim.state.doubt_until);
  const Outcome outcome = sim.pass(*sim.state.doubt_until - sim.now);
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=- hot3=-") << "they really are dead";
  EXPECT_EQ(outcome.states[0].cause, Cause::probe);
  EXPECT_EQ(outcome.states[0].detail, "refused");
  EXPECT_TRUE(outcome.states[0].first_bad.has_value());
}

TEST(SelfSuspicion, SignalsThatComeBackOneAfterTheOtherTakeNobodyOut) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), hot("hot3"), warm("warm1")});
  spec.guard.self_suspicion = 80;
  spec.guard.self_suspicion_hold = 3s;
  Sim sim = Sim::running(spec);
  sim.fail_all({"hot1", "hot2", "hot3", "warm1"});
  const Nanoseconds until = sim.state.doubt_until.value();
  sim.good_all({"warm1", "hot1", "hot3"});
  EXPECT_EQ(sim.state_of("hot2"), State::suspect) << "its next probe is only due a little later";
  sim.good("hot2");
  EXPECT_EQ(sim.state_of("hot2"), State::serving);
  EXPECT_EQ(sim.find("hot2").failures, 0u);
  EXPECT_FALSE(sim.state.doubt_until.has_value());

  // Who does not come back has failed, at the end of the doubt.
  sim.pass(1h);
  sim.fail_all({"hot1", "hot2", "hot3", "warm1"});
  const Nanoseconds again = sim.state.doubt_until.value();
  EXPECT_GT(again, until);
  EXPECT_EQ(sim.good_all({"warm1", "hot1", "hot3"}).deadline, again);
  sim.bad("hot2");
  EXPECT_EQ(sim.state_of("hot2"), State::suspect);
  sim.pass(again - sim.now);
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=warm1 hot3=hot3");
  EXPECT_FALSE(sim.state.doubt_until.has_value());
}

TEST(SelfSuspicion, EndsWhenItIsSwitchedOffOrMadeShorter) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), hot("hot3"), warm("warm1")});
  spec.guard.self_suspicion = 80;
  spec.guard.self_suspicion_hold = 1h;
  Sim sim = Sim::running(spec);
  sim.fail_all({"hot1", "hot2", "hot3", "warm1"});
  spec.guard.self_suspicion_hold = 2s;
  sim.change(spec);
  EXPECT_EQ(sim.state.doubt_until, sim.now + 2s);
  spec.guard.self_suspicion = 0;
  sim.change(spec);
  EXPECT_FALSE(sim.state.doubt_until.has_value());
  EXPECT_EQ(sim.state_of("hot1"), State::failed);
}

TEST(SelfSuspicion, AFewFailingIsTheirOwnAffair) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), hot("hot3"), warm("warm1")});
  spec.guard.self_suspicion = 80;
  Sim sim = Sim::running(spec);
  sim.fail_all({"hot1", "hot2"});
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=- hot3=hot3");
}

TEST(Panic, WithNobodyHealthyAPoolThatFailsOpenSendsToAll) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), warm("warm1")});
  spec.guard.fail = config::Fail::open;
  Sim sim = Sim::running(spec);
  sim.send(Disable{"hot2"});
  sim.fail_all({"hot1", "warm1"});
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=-") << "disabled is disabled";
  EXPECT_TRUE(sim.state.panic);
  EXPECT_EQ(sim.state_of("hot1"), State::failed) << "serving does not make it healthy";
  sim.good("warm1");
  const Outcome outcome = sim.good("warm1");
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=-") << "a known good one goes before a dead one";
  EXPECT_FALSE(sim.state.panic);
  EXPECT_FALSE(outcome.notices.empty());
}

TEST(Panic, AtTheStartNothingIsKnownAndNobodyPanics) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2")});
  spec.guard.fail = config::Fail::open;
  Sim sim(spec);
  EXPECT_EQ(sim.seats(), "hot1=- hot2=-");
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=- hot2=-") << "hot2 has not been heard of";
  sim.fail("hot2");
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=hot2");
}

TEST(Panic, BelowTheThresholdHealthIsNotLookedAt) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), hot("hot3"), hot("hot4")});
  spec.mode = config::Mode::hot_hot;
  spec.guard.fail = config::Fail::open;
  spec.guard.panic_threshold = 50;
  Sim sim = Sim::running(spec);
  sim.fail_all({"hot1", "hot2"});
  EXPECT_EQ(sim.seats(), "hot1=- hot2=- hot3=hot3 hot4=hot4");
  const Outcome outcome = sim.fail("hot3");
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=hot2 hot3=hot3 hot4=hot4");
  ASSERT_EQ(outcome.seats.size(), 3u);
  EXPECT_EQ(outcome.seats[0].kind, SeatChangeKind::fail_open);
  EXPECT_EQ(outcome.seats[0].cause, Cause::panic);
  spec.guard.fail = config::Fail::closed;
  sim.change(spec);
  EXPECT_EQ(sim.seats(), "hot1=- hot2=- hot3=- hot4=hot4");
}

TEST(Capacity, AStandbyHoldsSeveralSeatsAndAPartOfTheLast) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), hot("hot3"), hot("hot4"), warm("warm1")});
  spec.backends[4].capacity = 250;
  Sim sim = Sim::running(spec);
  sim.fail_all({"hot1", "hot2"});
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=warm1 hot3=hot3 hot4=hot4");
  sim.fail("hot3");
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=warm1 hot3=warm1 hot4=hot4");
  EXPECT_EQ(assignment(sim.spec, sim.state)[0].holder_share, kWhole) << "what it had it keeps";
  EXPECT_EQ(assignment(sim.spec, sim.state)[2].holder_share, kWhole / 2) << "the rest is dealt to hot4";
  EXPECT_EQ(sim.refused(Failover{"hot4", "warm1"}), "warm1 already holds the seat of hot1 and has no capacity left");
  sim.recover("hot1");
  sim.send(Failback{"hot1"});
  EXPECT_EQ(assignment(sim.spec, sim.state)[2].holder_share, kWhole) << "there is room again";
}

TEST(Capacity, AFreeStandbyIsPreferredToOneThatServes) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), warm("warm1"), warm("warm2")});
  spec.backends[2].capacity = spec.backends[3].capacity = 1000;
  Sim sim = Sim::running(spec);
  sim.fail_all({"hot1", "hot2"});
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=warm2");
}

TEST(Capacity, SurvivorsInheritInProportionToTheirRoom) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), hot("hot3"), hot("hot4")});
  spec.mode = config::Mode::hot_hot;
  spec.backends[1].capacity = 110;  // room for a tenth of what it has
  Sim sim = Sim::running(spec);
  sim.fail("hot1");
  EXPECT_EQ(inherits(sim, 1), kWhole / 10);
  EXPECT_EQ(inherits(sim, 2), kWhole) << "without a limit";
  EXPECT_EQ(assignment(sim.spec, sim.state)[1].holder_share, kWhole) << "its own slots stay";
  spec.backends[0].capacity = 110;
  spec.backends[2].capacity = 110;
  spec.backends[3].capacity = 120;
  sim.change(spec);
  EXPECT_NEAR(inherits(sim, 1), inherits(sim, 3) / 2.0, 2) << "half of the room that hot4 has, so half of the orphans";
  for (config::BackendConfig& backend : spec.backends) backend.capacity = 90;
  sim.change(spec);
  EXPECT_EQ(inherits(sim, 1), kWhole) << "nobody has room: then all bear it alike";
}

/// Four alike with room for a tenth each.
config::PoolConfig tight_pool(config::Overload overload) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), hot("hot3"), hot("hot4")});
  spec.mode = config::Mode::hot_hot;
  spec.failback = config::Failback::automatic;
  spec.hold_down = 0s;
  spec.failback_step = 100;
  spec.guard.overload = overload;
  for (config::BackendConfig& backend : spec.backends) backend.capacity = 110;
  return spec;
}

TEST(Overload, IsToldWhenItBeginsAndWhenItEnds) {
  Sim sim = Sim::running(tight_pool(config::Overload::carry));
  const Outcome begun = sim.fail("hot1");
  EXPECT_TRUE(sim.state.overloaded);
  ASSERT_EQ(begun.notices.size(), 1u);
  EXPECT_EQ(begun.notices[0].text,
            "pool web: more is left over than the others have capacity for: they are overloaded");
  EXPECT_NEAR(burden(sim.spec, sim.state).orphans, 100, 0.1);
  EXPECT_NEAR(burden(sim.spec, sim.state).room, 30, 0.1);
  EXPECT_EQ(assignment(sim.spec, sim.state)[0].dealt, kWhole) << "all the same they get everything";
  EXPECT_TRUE(sim.fail("hot2").notices.empty()) << "it goes on";
  sim.recover("hot1");
  const Outcome ended = sim.recover("hot2");
  EXPECT_FALSE(sim.state.overloaded);
  ASSERT_EQ(ended.notices.size(), 1u);
  EXPECT_EQ(ended.notices[0].text, "pool web: the others' capacity is enough again");
}

TEST(Overload, ShedsWhatHasNoRoom) {
  Sim sim = Sim::running(tight_pool(config::Overload::shed));
  const Outcome begun = sim.fail("hot1");
  ASSERT_EQ(begun.notices.size(), 1u);
  EXPECT_EQ(begun.notices[0].text,
            "pool web: more is left over than the others have capacity for: what does not fit is dropped");
  EXPECT_EQ(assignment(sim.spec, sim.state)[0].dealt, kWhole * 30 / 100) << "room for 3 x 10 of 100";
  EXPECT_EQ(assignment(sim.spec, sim.state)[1].dealt, kWhole);
  sim.fail("hot2");
  EXPECT_EQ(assignment(sim.spec, sim.state)[0].dealt, kWhole * 20 / 200) << "room for 2 x 10 of 200";
  EXPECT_EQ(assignment(sim.spec, sim.state)[1].dealt, kWhole * 20 / 200) << "the same part of each";
  sim.recover("hot1");
  sim.recover("hot2");
  EXPECT_EQ(assignment(sim.spec, sim.state)[0].dealt, kWhole);
}

// Down to the slots: whoever fails, the survivors fill up to their capacities together.
TEST(Overload, SurvivorsCarryWhatTheyHaveCapacityForAndNoMore) {
  config::PoolConfig spec = tight_pool(config::Overload::shed);
  const std::vector<std::pair<uint32_t, uint32_t>> weights_and_capacities{{100, 110}, {300, 400}, {50, 60}, {200, 250}};
  uint32_t weights = 0;
  for (size_t b = 0; b < 4; ++b) {
    spec.backends[b].weight = weights_and_capacities[b].first;
    spec.backends[b].capacity = weights_and_capacities[b].second;
    weights += spec.backends[b].weight;
  }
  constexpr uint32_t kSlots = 65537;
  for (unsigned failed = 1; failed < 15; ++failed) {
    Sim sim = Sim::running(spec);
    std::vector<std::string> names;
    for (size_t b = 0; b < 4; ++b) {
      if ((failed >> b & 1) != 0) names.push_back(spec.backends[b].name);
    }
    sim.fail_all(names);
    const table::PoolRing ring = ring_of(spec, sim.state, kSlots);
    for (size_t b = 0; b < 4; ++b) {
      if ((failed >> b & 1) != 0) continue;
      const double carries = static_cast<double>(ring.slots()[b]) * weights / kSlots;
      const double capacity = spec.backends[b].capacity;
      EXPECT_LE(carries, capacity * 1.01) << spec.backends[b].name << ", failed " << failed;
      if (sim.state.overloaded) {
        EXPECT_GE(carries, capacity * 0.99) << spec.backends[b].name << ", failed " << failed;
      }
    }
    EXPECT_EQ(ring.slots_without_seat() > 0, sim.state.overloaded);
  }
}

TEST(Overload, WithRoomForAllNothingIsShed) {
  config::PoolConfig spec = tight_pool(config::Overload::shed);
  for (config::BackendConfig& backend : spec.backends) backend.capacity = 134;
  Sim sim = Sim::running(spec);
  EXPECT_TRUE(sim.fail("hot1").notices.empty());
  EXPECT_EQ(assignment(sim.spec, sim.state)[0].dealt, kWhole);
}

TEST(Overload, WhatARampHoldsBackIsNotShed) {
  config::PoolConfig spec = tight_pool(config::Overload::shed);
  spec.failback_step = 25;
  spec.failback_pause = 5s;
  Sim sim = Sim::running(spec);
  sim.fail("hot1");
  sim.recover("hot1");
  ASSERT_EQ(sim.seats(), "hot1=hot1 hot2=hot2 hot3=hot3 hot4=hot4");
  ASSERT_EQ(assignment(sim.spec, sim.state)[0].holder_share, kWhole / 4);
  EXPECT_EQ(assignment(sim.spec, sim.state)[0].dealt, kWhole) << "there is somebody to serve it";
}

TEST(Overload, AStandbyTakesItsPartAndOnlyTheRestIsShed) {
  config::PoolConfig spec = tight_pool(config::Overload::shed);
  spec.mode = config::Mode::hot_warm;
  spec.backends.push_back(warm("warm1"));
  spec.backends.back().capacity = 50;
  Sim sim = Sim::running(spec);
  sim.fail("hot1");
  const SeatAssignment seat = assignment(sim.spec, sim.state)[0];
  EXPECT_EQ(seat.holder_share, kWhole / 2);
  EXPECT_FALSE(seat.inherits) << "its room is for seats";
  EXPECT_EQ(seat.dealt, kWhole / 2 + kWhole * 30 / 100) << "room for 30 of the other 50";
}

TEST(Overload, ThereIsNoRoomWhereOnlyAFullStandbyServes) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), warm("warm1")});
  spec.guard.overload = config::Overload::shed;
  spec.backends[0].capacity = spec.backends[1].capacity = 200;
  spec.backends[2].capacity = 100;
  Sim sim = Sim::running(spec);
  sim.fail("hot1");
  EXPECT_FALSE(sim.state.overloaded);
  sim.send(Outlier{"hot2", "latency 48 ms", sim.now});
  EXPECT_EQ(sim.state_of("hot2"), State::serving) << "warm1 is full";
  sim.fail("hot2");
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=-");
  EXPECT_TRUE(sim.state.overloaded);
  EXPECT_EQ(assignment(sim.spec, sim.state)[1].dealt, 0) << "it has its hundred already";
  EXPECT_EQ(ring_of(spec, sim.state, 65537).slots_without_seat(), 65537u / 2);
}

TEST(Overload, WhoHasNotBeenHeardOfYetHasNotFailed) {
  config::PoolConfig spec = tight_pool(config::Overload::shed);
  Sim sim(spec);
  for (const char* name : {"hot1", "hot2", "hot3"}) {
    EXPECT_TRUE(sim.good(name).notices.empty()) << "a start is no overload";
  }
  EXPECT_TRUE(sim.fail("hot4").shares_changed) << "now it has failed, and its slots may be dropped";
  sim.recover("hot4");
  sim.fail("hot1");
  const uint16_t dealt = assignment(sim.spec, sim.state)[0].dealt;
  EXPECT_LT(dealt, kWhole);
  spec.backends.push_back(hot("hot5"));
  spec.backends.back().capacity = 110;
  sim.change(spec);
  EXPECT_EQ(assignment(sim.spec, sim.state)[0].dealt, dealt) << "nobody is worse off until hot5 is heard of";
  EXPECT_EQ(assignment(sim.spec, sim.state)[4].dealt, kWhole);
  sim.good("hot5");
  EXPECT_GT(assignment(sim.spec, sim.state)[0].dealt, dealt);
}

TEST(Overload, OutlivesAnotherConfigurationAndEndsByOne) {
  config::PoolConfig spec = tight_pool(config::Overload::carry);
  Sim sim = Sim::running(spec);
  sim.fail("hot1");
  spec.hold_down = 1s;
  EXPECT_TRUE(sim.change(spec).notices.empty()) << "it was told";
  for (config::BackendConfig& backend : spec.backends) backend.capacity = 200;
  const Outcome cured = sim.change(spec);
  ASSERT_EQ(cured.notices.size(), 1u);
  EXPECT_EQ(cured.notices[0].text, "pool web: the others' capacity is enough again");
}

TEST(Overload, AStandbyIsNoLongerSavedForLater) {
  config::PoolConfig spec = tight_pool(config::Overload::carry);
  spec.mode = config::Mode::hot_warm;
  spec.activate_below = 50;
  spec.backends.push_back(warm("warm1"));
  Sim sim = Sim::running(spec);
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2 hot3=hot3 hot4=hot4") << "75 % serve, and have no room";
  EXPECT_FALSE(sim.state.overloaded);
}

TEST(Overload, ALightBackendWithMuchRoomDoesNotTakeAll) {
  config::PoolConfig spec = pool({hot("canary")});
  for (int i = 10; i < 30; ++i) spec.backends.push_back(hot("main" + std::to_string(i)));
  spec.mode = config::Mode::hot_hot;
  for (config::BackendConfig& backend : spec.backends) backend.capacity = 150;
  spec.backends[0].weight = 1;
  spec.backends[0].capacity = 700;
  Sim sim = Sim::running(spec);
  std::vector<std::string> dead;
  for (int i = 10; i < 18; ++i) dead.push_back("main" + std::to_string(i));
  sim.fail_all(dead);
  const table::PoolRing ring = ring_of(spec, sim.state, 65537);
  const auto carries = [&](size_t seat) { return ring.slots()[seat] * 2001.0 / 65537; };
  EXPECT_NEAR(carries(0), 1 + 800 * 699 / 1299.0, 15) << "in proportion to room, 699 of 1299";
  EXPECT_NEAR(carries(20), 100 + 800 * 50 / 1299.0, 5);
}

TEST(Overload, NobodyIsEjectedWhomTheOthersHaveNoRoomFor) {
  config::PoolConfig spec = tight_pool(config::Overload::carry);
  spec.anomaly.most = 50;
  Sim sim = Sim::running(spec);
  sim.send(Outlier{"hot1", "latency 48 ms", sim.now});
  EXPECT_EQ(sim.state_of("hot1"), State::serving) << "slow is better than too many at once";
  for (config::BackendConfig& backend : spec.backends) backend.capacity = 140;
  sim.change(spec);
  sim.send(Outlier{"hot1", "latency 48 ms", sim.now});
  EXPECT_EQ(sim.state_of("hot1"), State::ejected);
  sim.send(Outlier{"hot2", "latency 48 ms", sim.now});
  EXPECT_EQ(sim.state_of("hot2"), State::serving) << "two have no room for two";
}

TEST(Activation, OnlyAsManyStandbysAsAreNeeded) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), hot("hot3"), hot("hot4"), warm("warm1"), warm("warm2")});
  spec.activate_below = 70;
  Sim sim = Sim::running(spec);
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=- hot2=hot2 hot3=hot3 hot4=hot4") << "75 % are enough";
  sim.fail("hot2");
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=- hot3=hot3 hot4=hot4") << "50 % are not, 75 % are";
}

TEST(Ejection, LastsLongerEachTimeAndIsCapped) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), hot("hot3"), warm("warm1")});
  spec.failback = config::Failback::automatic;
  spec.hold_down = 0s;
  Sim sim = Sim::running(spec);
  const Outcome out = sim.send(Outlier{"hot1", "latency 48 ms", sim.now});
  EXPECT_EQ(sim.state_of("hot1"), State::ejected);
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2 hot3=hot3");
  EXPECT_EQ(out.seats[0].cause, Cause::anomaly);
  EXPECT_EQ(sim.find("hot1").failures, 0u);
  sim.send(Outlier{"hot2", "latency 48 ms", sim.now});
  EXPECT_EQ(sim.state_of("hot2"), State::serving) << "one at a time in so small a pool";
  sim.good("hot1");
  sim.pass(29999ms);
  EXPECT_EQ(sim.state_of("hot1"), State::ejected);
  sim.pass(1ms);
  EXPECT_EQ(sim.seats(), "hot1=hot1 hot2=hot2 hot3=hot3");
  sim.send(Outlier{"hot1", "again", sim.now});
  sim.pass(59s);
  EXPECT_EQ(sim.state_of("hot1"), State::ejected) << "twice as long";
  sim.pass(1s);
  EXPECT_EQ(sim.state_of("hot1"), State::serving);
}

TEST(Ejection, NeverTakesTheLastOne) {
  Sim sim = Sim::running(pool({hot("hot1")}));
  sim.send(Outlier{"hot1", "slow", sim.now});
  EXPECT_EQ(sim.state_of("hot1"), State::serving);
}

TEST(Load, SharesFollowWhatTheLoadLeaves) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), hot("hot3")});
  spec.mode = config::Mode::hot_hot;
  Sim sim = Sim::running(spec);
  const Outcome outcome = sim.send({LoadShare{"hot1", 256}, LoadShare{"hot2", 512}, LoadShare{"hot3", 512}});
  EXPECT_TRUE(outcome.shares_changed);
  EXPECT_TRUE(outcome.seats.empty()) << "no seat changes hands";
  const std::vector<SeatAssignment> seats = assignment(sim.spec, sim.state);
  EXPECT_EQ(seats[0].holder_share, kWhole * 3 / 5) << "of 3 weights 1/5 instead of 1/3";
  EXPECT_EQ(seats[0].accept, 0);
  EXPECT_EQ(seats[1].holder_share, kWhole);
  EXPECT_EQ(seats[1].accept, kWhole) << "the least loaded take what is left over";
  EXPECT_FALSE(sim.send(LoadShare{"hot1", 256}).shares_changed);
  sim.fail("hot3");
  EXPECT_EQ(assignment(sim.spec, sim.state)[0].planned, seats[0].planned) << "a failure is no reason to move others";
}

TEST(Load, AloneItChangesNothing) {
  Sim sim = Sim::running(pool({hot("hot1"), warm("warm1")}));
  sim.send(LoadShare{"hot1", 256});
  EXPECT_EQ(assignment(sim.spec, sim.state)[0].holder_share, kWhole);
}

TEST(Load, AStandbyTakesTheSeatAsItWasAndThenItsOwnLoadCounts) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), warm("warm1")});
  Sim sim = Sim::running(spec);
  sim.send(LoadShare{"hot1", 512});
  const uint16_t planned = assignment(sim.spec, sim.state)[0].planned;
  sim.fail("hot1");
  EXPECT_EQ(assignment(sim.spec, sim.state)[0].planned, planned);
  sim.send(LoadShare{"warm1", kWhole});
  EXPECT_EQ(assignment(sim.spec, sim.state)[0].planned, kWhole);
}

}  // namespace
}  // namespace warmswap::failover
