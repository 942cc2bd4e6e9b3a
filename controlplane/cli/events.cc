#include "controlplane/cli/events.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/serialize.hpp>
#include <thread>

#include "controlplane/api/protocol.h"
#include "controlplane/cli/answer.h"
#include "controlplane/cli/text.h"

namespace warmswap::cli {

namespace json = boost::json;
namespace field = api::field;

namespace {

constexpr std::chrono::milliseconds kFollowInterval{200};

std::string events_target(std::optional<uint64_t> since, uint64_t limit) {
  std::string target(api::endpoint::kEvents);
  char separator = '?';
  if (since) {
    target += fmt::format("{}{}={}", separator, api::parameter::kSince, *since);
    separator = '&';
  }
  if (limit > 0) target += fmt::format("{}{}={}", separator, api::parameter::kLimit, limit);
  return target;
}

/// "+0.000 ms first bad signal → +60.200 ms decision → …", leaving out what did not happen. Always to the microsecond:
/// publish and last ack are that close together.
std::string timeline_text(const json::object& timeline) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kMoments = {{
      {field::kFirstBadSignalUs, "first bad signal"},
      {field::kDecisionUs, "decision"},
      {field::kPublishUs, "publish"},
      {field::kLastWorkerAckUs, "last worker ack"},
  }};
  std::string text;
  for (const auto& [name, moment] : kMoments) {
    if (!has(timeline, name)) continue;
    text += fmt::format("{}+{:.3f} ms {}", text.empty() ? "" : " → ",
                        static_cast<double>(signed_of(timeline, name)) / 1000, moment);
  }
  return text;
}

std::string subject_of(const json::object& event) {
  const std::string pool = text_of(event, field::kPool);
  const std::string backend = text_of(event, field::kBackend);
  if (pool == "-") return backend == "-" ? "" : backend;
  return backend == "-" ? pool : pool + "/" + backend;
}

void print_event(const Session& session, const json::object& event) {
  std::ostream& out = session.out();
  const std::string kind = text_of(event, field::kKind);
  const std::string subject = subject_of(event);
  const Tone tone = kind == "failover" ? Tone::warning : Tone::strong;
  out << fmt::format("{}  #{}  {}{}{}  {}\n",
                     paint(printable(text_of(event, field::kTime)), Tone::faint, session.colour()),
                     number_of(event, field::kSeq), paint(printable(kind), tone, session.colour()),
                     subject.empty() ? "" : "  ", printable(subject), printable(text_of(event, field::kText)));
  const auto detail = [&](std::string_view name, const std::string& text) {
    if (!text.empty() && text != "-") out << fmt::format("    {:<9} {}\n", name, printable(text));
  };
  detail("cause", text_of(event, field::kCause));
  detail("timeline", timeline_text(object_of(event, field::kTimeline)));
  if (has(event, field::kSlotsMoved)) {
    detail("slots", fmt::format("{} moved, {} of them of survivors", number_of(event, field::kSlotsMoved),
                                number_of(event, field::kSurvivorSlotsMoved)));
  }
}

/// Follows the log. Waits for a control plane that went away, and notices when the log began anew or ran ahead.
class Follower {
 public:
  Follower(const Session& session, const EventsOptions& options)
      : session_(session), since_(options.since), limit_(options.limit) {}

  void run() {
    // The first look must succeed; a wrong socket is not worth waiting for.
    take(session_.get(events_target(since_, limit_)));
    while (session_.out()) {
      std::this_thread::sleep_for(kFollowInterval);
      poll();
    }
  }

 private:
  void poll() {
    try {
      take(session_.get(events_target(since_, 0)));
      away_ = false;
    } catch (const Failure& failure) {
      if (failure.exit_code() != kExitUnreachable) throw;
      if (!std::exchange(away_, true)) session_.err() << "warmswapctl: " << failure.what() << "; waiting for it\n";
    }
  }

  void take(const std::string& body) {
    const json::object page = parse_answer(body);
    const uint64_t first = number_of(page, field::kFirst);
    const uint64_t last = number_of(page, field::kLast);
    if (since_ && last < *since_) {
      session_.err() << "warmswapctl: the control plane was restarted, its event log begins anew\n";
      since_ = 0;
      return;
    }
    if (since_ && first > *since_ + 1) {
      session_.err() << fmt::format("warmswapctl: {} events were lost, the log is too short\n", first - *since_ - 1);
    }
    if (!since_) since_ = last;
    for (const json::value& value : list_of(page, field::kEvents)) {
      const json::object& event = as_object(value);
      if (session_.json()) {
        session_.out() << json::serialize(event) << '\n';
      } else {
        print_event(session_, event);
      }
      since_ = number_of(event, field::kSeq);
    }
    session_.out().flush();
  }

  const Session& session_;
  std::optional<uint64_t> since_;
  uint64_t limit_;
  bool away_ = false;
};

}  // namespace

void show_events(const Session& session, const EventsOptions& options) {
  if (options.follow) {
    Follower(session, options).run();
    return;
  }
  const std::string body = session.get(events_target(options.since, options.limit));
  if (session.json()) {
    session.out() << body << '\n';
    return;
  }
  const json::object page = parse_answer(body);
  const json::array& events = list_of(page, field::kEvents);
  for (const json::value& event : events) print_event(session, as_object(event));
  if (events.empty()) session.out() << "no events\n";
}

}  // namespace warmswap::cli
