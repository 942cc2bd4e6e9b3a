#include "controlplane/failover/state.h"

#include <gtest/gtest.h>

namespace warmswap::failover {
namespace {

// The numbers live in shared memory across versions of the program.
static_assert(static_cast<int>(State::unknown) == 0 && static_cast<int>(State::serving) == 1);
static_assert(static_cast<int>(State::suspect) == 2 && static_cast<int>(State::failed) == 3);
static_assert(static_cast<int>(State::recovering) == 4 && static_cast<int>(State::cold) == 5);
static_assert(static_cast<int>(State::warming) == 6 && static_cast<int>(State::warm) == 7);
static_assert(static_cast<int>(State::promoted) == 8 && static_cast<int>(State::disabled) == 9);
static_assert(static_cast<int>(State::draining) == 10);
static_assert(static_cast<int>(Admin::enabled) == 0 && static_cast<int>(Admin::disabled) == 1);

TEST(State, NamesAndBytesComeBackAsTheyWent) {
  for (uint8_t byte = 0; byte <= 10; ++byte) {
    const std::optional<State> state = state_from_byte(byte);
    ASSERT_TRUE(state.has_value());
    EXPECT_EQ(static_cast<uint8_t>(*state), byte);
    EXPECT_EQ(parse_state(to_string(*state)), state);
  }
}

TEST(State, WhatIsNoStateIsRefused) {
  EXPECT_FALSE(state_from_byte(12).has_value());
  EXPECT_FALSE(state_from_byte(255).has_value());
  EXPECT_FALSE(parse_state("up").has_value());
  EXPECT_FALSE(parse_state("").has_value());
}

}  // namespace
}  // namespace warmswap::failover
