#include "controlplane/overlay.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/model_fixture.h"

namespace warmswap::controlplane {
namespace {

config::BackendConfig backend(const std::string& name, uint32_t last_byte, config::Role role = config::Role::hot) {
  config::BackendConfig config;
  config.name = name;
  config.address = config::Be32(0xc0000200u + last_byte);
  config.role = role;
  return config;
}

class OverlayTest : public ::testing::Test {
 protected:
  api::ApplyResult apply(const std::vector<api::Change>& changes) {
    outcomes_.clear();
    return apply_changes(model_, changes, steady_now(), outcomes_);
  }
  std::vector<std::string> holders() const { return sitter_names(model_.pools.at("web").state); }
  std::vector<std::string> remembered() const {
    std::vector<std::string> texts;
    for (const api::Change& change : model_.overlay) texts.push_back(describe_change(change));
    return texts;
  }
  Model model_ = small_model();
  std::vector<PoolOutcome> outcomes_;
};

using Names = std::vector<std::string>;

TEST_F(OverlayTest, AddedBackendGetsItsSeatAndItsShare) {
  const auto result = apply({api::AddBackend{"web", backend("c", 13)}});
  ASSERT_TRUE(result.ok()) << result.error;
  EXPECT_EQ(holders(), (Names{"a", "b", "c"}));
  EXPECT_NEAR(model_.pools.at("web").ring->slots()[2], 4099 / 3.0, 2);
  EXPECT_GE(result.slots_moved, 4099u / 3 - 2);
  EXPECT_EQ(remembered(), Names{"add web/c"});
}

TEST_F(OverlayTest, AListIsAppliedWholeOrNotAtAll) {
  const auto before = model_.pools.at("web").state;
  const auto result = apply({api::SetWeight{"web", "a", 10}, api::RemoveBackend{"web", "nobody"}});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.refusal, api::Refusal::not_found);
  EXPECT_NE(result.error.find("changes[1]"), std::string::npos) << result.error;
  EXPECT_NE(result.error.find("nothing of the list was applied"), std::string::npos) << result.error;
  EXPECT_EQ(model_.pools.at("web").state, before);
  EXPECT_EQ(model_.running.find_pool("web")->find_backend("a")->weight, 100u);
  EXPECT_TRUE(model_.overlay.empty());
}

TEST_F(OverlayTest, RulesHoldAfterTheListNotBetweenItsChanges) {
  config::BackendConfig hot = backend("c", 13);
  hot.standby = "x";
  const auto alone = apply({api::AddBackend{"web", hot}});
  EXPECT_EQ(alone.refusal, api::Refusal::invalid) << "its standby does not exist";
  EXPECT_TRUE(apply({api::AddBackend{"web", hot}, api::AddBackend{"web", backend("x", 52, config::Role::warm)}}).ok());
}

TEST_F(OverlayTest, RefusalsHaveTheirClass) {
  EXPECT_EQ(apply({api::SetWeight{"nopool", "a", 1}}).refusal, api::Refusal::not_found);
  EXPECT_EQ(apply({api::AddBackend{"web", backend("a", 14)}}).refusal, api::Refusal::conflict);
  EXPECT_EQ(apply({api::SetWeight{"web", "a", 70000}}).refusal, api::Refusal::invalid);
  EXPECT_EQ(apply({api::ForceFailback{"web", "a"}}).refusal, api::Refusal::conflict) << "it sits in its own seat";
  EXPECT_EQ(apply({api::ForceFailover{"web", "w", {}}}).refusal, api::Refusal::conflict) << "a standby owns no seat";
}

TEST_F(OverlayTest, CommandsMoveSeatsWithoutTouchingSurvivors) {
  auto result = apply({api::ForceFailover{"web", "a", {}}});
  ASSERT_TRUE(result.ok()) << result.error;
  EXPECT_EQ(holders(), (Names{"w", "b"}));
  EXPECT_EQ(result.survivor_slots_moved, 0u);
  EXPECT_EQ(result.slots_moved, model_.pools.at("web").ring->slots()[0]);
  EXPECT_TRUE(model_.overlay.empty()) << "who sits where is remembered with the backends";
  ASSERT_TRUE(apply({api::ForceFailback{"web", "a"}}).ok());
  EXPECT_EQ(holders(), (Names{"a", "b"}));
  ASSERT_TRUE(apply({api::DisableBackend{"web", "b"}}).ok());
  EXPECT_EQ(holders(), (Names{"a", "w"}));
}

TEST_F(OverlayTest, TheOverlayStaysAsShortAsWhatItSays) {
  ASSERT_TRUE(apply({api::SetWeight{"web", "a", 10}}).ok());
  ASSERT_TRUE(apply({api::SetWeight{"web", "a", 20}}).ok());
  EXPECT_EQ(remembered(), Names{"weight web/a 20"});
  ASSERT_TRUE(apply({api::AddBackend{"web", backend("c", 13)}}).ok());
  ASSERT_TRUE(apply({api::SetWeight{"web", "c", 7}}).ok());
  EXPECT_EQ(remembered(), (Names{"weight web/a 20", "add web/c"}));
  EXPECT_EQ(std::get<api::AddBackend>(model_.overlay[1]).backend.weight, 7u);
  ASSERT_TRUE(apply({api::RemoveBackend{"web", "c"}}).ok());
  EXPECT_EQ(remembered(), Names{"weight web/a 20"}) << "the file never had it";
  ASSERT_TRUE(apply({api::RemoveBackend{"web", "a"}}).ok());
  EXPECT_EQ(remembered(), Names{"remove web/a"});
  ASSERT_TRUE(apply({api::AddBackend{"web", backend("a", 19)}}).ok());
  const Laid again = lay_over(model_.file, model_.overlay);
  EXPECT_EQ(again.running.find_pool("web")->backends, model_.running.find_pool("web")->backends);
}

TEST_F(OverlayTest, WhatNoLongerFitsIsLeftOutAndNamed) {
  ASSERT_TRUE(apply({api::AddBackend{"web", backend("c", 13)}, api::SetWeight{"web", "b", 5}}).ok());
  config::Config file = small_config();
  file.pools[0].backends.push_back(backend("c", 14));  // the operator wrote it into the file meanwhile
  std::sort(file.pools[0].backends.begin(), file.pools[0].backends.end(),
            [](const auto& x, const auto& y) { return x.name < y.name; });
  const Laid laid = lay_over(file, model_.overlay);
  ASSERT_EQ(laid.dropped.size(), 1u);
  EXPECT_NE(laid.dropped[0].find("add web/c"), std::string::npos);
  EXPECT_EQ(laid.running.find_pool("web")->find_backend("b")->weight, 5u);
}

TEST_F(OverlayTest, AReloadKeepsStatesAndDropsTheOverlay) {
  ASSERT_TRUE(apply({api::ForceFailover{"web", "a", {}}, api::SetWeight{"web", "b", 5}}).ok());
  replace_configuration(model_, small_config(), steady_now());
  EXPECT_EQ(holders(), (Names{"w", "b"})) << "a reload is no failback";
  EXPECT_TRUE(model_.overlay.empty());
  EXPECT_EQ(model_.running.find_pool("web")->find_backend("b")->weight, 100u);
}

TEST_F(OverlayTest, PartsThatNeedARestartAreNamed) {
  config::Config changed = small_config();
  EXPECT_TRUE(restart_needed(model_.file, changed).empty());
  changed.dataplane.memory_mib += 1;
  changed.controlplane.lease *= 2;
  const auto sentences = restart_needed(model_.file, changed);
  ASSERT_EQ(sentences.size(), 2u);
  EXPECT_NE(sentences[0].find("[dataplane] has changed: restart both processes"), std::string::npos);
}

}  // namespace
}  // namespace warmswap::controlplane
