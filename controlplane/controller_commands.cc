// What operators command: changes at run time and the reload of the file. All or nothing.
#include <algorithm>
#include <utility>

#include "controlplane/config/load.h"
#include "controlplane/config/save.h"
#include "controlplane/controller.h"
#include "controlplane/pending.h"
#include "controlplane/plan.h"

namespace warmswap::controlplane {

api::Refusal Controller::publish_refusal() const {
  return publish_error_.starts_with("arena full") ? api::Refusal::arena_full : api::Refusal::invalid;
}

api::ApplyResult Controller::refuse(api::Refusal refusal, std::string sentence) {
  api::ApplyResult refused;
  refused.refusal = refusal;
  refused.error = std::move(sentence);
  return refused;
}

std::optional<api::ApplyResult> Controller::refuse_beside_pending() const {
  if (!model_.pending) return std::nullopt;
  return refuse(api::Refusal::conflict,
                "a change waits for its confirmation (" + model_.pending->what + "): confirm it or roll it back first");
}

std::optional<api::ApplyResult> Controller::refuse_beyond_limits(const Model& next, const api::ApplyResult& planned,
                                                                 const api::ChangeOptions& options) const {
  const auto within = check_limits(next.running, planned.plan);
  if (within || options.force || options.dry_run) return std::nullopt;
  return refuse(api::Refusal::conflict, within.error() + "; nothing was changed, and force does it all the same");
}

api::ApplyResult Controller::planned_only(const Model& next, api::ApplyResult planned) const {
  if (const auto within = check_limits(next.running, planned.plan); !within) {
    planned.notes.push_back("beyond the limits: " + within.error());
  }
  planned.dry_run = true;
  planned.generation = link_.attached() ? link_.publisher().generation() : 0;
  return planned;
}

void Controller::wait_for_confirmation(const Model& before, const api::ApplyResult& result,
                                       const api::ChangeOptions& options, std::string what, bool reloaded) {
  if (!options.confirm_within) return;
  const auto until = std::chrono::system_clock::now() +
                     std::chrono::duration_cast<std::chrono::system_clock::duration>(*options.confirm_within);
  model_.pending = remember_for_rollback(before, result.plan, std::move(what), until, reloaded);
}

api::ApplyResult Controller::apply(const std::vector<api::Change>& changes, const api::ChangeOptions& options) {
  if (builder_ == nullptr) {
    return refuse(api::Refusal::no_segment, "there is no dataplane to change: " + link_.obstacle());
  }
  if (auto refused = refuse_beside_pending(); refused && !options.dry_run) return *refused;
  Model next = model_;
  std::vector<PoolOutcome> outcomes;
  api::ApplyResult result = apply_changes(next, changes, steady_now(), outcomes);
  if (!result.ok()) return result;
  if (options.dry_run) return planned_only(next, std::move(result));
  if (auto refused = refuse_beyond_limits(next, result, options)) return *refused;
  std::string what;
  for (const api::Change& change : changes) what += (what.empty() ? "" : ", ") + describe_change(change);
  const auto before = remember();
  Model old = std::exchange(model_, std::move(next));
  wait_for_confirmation(old, result, options, what, false);
  const bool published = publish();
  if (!published && !publish_error_.empty()) {
    model_ = std::move(old);
    return refuse(publish_refusal(), publish_error_ + "; nothing was changed");
  }
  for (const api::Change& change : changes) {
    note("change", describe_change(change) + (options.force ? " (forced)" : ""), "operator");
  }
  told(outcomes, before, published);
  result.generation = link_.publisher().generation();
  return result;
}

void Controller::told(const std::vector<PoolOutcome>& outcomes, const std::map<std::string, Before>& before,
                      bool published) {
  log_outcomes(outcomes, before, published);
  for (const PoolOutcome& entry : outcomes) set_deadline(entry.pool, entry.outcome.deadline);
  schedule_deadline();
  schedule_rollback();
  configure_outside();
}

api::ApplyResult Controller::reload(const api::ChangeOptions& options) {
  journal_.reopen();
  auto loaded = config::load_file(file_);
  if (!loaded) {
    note("reload", "refused, nothing changed: " + loaded.error());
    return refuse(api::Refusal::invalid, loaded.error());
  }
  if (auto refused = refuse_beside_pending(); refused && !options.dry_run) return *refused;
  api::ApplyResult result;
  result.notes = loaded->warnings;
  for (const std::string& line : restart_needed(model_.file, loaded->config)) result.notes.push_back(line);
  if (!(model_.file.instance.hash_key == loaded->config.instance.hash_key)) {
    result.notes.push_back("instance.hash_key has changed: nearly all flows go to another backend from now on");
  }
  for (const api::Change& change : model_.overlay) {
    result.notes.push_back("the file counts: undid the run-time change " + describe_change(change));
  }
  Model next = model_;
  std::vector<PoolOutcome> outcomes = replace_configuration(next, std::move(loaded->config), steady_now());
  std::set<std::string> pools;
  for (const auto& [name, pool] : model_.pools) pools.insert(name);
  for (const auto& [name, pool] : next.pools) pools.insert(name);
  add_plans(result, plan_between(model_, next, pools));
  if (options.dry_run) return planned_only(next, std::move(result));
  if (auto refused = refuse_beyond_limits(next, result, options)) return *refused;
  const auto before = remember();
  Model old = std::exchange(model_, std::move(next));
  wait_for_confirmation(old, result, options, "reload of " + file_, true);
  const bool published = publish();
  if (!published && builder_ != nullptr && !publish_error_.empty()) {
    model_ = std::move(old);
    return refuse(publish_refusal(), publish_error_ + "; nothing was changed");
  }
  deadlines_.clear();
  note("reload", "read " + file_, "operator");
  told(outcomes, before, published);
  result.generation = link_.attached() ? link_.publisher().generation() : 0;
  return result;
}

api::SavePlan Controller::save(bool drop_in) const {
  api::SavePlan plan;
  plan.file = drop_in ? config::saved_drop_in(file_).string() : file_;
  const auto refused = [&plan](api::Refusal refusal, std::string sentence) {
    plan.refusal = refusal;
    plan.error = std::move(sentence);
    return plan;
  };
  if (auto pending = refuse_beside_pending()) return refused(pending->refusal, pending->error);
  const auto on_disk = config::load_file(file_);
  if (!on_disk) return refused(api::Refusal::conflict, "the file on disk is not valid: " + on_disk.error());
  if (on_disk->config.pools != model_.file.pools || on_disk->config.vips != model_.file.vips) {
    return refused(api::Refusal::conflict,
                   file_ +
                       " was changed since it was read: reload it first, which undoes the changes made at run time, "
                       "or put those into it by hand");
  }
  config::Config running = model_.running;
  for (config::PoolConfig& pool : running.pools) {
    const std::vector<failover::BackendState>& states = pool_model(pool.name).state.backends;
    for (size_t b = 0; b < pool.backends.size(); ++b) {
      pool.backends[b].enabled = states[b].admin == failover::Admin::enabled;
    }
  }
  auto edited = drop_in ? config::write_drop_in(on_disk->sources, on_disk->config, running)
                        : config::edit(on_disk->sources, on_disk->config, running);
  if (!edited) return refused(api::Refusal::conflict, edited.error());
  for (const config::Source& source : on_disk->sources) {
    if (source.name == plan.file) plan.before = source.text;
  }
  plan.after = std::move(edited->text);
  plan.changes = std::move(edited->changes);
  return plan;
}

api::ApplyResult Controller::confirm() {
  if (!model_.pending) return refuse(api::Refusal::conflict, "no change waits for a confirmation");
  const std::string what = model_.pending->what;
  model_.pending.reset();
  schedule_rollback();
  publish();  // the segment forgets it too
  note("change", "confirmed: " + what, "operator");
  api::ApplyResult result;
  result.notes.push_back("confirmed: " + what);
  result.generation = link_.attached() ? link_.publisher().generation() : 0;
  return result;
}

api::ApplyResult Controller::rollback() {
  if (!model_.pending) return refuse(api::Refusal::conflict, "no change waits that could be rolled back");
  return undo_pending("operator");
}

api::ApplyResult Controller::undo_pending(const std::string& cause) {
  const std::string what = model_.pending->what;
  const auto before = remember();
  const Model old = model_;
  std::vector<PoolOutcome> outcomes;
  api::ApplyResult result;
  result.notes = roll_back(model_, steady_now(), outcomes);
  std::set<std::string> pools;
  for (const auto& [name, pool] : old.pools) pools.insert(name);
  for (const auto& [name, pool] : model_.pools) pools.insert(name);
  add_plans(result, plan_between(old, model_, pools));
  const bool published = publish();
  note("change", "rolled back: " + what, cause);
  for (const std::string& line : result.notes) note("change", "not undone: " + line, cause);
  deadlines_.clear();
  told(outcomes, before, published);
  result.generation = link_.attached() ? link_.publisher().generation() : 0;
  return result;
}

void Controller::schedule_rollback() {
  rollback_timer_.cancel();
  if (!model_.pending) return;
  const auto left = model_.pending->until - std::chrono::system_clock::now();
  rollback_timer_.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(left));
  rollback_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && model_.pending) undo_pending("not confirmed in time");
  });
}

}  // namespace warmswap::controlplane
