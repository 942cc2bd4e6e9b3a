// The controller over a real segment whose dataplane side this test plays. Probe kind none, so that nothing on the
// network is needed; what probes do is tested end to end.
#include "controlplane/controller.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "dataplane/contract/verify.h"
#include "tests/unit/controlplane/model_fixture.h"

namespace warmswap::controlplane {
namespace {

class ControllerTest : public ::testing::Test {
 protected:
  ControllerTest() {
    std::string pattern = "/tmp/warmswap-test-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    write(small_toml(instance_));
  }
  ~ControllerTest() override {
    stop();
    std::filesystem::remove_all(directory_);
    std::filesystem::remove("/dev/shm/warmswap-" + instance_);
  }
  std::string file() const { return directory_ / "warmswap.toml"; }
  void write(const std::string& text) { std::ofstream(file()) << text; }

  void start_dataplane() {
    auto segment = contract::Segment::create_or_adopt({.instance = instance_,
                                                       .geometry = small_config().dataplane.geometry,
                                                       .paths = {"/dev/shm/warmswap-" + instance_},
                                                       .create_at = {"/dev/shm/warmswap-" + instance_}});
    ASSERT_TRUE(segment) << segment.error();
    dataplane_ = std::make_unique<contract::Segment>(std::move(*segment));
  }
  void start() {
    auto resolver = nexthop::Resolver::open(context_, {.on_change = [] {}, .log = [](const std::string&) {}});
    ASSERT_TRUE(resolver) << resolver.error();
    controller_ = std::make_unique<Controller>(context_, file(), small_config(instance_), std::move(*resolver));
    controller_->start();
  }
  void stop() {
    if (controller_ != nullptr) controller_->stop();
    controller_.reset();
    context_.restart();
    context_.poll();
  }
  void run_for(std::chrono::milliseconds time) {
    context_.restart();
    context_.run_for(time);
  }
  const contract::SnapshotRoot* root() const {
    const contract::Offset offset = dataplane_->header().control.root.load();
    return offset == 0 ? nullptr : reinterpret_cast<const contract::SnapshotRoot*>(dataplane_->base() + offset);
  }
  std::vector<std::string> seats() const {
    std::vector<std::string> holders;
    const std::vector<api::PoolView> pools = controller_->pools();
    for (const api::SeatView& seat : pools[0].seats) holders.push_back(seat.holder.value_or(""));
    return holders;
  }
  bool has_event(const std::string& kind, const std::string& text) const {
    const api::EventPage page = controller_->events(std::nullopt, 100);
    for (const api::EventView& event : page.events) {
      if (event.kind == kind && event.text.find(text) != std::string::npos) return true;
    }
    return false;
  }

  const std::string instance_ = "unit-" + std::to_string(getpid());
  std::filesystem::path directory_;
  boost::asio::io_context context_;
  std::unique_ptr<contract::Segment> dataplane_;
  std::unique_ptr<Controller> controller_;
};

using Names = std::vector<std::string>;

TEST_F(ControllerTest, PublishesWhenTheDataplaneComesSecond) {
  start();
  EXPECT_FALSE(controller_->status().dataplane.alive);
  EXPECT_EQ(controller_->apply({api::SetWeight{"web", "a", 1}}, {}).refusal, api::Refusal::no_segment);
  start_dataplane();
  run_for(std::chrono::milliseconds(200));
  ASSERT_NE(root(), nullptr) << "nothing was published within 200 ms";
  EXPECT_TRUE(contract::verify_snapshot(dataplane_->base(), dataplane_->header().control.root.load()));
  EXPECT_EQ(root()->vip_count, 1u);
  EXPECT_EQ(seats(), (Names{"a", "b"}));
}

TEST_F(ControllerTest, ARestartAdoptsSeatsWeightsAndCounters) {
  start_dataplane();
  start();
  ASSERT_TRUE(controller_->apply({api::ForceFailover{"web", "a", {}}, api::SetWeight{"web", "b", 50}}, {}).ok());
  const uint64_t fingerprint = root()->fingerprint;
  const uint64_t generation = root()->generation;
  const auto id = [&](const std::string& name) {
    const auto& pool = *reinterpret_cast<const contract::PoolRecord*>(dataplane_->base() + root()->pools);
    const auto* info = reinterpret_cast<const contract::PoolInfo*>(dataplane_->base() + pool.directory);
    const auto* backends = reinterpret_cast<const contract::BackendInfo*>(info + 1);
    for (uint32_t b = 0; b < info->backend_count; ++b) {
      if (name == backends[b].name) return static_cast<int>(backends[b].id);
    }
    return -1;
  };
  const int before = id("w");
  dataplane_->worker(1).backends(dataplane_->geometry())[before].packets.add(42);
  stop();
  start();
  EXPECT_EQ(seats(), (Names{"w", "b"})) << "a restart is no failback";
  EXPECT_EQ(root()->fingerprint, fingerprint) << "the same assignment";
  EXPECT_GT(root()->generation, generation);
  EXPECT_EQ(id("w"), before);
  EXPECT_TRUE(has_event("adopted", "3 backends"));
  for (const api::BackendView& backend : controller_->backends(std::nullopt)) {
    if (backend.name == "w") {
      EXPECT_EQ(backend.packets, 42u);
    }
    if (backend.name == "b") {
      EXPECT_EQ(backend.weight, 50u) << "run-time changes outlive the process";
    }
  }
  EXPECT_NE(controller_->status().warnings, Names{}) << "it says that the file knows nothing of them";
}

TEST_F(ControllerTest, AReloadTakesUpHowManyHandshakesAreSampled) {
  start_dataplane();
  start();
  EXPECT_EQ(root()->sampled_below, contract::sampled_below(256)) << "the default";
  std::string text = small_toml(instance_);
  const std::string section = "[controlplane]\n";
  write(text.replace(text.find(section), section.size(), section + "handshake_sampling = 0\n"));
  ASSERT_TRUE(controller_->reload({}).ok());
  EXPECT_EQ(root()->sampled_below, 0u);
}

TEST_F(ControllerTest, HandshakesOfAllWorkersAreAddedUp) {
  start_dataplane();
  const auto count = [this](uint32_t worker, uint64_t completed, uint64_t lapsed) {
    for (uint32_t id = 0; id < 3; ++id) {
      contract::HandshakeCounter& counter = dataplane_->worker(worker).handshakes(dataplane_->geometry())[id];
      counter.completed.add(completed);
      counter.completed_ns.add(completed * 3'000'000);
      counter.lapsed.add(lapsed);
    }
  };
  count(0, 1000, 1000);  // by whoever had the counters before
  start();
  run_for(std::chrono::milliseconds(1100));
  EXPECT_FALSE(controller_->backends("web")[0].handshakes.has_value());
  count(0, 30, 0);
  count(1, 30, 20);
  run_for(std::chrono::milliseconds(1100));
  const auto view = controller_->backends("web")[0].handshakes;
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->completed, 60u);
  EXPECT_EQ(view->lapsed, 20u);
  EXPECT_EQ(view->time, std::chrono::milliseconds(3));
  EXPECT_NEAR(view->incomplete.value(), 0.25, 1e-9);
}

TEST_F(ControllerTest, ABadFileChangesNothingAndAGoodOneCounts) {
  start_dataplane();
  start();
  ASSERT_TRUE(controller_->apply({api::SetWeight{"web", "b", 50}}, {}).ok());
  const uint64_t generation = root()->generation;
  write("[instance]\nname = 5\n");
  const auto refused = controller_->reload({});
  EXPECT_EQ(refused.refusal, api::Refusal::invalid);
  EXPECT_NE(refused.error.find("warmswap.toml:2"), std::string::npos) << refused.error;
  EXPECT_EQ(root()->generation, generation);
  EXPECT_TRUE(has_event("reload", "refused"));

  write(small_toml(instance_) + "[[vip]]\nname = \"v2\"\naddress = \"198.51.100.11\"\nport = 443\npool = \"web\"\n");
  const auto result = controller_->reload({});
  ASSERT_TRUE(result.ok()) << result.error;
  EXPECT_EQ(root()->vip_count, 2u);
  const bool named = std::any_of(result.notes.begin(), result.notes.end(), [](const std::string& line) {
    return line.find("undid the run-time change weight web/b 50") != std::string::npos;
  });
  EXPECT_TRUE(named) << "what the reload undid is said";
}

TEST_F(ControllerTest, APlanSaysWhatWouldHappenAndChangesNothing) {
  start_dataplane();
  start();
  const uint64_t generation = root()->generation;
  const auto events = controller_->events(std::nullopt, 1).last;
  const api::ApplyResult plan = controller_->apply({api::DisableBackend{"web", "a"}}, {.dry_run = true});
  ASSERT_TRUE(plan.ok()) << plan.error;
  EXPECT_TRUE(plan.dry_run);
  ASSERT_EQ(plan.plan.size(), 1u);
  const api::PoolPlan& pool = plan.plan[0];
  EXPECT_NEAR(pool.slots_moved, 4099 / 2.0, 1);
  EXPECT_EQ(pool.survivor_slots_moved, 0u);
  ASSERT_EQ(pool.seats.size(), 1u);
  EXPECT_EQ(pool.seats[0], (api::SeatPlan{"a", "a", "w", 0}));
  ASSERT_EQ(pool.backends.size(), 2u);
  EXPECT_EQ(pool.backends[0].name, "a");
  EXPECT_EQ(pool.backends[0].load_after, 0);
  EXPECT_EQ(pool.backends[1].name, "w");
  EXPECT_NEAR(pool.backends[1].load_after, 100, 0.1);
  EXPECT_EQ(root()->generation, generation);
  EXPECT_EQ(controller_->events(std::nullopt, 1).last, events);
  EXPECT_EQ(seats(), (Names{"a", "b"}));
  const api::ApplyResult done = controller_->apply({api::DisableBackend{"web", "a"}}, {});
  EXPECT_EQ(done.plan, plan.plan) << "what was planned is what happens";
}

TEST_F(ControllerTest, LimitsRefuseWhatMovesOrLoadsTooMuchUnlessForced) {
  start_dataplane();
  start();
  std::string text = small_toml(instance_);
  text.replace(text.find("[pool.probe]"), 0, "[pool.limits]\nmax_slots_moved = 20\n");
  write(text);
  ASSERT_TRUE(controller_->reload({}).ok());
  const auto refused = controller_->apply({api::SetWeight{"web", "a", 10}}, {});
  EXPECT_EQ(refused.refusal, api::Refusal::conflict);
  EXPECT_NE(refused.error.find("more than limits.max_slots_moved allows (20 %)"), std::string::npos) << refused.error;
  const auto planned = controller_->apply({api::SetWeight{"web", "a", 10}}, {.dry_run = true});
  ASSERT_EQ(planned.notes.size(), 1u);
  EXPECT_TRUE(controller_->apply({api::SetWeight{"web", "a", 90}}, {}).ok()) << "a small step is allowed";
  EXPECT_TRUE(controller_->apply({api::SetWeight{"web", "a", 10}}, {.force = true}).ok());
  EXPECT_TRUE(has_event("change", "weight web/a 10 (forced)"));

  text = small_toml(instance_);
  text.replace(text.find("name = \"b\""), 0, "capacity = 120\n");
  write(text);
  ASSERT_TRUE(controller_->reload({}).ok());
  const auto overload = controller_->apply({api::SetWeight{"web", "b", 150}}, {});
  EXPECT_NE(overload.error.find("web/b would carry 150.0, more than limits.max_load allows (100 % of 120)"),
            std::string::npos)
      << overload.error;
}

TEST_F(ControllerTest, WhatNobodyHasCapacityForIsShedAndNotByAnOperatorUnlessForced) {
  start_dataplane();
  start();
  std::string text = small_toml(instance_);
  text.replace(text.find("[pool.probe]"), 0, "[pool.guard]\noverload = \"shed\"\n");
  write(text);
  const auto without = controller_->reload({});
  EXPECT_NE(
      without.error.find("pool.web.guard.overload = \"shed\": expected a capacity for each hot backend, and \"a\" "
                         "has none"),
      std::string::npos)
      << without.error;
  text.replace(text.find("name = \"b\""), 0, "capacity = 120\n");
  text.replace(text.find("name = \"a\""), 0, "capacity = 120\n");
  write(text);
  ASSERT_TRUE(controller_->reload({}).ok());
  ASSERT_TRUE(controller_->apply({api::DisableBackend{"web", "w"}}, {}).ok());

  const auto refused = controller_->apply({api::DisableBackend{"web", "b"}}, {});
  EXPECT_EQ(refused.refusal, api::Refusal::conflict);
  EXPECT_NE(refused.error.find("% of the slots of pool web would be dropped, as nobody has capacity for them"),
            std::string::npos)
      << refused.error;
  ASSERT_TRUE(controller_->apply({api::DisableBackend{"web", "b"}}, {.force = true}).ok());
  const api::BackendView a = controller_->backends("web")[0];
  EXPECT_EQ(a.capacity, 120u);
  EXPECT_NEAR(a.carries, 120, 3) << "of 4099 slots";
  EXPECT_NEAR(controller_->pools()[0].slots_without_backend, 4099 * 0.4, 4099 * 0.015);
  EXPECT_TRUE(has_event("guard",
                        "pool web: more is left over than the others have capacity for: what does not fit is "
                        "dropped"));
  const std::vector<std::string> warnings = controller_->status().warnings;
  EXPECT_NE(std::find(warnings.begin(), warnings.end(),
                      "pool web: 100.0 of weight is left over and the others have capacity for 20.0: what does not fit "
                      "is dropped"),
            warnings.end());
  ASSERT_TRUE(controller_->apply({api::EnableBackend{"web", "b"}}, {}).ok());
  EXPECT_EQ(controller_->pools()[0].slots_without_backend, 0u);
}

TEST_F(ControllerTest, AnUnconfirmedChangeIsUndone) {
  start_dataplane();
  start();
  const uint64_t fingerprint = root()->fingerprint;
  const std::vector<api::Change> changes{api::SetWeight{"web", "b", 50}, api::ForceFailover{"web", "a", {}},
                                         api::DisableBackend{"web", "b"}};
  ASSERT_TRUE(controller_->apply(changes, {.confirm_within = std::chrono::milliseconds(100)}).ok());
  EXPECT_EQ(seats(), (Names{"w", ""}));
  ASSERT_TRUE(controller_->status().pending.has_value());
  const auto second = controller_->apply({api::SetWeight{"web", "a", 7}}, {});
  EXPECT_EQ(second.refusal, api::Refusal::conflict);
  EXPECT_NE(second.error.find("waits for its confirmation (weight web/b 50, failover web/a, disable web/b)"),
            std::string::npos)
      << second.error;
  run_for(std::chrono::milliseconds(200));
  EXPECT_FALSE(controller_->status().pending.has_value());
  EXPECT_EQ(seats(), (Names{"a", "b"}));
  EXPECT_EQ(root()->fingerprint, fingerprint) << "exactly what was before";
  EXPECT_TRUE(has_event("change", "rolled back: weight web/b 50"));
}

TEST_F(ControllerTest, AConfirmedChangeStays) {
  start_dataplane();
  start();
  EXPECT_EQ(controller_->confirm().refusal, api::Refusal::conflict) << "nothing waits";
  ASSERT_TRUE(
      controller_->apply({api::SetWeight{"web", "b", 50}}, {.confirm_within = std::chrono::milliseconds(80)}).ok());
  const uint64_t fingerprint = root()->fingerprint;
  EXPECT_TRUE(controller_->confirm().ok());
  run_for(std::chrono::milliseconds(150));
  EXPECT_EQ(root()->fingerprint, fingerprint);
  EXPECT_EQ(controller_->rollback().refusal, api::Refusal::conflict);
}

TEST_F(ControllerTest, ARestartDoesNotMakeAnUnconfirmedChangePermanent) {
  start_dataplane();
  start();
  const uint64_t fingerprint = root()->fingerprint;
  ASSERT_TRUE(controller_
                  ->apply({api::SetWeight{"web", "b", 50}, api::ForceFailover{"web", "a", {}}},
                          {.confirm_within = std::chrono::milliseconds(300)})
                  .ok());
  stop();
  start();
  ASSERT_TRUE(controller_->status().pending.has_value());
  EXPECT_EQ(seats(), (Names{"w", "b"}));
  run_for(std::chrono::milliseconds(500));
  EXPECT_EQ(seats(), (Names{"a", "b"}));
  EXPECT_EQ(root()->fingerprint, fingerprint);
}

TEST_F(ControllerTest, AReloadCanBeRolledBackToo) {
  start_dataplane();
  start();
  const uint64_t fingerprint = root()->fingerprint;
  std::string text = small_toml(instance_);
  text.replace(text.find("ring_size = 4099"), 16, "ring_size = 4093");
  write(text);
  const auto planned = controller_->reload({.dry_run = true});
  ASSERT_TRUE(planned.ok()) << planned.error;
  EXPECT_EQ(planned.slots_moved, 4093u) << "another ring size moves everything";
  EXPECT_EQ(root()->fingerprint, fingerprint);
  ASSERT_TRUE(controller_->reload({.confirm_within = std::chrono::seconds(60)}).ok());
  EXPECT_NE(root()->fingerprint, fingerprint);
  EXPECT_TRUE(controller_->rollback().ok());
  EXPECT_EQ(root()->fingerprint, fingerprint);
}

TEST_F(ControllerTest, AFullArenaRefusesTheChangeAndKeepsModelAndSnapshot) {
  start_dataplane();
  start();
  // A reader that never moves on holds every former snapshot.
  contract::Quiescence& stuck = dataplane_->worker(0).quiescence;
  stuck.generation.store(root()->generation);
  stuck.state.store(static_cast<uint32_t>(contract::ReaderState::online));
  api::ApplyResult result;
  uint32_t weight = 1;
  for (; weight < 5000 && result.ok(); ++weight) result = controller_->apply({api::SetWeight{"web", "a", weight}}, {});
  ASSERT_EQ(result.refusal, api::Refusal::arena_full) << result.error;
  EXPECT_NE(result.error.find("worker 0"), std::string::npos) << result.error;
  for (const api::BackendView& backend : controller_->backends(std::nullopt)) {
    if (backend.name == "a") {
      EXPECT_EQ(backend.weight, weight - 2) << "the model is the one that is published";
    }
  }
  stuck.generation.store(root()->generation);
  EXPECT_TRUE(controller_->apply({api::SetWeight{"web", "a", 9999}}, {}).ok()) << "once the worker moves on";
}

TEST_F(ControllerTest, TheTimelineIsCompleteHoweverQuickTheWorker) {
  start_dataplane();
  start();
  // A worker that has acknowledged every generation before anybody can ask.
  contract::Quiescence& worker = dataplane_->worker(0).quiescence;
  worker.generation.store(std::numeric_limits<uint64_t>::max());
  worker.state.store(static_cast<uint32_t>(contract::ReaderState::online));
  ASSERT_TRUE(controller_->apply({api::ForceFailover{"web", "a", {}}}, {}).ok());
  run_for(std::chrono::milliseconds(20));
  bool found = false;
  const api::EventPage page = controller_->events(std::nullopt, 100);
  for (const api::EventView& event : page.events) {
    if (event.kind != "failover") continue;
    found = true;
    ASSERT_TRUE(event.timeline.has_value());
    EXPECT_TRUE(event.timeline->publish.has_value());
    EXPECT_TRUE(event.timeline->last_worker_ack.has_value());
  }
  EXPECT_TRUE(found);
}

TEST_F(ControllerTest, ANewSegmentInThePlaceOfTheOldIsTakenUp) {
  start_dataplane();
  start();
  ASSERT_NE(root(), nullptr);
  dataplane_.reset();
  std::filesystem::remove("/dev/shm/warmswap-" + instance_);
  start_dataplane();
  EXPECT_EQ(root(), nullptr);
  run_for(std::chrono::milliseconds(300));
  ASSERT_NE(root(), nullptr) << "the control plane did not follow to the new file";
  EXPECT_TRUE(has_event("dataplane", "the segment is gone"));
}

TEST_F(ControllerTest, ARestartedControlPlaneKeepsTheNextHopsItFinds) {
  start_dataplane();
  contract::PortRecord& port = dataplane_->header().ports[0];
  port.present = 1;
  port.mac = {2, 0, 0, 0, 0, 1};
  port.mtu = 1600;
  {
    auto control = contract::Segment::attach({instance_, {"/dev/shm/warmswap-" + instance_}});
    ASSERT_TRUE(control);
    auto publisher = contract::Publisher::start(*control);
    ASSERT_TRUE(publisher);
    const Model model = small_model();
    CounterIds vips(16);
    CounterIds backends(16);
    const auto none = [](uint32_t) { return Traffic{}; };
    const auto route = [](contract::Be32 address) {
      const auto last = static_cast<uint8_t>(address.host());
      return std::optional(table::Route{0, {2, 0, 0, 0, 0, 1}, contract::MacAddress{2, 0, 0, 0, 1, last}, 1500});
    };
    auto rows = make_rows({model, vips, backends, none, none, route});
    ASSERT_TRUE(rows);
    ASSERT_TRUE(table::SnapshotBuilder(**publisher).publish(*rows));
  }
  start();  // its resolver knows of no route to these addresses
  EXPECT_GT(root()->generation, 1u);
  const auto& pool = *reinterpret_cast<const contract::PoolRecord*>(dataplane_->base() + root()->pools);
  const auto* seats = reinterpret_cast<const contract::Seat*>(dataplane_->base() + pool.seats);
  for (uint32_t s = 0; s < 2; ++s) {
    EXPECT_EQ(seats[s].flags & contract::kSeatResolved, contract::kSeatResolved) << "packets would be dropped";
    EXPECT_EQ(seats[s].header[5], 11 + s);
    EXPECT_EQ(seats[s].mtu, 1500);
  }
}

TEST_F(ControllerTest, ExplainAgreesWithThePublishedTable) {
  start_dataplane();
  start();
  contract::FlowKey flow{contract::Be32(0xcb007109), contract::Be32(0xc633640a), contract::Be16(40000),
                         contract::Be16(80), contract::kProtoTcp};
  const api::Explanation explanation = controller_->explain(flow);
  EXPECT_EQ(explanation.vip, "v");
  EXPECT_EQ(explanation.hash, contract::flow_hash(small_config().instance.hash_key, flow));
  EXPECT_EQ(explanation.verdict, "drop") << "no port of this made-up dataplane leads anywhere";
  EXPECT_EQ(explanation.drop_reason, contract::DropReason::next_hop_unresolved);
  ASSERT_TRUE(explanation.owner && explanation.seat);
  EXPECT_EQ(*explanation.owner, controller_->pools()[0].seats[*explanation.seat].owner);
  flow.destination_port = contract::Be16(81);
  EXPECT_EQ(controller_->explain(flow).drop_reason, contract::DropReason::no_vip_port);
  flow.destination = contract::Be32(0xc6336463);
  EXPECT_EQ(controller_->explain(flow).verdict, "pass");
}

}  // namespace
}  // namespace warmswap::controlplane
