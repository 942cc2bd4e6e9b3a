// What operators command: changes at run time and the reload of the file. All or nothing.
#include <algorithm>

#include "controlplane/config/load.h"
#include "controlplane/controller.h"

namespace warmswap::controlplane {

api::Refusal Controller::publish_refusal() const {
  return publish_error_.starts_with("arena full") ? api::Refusal::arena_full : api::Refusal::invalid;
}

api::ApplyResult Controller::apply(const std::vector<api::Change>& changes) {
  api::ApplyResult refused;
  if (builder_ == nullptr) {
    refused.refusal = api::Refusal::no_segment;
    refused.error = "there is no dataplane to change: " + link_.obstacle();
    return refused;
  }
  const auto before = remember();
  Model old = model_;
  std::vector<PoolOutcome> outcomes;
  api::ApplyResult result = apply_changes(model_, changes, steady_now(), outcomes);
  if (!result.ok()) return result;
  const bool published = publish();
  if (!published && !publish_error_.empty()) {
    model_ = std::move(old);
    refused.refusal = publish_refusal();
    refused.error = publish_error_ + "; nothing was changed";
    return refused;
  }
  for (const api::Change& change : changes) note("change", describe_change(change), "operator");
  log_outcomes(outcomes, before, published);
  for (const PoolOutcome& entry : outcomes) {
    if (entry.outcome.deadline) deadlines_[entry.pool] = *entry.outcome.deadline;
  }
  schedule_deadline();
  configure_outside();
  result.generation = link_.publisher().generation();
  return result;
}

api::ApplyResult Controller::reload() {
  api::ApplyResult result;
  auto loaded = config::load_file(file_);
  if (!loaded) {
    result.refusal = api::Refusal::invalid;
    result.error = loaded.error();
    note("reload", "refused, nothing changed: " + loaded.error());
    return result;
  }
  const auto before = remember();
  Model old = model_;
  result.notes = loaded->warnings;
  for (const std::string& line : restart_needed(model_.file, loaded->config)) result.notes.push_back(line);
  if (!(model_.file.instance.hash_key == loaded->config.instance.hash_key)) {
    result.notes.push_back("instance.hash_key has changed: nearly all flows go to another backend from now on");
  }
  for (const api::Change& change : model_.overlay) {
    result.notes.push_back("the file counts: undid the run-time change " + describe_change(change));
  }
  std::vector<PoolOutcome> outcomes = replace_configuration(model_, std::move(loaded->config), steady_now());
  const bool published = publish();
  if (!published && builder_ != nullptr && !publish_error_.empty()) {
    model_ = std::move(old);
    result.refusal = publish_refusal();
    result.error = publish_error_ + "; nothing was changed";
    return result;
  }
  deadlines_.clear();
  for (const PoolOutcome& entry : outcomes) {
    if (entry.outcome.deadline) deadlines_[entry.pool] = *entry.outcome.deadline;
    const auto was = before.find(entry.pool);
    if (was == before.end()) continue;
    const PoolModel& now = pool_model(entry.pool);
    const std::vector<std::string> holders = sitter_names(now.state);
    const auto moved = table::slots_moved({*was->second.ring, was->second.holders}, {*now.ring, holders});
    result.slots_moved += moved.total;
    result.survivor_slots_moved += moved.of_survivors;
  }
  note("reload", "read " + file_, "operator");
  log_outcomes(outcomes, before, published);
  schedule_deadline();
  configure_outside();
  result.generation = link_.attached() ? link_.publisher().generation() : 0;
  return result;
}

}  // namespace warmswap::controlplane
