// A backend is led out before maintenance.
#include <gtest/gtest.h>

#include "tests/unit/controlplane/failover/records.h"
#include "tests/unit/controlplane/failover/sim.h"

namespace warmswap::failover {
namespace {

using namespace std::chrono_literals;

SeatAssignment seat_of(const Sim& sim, uint32_t seat) {
  return assignment(sim.spec, sim.state)[seat];
}

TEST(Drain, AStandbyGetsMoreAndMoreOfTheSeatAndAllOfItInTheEnd) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  sim.send(DrainOut{"hot1", 20s});
  EXPECT_EQ(sim.state_of("hot1"), State::draining);
  EXPECT_FALSE(seat_of(sim, 0).guest) << "nothing moves at first";
  uint16_t before = 0;
  for (int second = 1; second < 20; ++second) {
    const Outcome outcome = sim.pass(1s);
    EXPECT_TRUE(outcome.shares_changed) << second;
    const SeatAssignment seat = seat_of(sim, 0);
    ASSERT_EQ(seat.guest, 2u) << second;
    EXPECT_EQ(seat.holder, 0u);
    EXPECT_GT(seat.guest_share, before);
    EXPECT_EQ(seat.guest_share, second * kWhole / 20);
    EXPECT_EQ(seat.guest_share + seat.holder_share, kWhole) << "nobody else gets anything";
    before = seat.guest_share;
  }
  const Outcome end = sim.pass(1s);
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2");
  EXPECT_EQ(sim.state_of("hot1"), State::disabled);
  EXPECT_EQ(sim.find("hot1").failures, 0u);
  ASSERT_EQ(end.seats.size(), 1u);
  EXPECT_EQ(end.seats[0].cause, Cause::drain);
  EXPECT_EQ(end.seats[0].detail, "hot1: drained");
}

TEST(Drain, WithoutStandbysTheOthersShareIt) {
  config::PoolConfig spec = pool({hot("hot1"), hot("hot2"), hot("hot3")});
  spec.mode = config::Mode::hot_hot;
  Sim sim = Sim::running(spec);
  sim.send(DrainOut{"hot1", 20s});
  sim.pass(5s);
  EXPECT_EQ(seat_of(sim, 0).holder_share, kWhole * 3 / 4);
  sim.pass(15s);
  EXPECT_EQ(sim.seats(), "hot1=- hot2=hot2 hot3=hot3");
  EXPECT_EQ(sim.state_of("hot1"), State::disabled);
}

TEST(Drain, EnableCallsItOff) {
  for (const bool standby : {false, true}) {
    std::vector<config::BackendConfig> backends = {hot("hot1"), hot("hot2")};
    if (standby) backends.push_back(warm("warm1"));
    Sim sim = Sim::running(pool(backends));
    sim.send(DrainOut{"hot1", 20s});
    sim.pass(10s);
    sim.send(Enable{"hot1"});
    EXPECT_EQ(sim.state_of("hot1"), State::serving);
    EXPECT_EQ(seat_of(sim, 0).holder_share, kWhole);
    sim.pass(1h);
    EXPECT_EQ(sim.state_of("hot1"), State::serving);
  }
}

TEST(Drain, WhatHoldsNoSeatIsOutAtOnce) {
  Sim sim = Sim::running(pool({hot("hot1"), warm("warm1")}));
  sim.send(DrainOut{"warm1", 1h});
  EXPECT_EQ(sim.state_of("warm1"), State::disabled);
}

TEST(Drain, ADrainingStandbyGivesTheSeatBackOrToAnotherOne) {
  Sim sim = Sim::running(pool({hot("hot1"), warm("warm1"), warm("warm2")}));
  sim.fail("hot1");
  ASSERT_EQ(sim.seats(), "hot1=warm1");
  sim.send(DrainOut{"warm1", 20s});
  sim.pass(10s);
  EXPECT_EQ(seat_of(sim, 0).guest, 2u) << "warm2, as the owner is dead";
  sim.send(Enable{"warm1"});
  sim.recover("hot1");
  sim.send(DrainOut{"warm1", 20s});
  EXPECT_EQ(sim.seats(), "hot1=hot1") << "the owner should have it anyway";
}

TEST(Drain, AFailureMeanwhileIsAFailure) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1"), warm("warm2")}));
  sim.send(DrainOut{"hot1", 1h});
  sim.pass(30min);
  sim.fail("hot1");
  EXPECT_EQ(sim.seats(), "hot1=warm1 hot2=hot2");
  sim.recover("hot1");
  EXPECT_EQ(sim.state_of("hot1"), State::disabled) << "it was on its way out anyway";
}

TEST(Drain, TheStandbyThatHasHalfOfItFails) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  sim.send(DrainOut{"hot1", 20s});
  sim.pass(10s);
  sim.fail("warm1");
  EXPECT_EQ(seat_of(sim, 0).holder_share, kWhole) << "the owner still works";
  EXPECT_EQ(sim.state_of("hot1"), State::draining);
}

TEST(Drain, IsRefusedWithASentence) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  sim.send(DrainOut{"hot1", 20s});
  EXPECT_EQ(sim.refused(DrainOut{"hot1", 20s}), "hot1 is draining already; enable it to call that off");
  EXPECT_EQ(sim.refused(Drill{"hot1", "", 20s}), "hot1 is draining; a drill needs an owner that comes back");
  sim.pass(20s);
  EXPECT_EQ(sim.refused(DrainOut{"hot1", 20s}), "hot1 is disabled already");
  EXPECT_NE(sim.refused(DrainOut{"hot9", 20s}), "");
}

TEST(Drain, OutlivesTheControlPlane) {
  Sim sim = Sim::running(pool({hot("hot1"), hot("hot2"), warm("warm1")}));
  sim.send(DrainOut{"hot1", 20s});
  sim.pass(10s);
  const PoolState adopted = adopt(sim.spec, records_of(sim.state), sim.now).state;
  EXPECT_EQ(adopted.backends[0].state, State::draining);
  EXPECT_EQ(assignment(sim.spec, adopted)[0].guest_share, kWhole / 2);
  EXPECT_EQ(step(sim.spec, adopted, Tick{}, sim.now + 10s).state.backends[0].state, State::disabled);
}

TEST(Drain, NextStepsAreDeadlines) {
  Sim sim = Sim::running(pool({hot("hot1"), warm("warm1")}));
  Outcome outcome = sim.send(DrainOut{"hot1", 20s});
  int steps = 0;
  while (outcome.deadline && ++steps < 100) outcome = sim.pass(*outcome.deadline - sim.now);
  EXPECT_EQ(steps, 20);
  EXPECT_EQ(sim.state_of("hot1"), State::disabled);
}

}  // namespace
}  // namespace warmswap::failover
