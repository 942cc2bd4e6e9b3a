// A control plane made of values: answers with what a test put in, and remembers what it was asked to change.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "controlplane/api/service.h"

namespace warmswap::api {

class FakeService : public Service {
 public:
  /// A pool `web` with three hot backends, web2 dead and warm1 in its seat, and a pool `dns` that re-deals.
  FakeService();

  Status status() const override {
    if (on_status) on_status();
    return status_value;
  }
  std::vector<VipView> vips() const override { return vip_values; }
  std::vector<PoolView> pools() const override { return pool_values; }
  std::vector<BackendView> backends(std::optional<std::string_view> pool) const override;
  EventPage events(std::optional<uint64_t> since, size_t limit) const override;
  Explanation explain(const contract::FlowKey& flow) const override;
  std::vector<DropView> drops() const override { return drop_values; }
  VersionView version() const override { return {"0.1.0", 1}; }
  std::optional<config::ProbeConfig> pool_probe(std::string_view pool) const override;
  ApplyResult apply(const std::vector<Change>& changes, const ChangeOptions& options) override;
  ApplyResult reload(const ChangeOptions& options) override;
  ApplyResult confirm() override;
  ApplyResult rollback() override;
  SavePlan save(bool drop_in) const override {
    SavePlan plan = save_plan;
    if (drop_in) plan.file += ".d";
    return plan;
  }

  Status status_value;
  std::vector<VipView> vip_values;
  std::vector<PoolView> pool_values;
  std::vector<BackendView> backend_values;
  std::vector<EventView> event_values;
  std::vector<DropView> drop_values;
  ApplyResult result{.generation = 43, .slots_moved = 21845};
  std::function<void()> on_status;

  std::vector<std::vector<Change>> applied;
  int reloads = 0;
  int confirms = 0;
  int rollbacks = 0;
  SavePlan save_plan;
  ChangeOptions last_options;
};

}  // namespace warmswap::api
