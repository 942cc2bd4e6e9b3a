#include "controlplane/counter_ids.h"

#include <gtest/gtest.h>

namespace warmswap::controlplane {
namespace {

Traffic thousand_per_id(uint32_t id) {
  return {1000u * id, 5};
}

TEST(CounterIds, AnIdGivenOutAgainStartsFromWhatTheCounterShows) {
  CounterIds ids(3);
  EXPECT_EQ(ids.get("a", thousand_per_id)->id, 0u);
  EXPECT_EQ(ids.get("b", thousand_per_id)->id, 1u);
  EXPECT_EQ(ids.get("a", thousand_per_id)->id, 0u) << "a key keeps its id";
  ids.keep_only({"a"});
  EXPECT_EQ(ids.get("c", thousand_per_id)->id, 2u) << "the id given back rests while others are free";
  EXPECT_EQ(ids.get("d", thousand_per_id)->id, 1u);
  EXPECT_EQ(ids.find("d")->baseline.packets, 1000u);
  EXPECT_FALSE(ids.get("e", thousand_per_id).has_value()) << "all in use";
}

TEST(CounterIds, AdoptedEntriesAreKeptAndConflictsRefused) {
  CounterIds ids(4);
  EXPECT_TRUE(ids.adopt("x", {2, {77, 8}}));
  EXPECT_FALSE(ids.adopt("y", {2, {}})) << "taken";
  EXPECT_FALSE(ids.adopt("z", {4, {}})) << "out of range";
  EXPECT_FALSE(ids.adopt("x", {1, {}})) << "has one";
  EXPECT_EQ(ids.get("x", thousand_per_id)->baseline.packets, 77u);
  EXPECT_EQ(ids.get("n", thousand_per_id)->id, 3u);
}

}  // namespace
}  // namespace warmswap::controlplane
