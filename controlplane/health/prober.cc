#include "controlplane/health/prober.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unordered_map>

#include "controlplane/health/attempt.h"
#include "controlplane/health/cadence.h"
#include "controlplane/health/raw_sockets.h"
#include "controlplane/health/tls_contexts.h"

namespace warmswap::health {
namespace {

namespace asio = boost::asio;

/// New targets start this far apart: a loop that opens one connection after the other takes about as long for each, so
/// a shorter gap would only queue them.
constexpr auto kFirstProbeGap = std::chrono::microseconds(100);

constexpr auto kLongestWait = std::chrono::milliseconds(1);

/// A target, its schedule and its probe in flight. Stopped before it is let go; pending handlers then find it stopped.
class Check : public std::enable_shared_from_this<Check> {
 public:
  Check(asio::io_context& io, const Target& target, std::shared_ptr<asio::ssl::context> tls, RawSockets& raw,
        const Prober::Report& report, Clock::time_point anchor, Clock::time_point first)
      : io_(io),
        target_(target),
        request_(request_for(target)),
        tls_(std::move(tls)),
        raw_(raw),
        report_(report),
        cadence_(target.id, target.probe.interval, target.probe.jitter_percent, anchor, first),
        timer_(io) {}

  const Target& target() const noexcept { return target_; }

  void start_at(Clock::time_point when) {
    armed_ = true;
    timer_.expires_at(together_with_others(when));
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code&) {
      if (self->stopped_) return;
      self->armed_ = false;
      self->probe_now();
    });
  }

  void probe_now() {
    if (probe_) return;
    // The probe calls back only until it is cancelled, and stop() cancels it: `this` is there.
    probe_ = make_attempt(io_, target_, Means{request_, tls_.get(), &raw_},
                          [this](const ProbeResult& result) { on_done(result); });
    probe_->start();
  }

  void stop() {
    stopped_ = true;
    timer_.cancel();
    if (probe_) probe_->cancel();
  }

 private:
  /// Waking up costs as much as a probe: those of about the same time start at once, at most a hundredth of the
  /// interval late.
  Clock::time_point together_with_others(Clock::time_point when) const {
    const auto grid = std::min<Clock::duration>(target_.probe.interval / 100, kLongestWait);
    const Clock::duration beyond = when.time_since_epoch() % grid;
    return beyond.count() == 0 ? when : when + (grid - beyond);
  }

  void on_done(const ProbeResult& result) {
    const auto self = shared_from_this();  // the report may remove this target
    probe_.reset();
    if (!armed_) start_at(cadence_.next(Clock::now()));
    report_(result);
  }

  asio::io_context& io_;
  const Target target_;
  const std::string request_;
  const std::shared_ptr<asio::ssl::context> tls_;  // null where there is none
  RawSockets& raw_;
  const Prober::Report& report_;
  Cadence cadence_;
  asio::steady_timer timer_;
  std::shared_ptr<Attempt> probe_;
  bool armed_ = false;  // the timer will start the next probe
  bool stopped_ = false;
};

}  // namespace

class Prober::Impl {
 public:
  Impl(asio::io_context& io, Report report) : io_(io), report_(std::move(report)), anchor_(Clock::now()), raw_(io) {
    // Asio opens its own files (epoll, timerfd) with the first timer and socket of a loop, and throws when it cannot:
    // let that happen here, at start-up, and not while targets change.
    asio::steady_timer timer(io);
    asio::ip::tcp::socket socket(io);
  }
  ~Impl() {
    for (const auto& [id, check] : checks_) check->stop();
  }

  void set_targets(const std::vector<Target>& targets) {
    std::unordered_map<uint64_t, std::shared_ptr<Check>> kept;
    Clock::time_point first = Clock::now();
    for (const Target& target : targets) {
      if (target.probe.kind == config::ProbeKind::none) continue;
      if (config::needs_port(target.probe.kind) && target.port == 0) continue;
      if (kept.contains(target.id)) continue;
      auto known = checks_.find(target.id);
      if (known != checks_.end() && known->second->target() == target) {
        kept.insert(checks_.extract(known));
        continue;
      }
      const auto check =
          std::make_shared<Check>(io_, target, tls_.context_for(target.probe), raw_, report_, anchor_, first);
      check->start_at(first);
      first += kFirstProbeGap;
      kept.emplace(target.id, check);
    }
    for (const auto& [id, check] : checks_) check->stop();
    checks_ = std::move(kept);
  }

  void probe_now(uint64_t id) {
    if (const auto check = checks_.find(id); check != checks_.end()) check->second->probe_now();
  }

 private:
  asio::io_context& io_;
  const Report report_;
  const Clock::time_point anchor_;
  RawSockets raw_;
  TlsContexts tls_;
  std::unordered_map<uint64_t, std::shared_ptr<Check>> checks_;
};

Prober::Prober(asio::io_context& io, Report report) : impl_(std::make_unique<Impl>(io, std::move(report))) {}
Prober::~Prober() = default;
void Prober::set_targets(const std::vector<Target>& targets) {
  impl_->set_targets(targets);
}
void Prober::probe_now(uint64_t id) {
  impl_->probe_now(id);
}

}  // namespace warmswap::health
