// A drill from its start to its report. The control plane runs and ends it; this only watches.
#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <thread>

#include "controlplane/api/protocol.h"
#include "controlplane/cli/answer.h"
#include "controlplane/cli/changes.h"
#include "controlplane/cli/text.h"

namespace warmswap::cli {

namespace json = boost::json;
namespace field = api::field;

namespace {

constexpr std::chrono::milliseconds kLook{200};

/// Time from the decision to the last worker that had the new table, in microseconds; 0 = not known.
int64_t switch_time(const json::object& event) {
  const json::object& timeline = object_of(event, field::kTimeline);
  if (!has(timeline, field::kLastWorkerAckUs)) return 0;
  return signed_of(timeline, field::kLastWorkerAckUs) - signed_of(timeline, field::kDecisionUs);
}

class Watch {
 public:
  Watch(const Session& session, std::string pool, std::string owner)
      : session_(session), pool_(std::move(pool)), owner_(std::move(owner)) {
    last_ = number_of(parse_answer(session_.get(events_from(UINT64_MAX))), field::kLast);
  }

  /// To the end of the drill; false when it did not end as it should.
  bool run() {
    while (!over_) {
      read_events();
      look_at_backends();
      if (!over_) std::this_thread::sleep_for(kLook);
    }
    read_events();
    return problem_.empty();
  }

  void report() const {
    if (session_.json()) {
      session_.out() << json::serialize(json::object{{"backend", pool_ + "/" + owner_},
                                                     {"standby", standby_},
                                                     {"packets", packets_},
                                                     {"slots_moved", slots_},
                                                     {"survivor_slots_moved", survivors_},
                                                     {"out_us", out_us_},
                                                     {"back_us", back_us_},
                                                     {"steps", steps_},
                                                     {"passed", problem_.empty()},
                                                     {"problem", problem_}})
                     << '\n';
      return;
    }
    std::ostream& out = session_.out();
    out << fmt::format("drill of {}/{}\n", pool_, owner_);
    out << fmt::format(
        "  out       {} took the seat, {:.3f} ms from the decision to the last worker; {} slots moved, {} of "
        "survivors\n",
        printable(standby_), static_cast<double>(out_us_) / 1000, slots_, survivors_);
    out << fmt::format("  meanwhile {} packets went to {}\n", packets_, printable(standby_));
    if (problem_.empty()) {
      out << fmt::format("  back      by {} step{}, {:.3f} ms from the last decision to the last worker\n", steps_,
                         steps_ == 1 ? "" : "s", static_cast<double>(back_us_) / 1000);
    }
    out << (problem_.empty() ? "passed\n" : "failed: " + printable(problem_) + "\n");
  }

 private:
  static std::string events_from(uint64_t since) {
    return fmt::format("{}?{}={}&{}=1000", api::endpoint::kEvents, api::parameter::kSince, since,
                       api::parameter::kLimit);
  }

  void read_events() {
    const json::object page = parse_answer(session_.get(events_from(last_)));
    for (const json::value& value : list_of(page, field::kEvents)) {
      const json::object& event = as_object(value);
      last_ = number_of(event, field::kSeq);
      if (text_of(event, field::kPool) == pool_) take(event);
    }
  }

  void take(const json::object& event) {
    const std::string kind = text_of(event, field::kKind);
    if (text_of(event, field::kBackend) == owner_) {
      if (kind == "failover" && out_event_ == 0) out_event_ = number_of(event, field::kSeq);
      if (kind == "step" || kind == "failback") {
        ++steps_;
        back_event_ = number_of(event, field::kSeq);
      }
      if (kind == "retreat" && problem_.empty()) problem_ = text_of(event, field::kText);
    }
  }

  /// Who holds the owner's seat now, and how everybody is.
  void look_at_backends() {
    const json::object answer =
        parse_answer(session_.get(fmt::format("{}?{}={}", api::endpoint::kBackends, api::parameter::kPool, pool_)));
    std::string holder, owner_state;
    for (const json::value& value : list_of(answer, field::kBackends)) {
      const json::object& backend = as_object(value);
      const std::string name = text_of(backend, field::kName);
      const uint64_t packets = number_of(backend, field::kPackets);
      if (name == owner_) owner_state = text_of(backend, field::kState);
      if (text_of(backend, field::kHoldsSeatOf) == owner_) holder = name;
      if (name == holder && name != owner_ && standby_.empty()) {
        standby_ = name;
        packets_before_ = packets;
      }
      if (name == standby_) packets_ = packets - std::min(packets, packets_before_);
    }
    if (holder == owner_ && owner_state != "recovering") over_ = true;
    if (holder != owner_ && holder != standby_) problem_ = standby_ + " lost the seat";
    if (owner_state == "failed" || owner_state == "disabled" || owner_state == "ejected") {
      problem_ = owner_ + " is " + owner_state + " and cannot come back";
    }
    if (!problem_.empty()) over_ = true;
    if (over_) read_moments();
  }

  /// The acknowledgements come a moment after their events.
  void read_moments() {
    std::this_thread::sleep_for(kLook);
    for (const auto& [seq, target] : {std::pair{out_event_, &out_us_}, std::pair{back_event_, &back_us_}}) {
      if (seq == 0) continue;
      const json::object page = parse_answer(session_.get(events_from(seq - 1)));
      for (const json::value& value : list_of(page, field::kEvents)) {
        const json::object& event = as_object(value);
        if (number_of(event, field::kSeq) != seq) continue;
        *target = switch_time(event);
        if (target != &out_us_) continue;
        slots_ = number_of(event, field::kSlotsMoved);
        survivors_ = number_of(event, field::kSurvivorSlotsMoved);
      }
    }
  }

  const Session& session_;
  const std::string pool_;
  const std::string owner_;
  uint64_t last_ = 0;
  uint64_t out_event_ = 0;
  uint64_t back_event_ = 0;
  bool over_ = false;
  std::string standby_;
  std::string problem_;
  uint64_t packets_before_ = 0;
  uint64_t packets_ = 0;
  uint64_t slots_ = 0;
  uint64_t survivors_ = 0;
  uint64_t steps_ = 0;
  int64_t out_us_ = 0;
  int64_t back_us_ = 0;
};

}  // namespace

void drill(const Session& session, const std::string& backend, const std::string& to, const std::string& length) {
  const Name name = resolve(session, backend);
  json::object change = change_object(api::operation::kDrill, name);
  if (!to.empty()) change[field::kTo] = to;
  change[field::kFor] = length;
  Watch watch(session, name.pool, name.backend);
  const json::object body{{field::kChanges, json::array{std::move(change)}}};
  session.post(api::endpoint::kChanges, json::serialize(body));
  const bool passed = watch.run();
  watch.report();
  if (!passed) throw Failure(kExitRefused, "the drill did not pass");
}

}  // namespace warmswap::cli
