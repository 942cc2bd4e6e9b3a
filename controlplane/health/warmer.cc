#include "controlplane/health/warmer.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <numeric>
#include <unordered_map>

#include "controlplane/health/attempt.h"
#include "controlplane/health/cadence.h"
#include "controlplane/health/tls_contexts.h"
#include "controlplane/health/warm_up.h"

namespace warmswap::health {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::nanoseconds kLongestRequest = std::chrono::seconds(10);
constexpr std::chrono::nanoseconds kShortestTimeout = std::chrono::milliseconds(100);  // of simulated load
constexpr auto kPulse = std::chrono::milliseconds(5);

/// Everything that is an answer and no error.
std::vector<uint16_t> good_statuses() {
  std::vector<uint16_t> statuses(200);
  std::iota(statuses.begin(), statuses.end(), static_cast<uint16_t>(200));
  return statuses;
}

/// A standby's requests, one after the other.
class Asker {
 public:
  using Answered = std::function<void(bool good, std::chrono::nanoseconds took)>;

  Asker(asio::io_context& io, const WarmTarget& target, TlsContexts& tls, std::chrono::nanoseconds timeout) : io_(io) {
    asked_.id = target.id;
    asked_.address = target.address;
    asked_.port = target.port;
    asked_.probe.kind = target.warm.kind;
    asked_.probe.host = target.host;
    asked_.probe.timeout = std::min(kLongestRequest, timeout);
    asked_.probe.expect_status = good_statuses();
    asked_.probe.expect = target.warm.expect;
    for (const std::string& request : target.warm.requests()) {
      asked_.probe.path = asked_.probe.payload = request;  // the kind takes one of them
      requests_.push_back(request_for(asked_));
    }
    tls_ = tls.context_for(asked_.probe);
  }

  /// The asker must outlive the request, or be stopped.
  void ask(Answered answered) {
    const size_t number = next_++;
    auto& attempt = under_way_[number];
    attempt = make_attempt(io_, asked_, Means{requests_[number % requests_.size()], tls_.get()},
                           [this, number, answered = std::move(answered)](const ProbeResult& result) {
                             const auto kept = under_way_.extract(number);
                             answered(result.outcome == Outcome::good, result.finished - result.started);
                           });
    attempt->start();
  }

  size_t under_way() const noexcept { return under_way_.size(); }

  void stop() {
    for (const auto& [number, attempt] : under_way_) attempt->cancel();
    under_way_.clear();
  }

 private:
  asio::io_context& io_;
  Target asked_;
  std::vector<std::string> requests_;
  std::shared_ptr<asio::ssl::context> tls_;
  size_t next_ = 0;
  std::unordered_map<size_t, std::shared_ptr<Attempt>> under_way_;
};

/// What the standbys of a pool that are warmed up are asked together, in requests a second.
class Budget {
 public:
  /// Takes as much of `wanted` as there is beside the others' shares.
  double take(uint64_t id, double wanted, double budget) {
    shares_.erase(id);
    double others = 0;
    for (const auto& [other, share] : shares_) others += share;
    const double granted = std::clamp(budget - others, 0.0, wanted);
    if (granted > 0) shares_[id] = granted;
    return granted;
  }
  void give_back(uint64_t id) { shares_.erase(id); }

 private:
  std::unordered_map<uint64_t, double> shares_;
};

/// One standby. Stopped before it is let go; pending handlers then find it stopped.
class Round : public std::enable_shared_from_this<Round> {
 public:
  Round(asio::io_context& io, const WarmTarget& target, TlsContexts& tls, const Warmer::Report& report,
        std::shared_ptr<Budget> budget, Clock::time_point now)
      : warm_(target),
        report_(report),
        budget_(std::move(budget)),
        cadence_(target.id, target.warm.interval, target.warm.jitter_percent, now, now),
        periodic_(io, target, tls, 10 * target.warm.interval),
        periodic_timer_(io),
        simulated_(io, target, tls,
                   std::max<std::chrono::nanoseconds>(kShortestTimeout, 4 * target.warm.response_time)),
        simulated_timer_(io),
        step_end_(now + WarmUp::kStep) {
    if (target.warm.rate > 0) warm_up_.emplace(target.warm, target.warmed, now);
  }

  const WarmTarget& target() const noexcept { return warm_; }

  WarmFigures figures() const {
    WarmFigures figures = figures_;
    if (warm_up_) {
      figures.warmth = warm_up_->warmth();
      figures.why = warm_up_->why();
    }
    return figures;
  }

  void begin() {
    wait_for_the_next();
    if (!warm_up_) return;
    granted_ = budget_->take(warm_.id, warm_up_->wanted(), warm_.warm.budget);
    simulate();
  }

  void stop() {
    stopped_ = true;
    periodic_timer_.cancel();
    simulated_timer_.cancel();
    periodic_.stop();
    simulated_.stop();
    budget_->give_back(warm_.id);
  }

 private:
  void wait_for_the_next() {
    periodic_timer_.expires_at(cadence_.next(Clock::now()));
    periodic_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (error || self->stopped_) return;
      self->periodic_.ask([self](bool good, std::chrono::nanoseconds) {
        if (self->stopped_) return;
        self->count(good);
        self->wait_for_the_next();
      });
    });
  }

  void count(bool good) {
    ++figures_.requests;
    if (!good) ++figures_.failures;
  }

  /// Sends what is due every few milliseconds, where anything is, and judges at the end of each step.
  void simulate() {
    simulated_timer_.expires_at(granted_ > 0 ? Clock::now() + kPulse : step_end_);
    simulated_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (error || self->stopped_) return;
      self->send_what_is_due();
      if (Clock::now() >= self->step_end_) self->end_step();
      if (!self->stopped_) self->simulate();
    });
  }

  void send_what_is_due() {
    const Clock::time_point now = Clock::now();
    // A loop that was held up does not make up for it at once.
    const auto since = std::min<Clock::duration>(now - last_sent_, 2 * kPulse);
    last_sent_ = now;
    due_ += granted_ * std::chrono::duration<double>(since).count();
    for (; due_ >= 1; due_ -= 1) {
      if (simulated_.under_way() >= kMostInFlight) {
        warm_up_->held_up();
        continue;
      }
      simulated_.ask([self = shared_from_this()](bool good, std::chrono::nanoseconds took) {
        if (self->stopped_) return;
        self->count(good);
        self->warm_up_->answered(good, took);
      });
    }
  }

  void end_step() {
    const Clock::time_point now = Clock::now();
    step_end_ = now + WarmUp::kStep;
    const WarmUp::Change change = warm_up_->end_of_step(granted_, now);
    granted_ = budget_->take(warm_.id, warm_up_->wanted(), warm_.warm.budget);
    // The report may end this round.
    const auto self = shared_from_this();
    if (change != WarmUp::Change::none) report_(warm_.id, warm_up_->warmed(), warm_up_->why());
  }

  const WarmTarget warm_;
  const Warmer::Report& report_;
  const std::shared_ptr<Budget> budget_;
  Cadence cadence_;
  Asker periodic_;
  asio::steady_timer periodic_timer_;
  WarmFigures figures_;
  std::optional<WarmUp> warm_up_;
  Asker simulated_;
  asio::steady_timer simulated_timer_;
  Clock::time_point step_end_;
  Clock::time_point last_sent_ = Clock::now();
  double granted_ = 0;
  double due_ = 0;
  bool stopped_ = false;
};

/// What is known at the beginning makes no other target.
bool same(const WarmTarget& a, WarmTarget b) {
  b.warmed = a.warmed;
  return a == b;
}

}  // namespace

class Warmer::Impl {
 public:
  Impl(asio::io_context& io, Report report) : io_(io), report_(std::move(report)) {}
  ~Impl() {
    for (const auto& [id, round] : rounds_) round->stop();
  }

  void set_targets(const std::vector<WarmTarget>& targets) {
    std::unordered_map<uint64_t, std::shared_ptr<Round>> kept;
    std::vector<std::shared_ptr<Round>> fresh;
    for (const WarmTarget& target : targets) {
      if (target.warm.requests().empty() || target.port == 0 || kept.contains(target.id)) continue;
      const auto known = rounds_.find(target.id);
      if (known != rounds_.end() && same(known->second->target(), target)) {
        kept.insert(rounds_.extract(known));
        continue;
      }
      auto& budget = budgets_[target.pool];
      if (!budget) budget = std::make_shared<Budget>();
      fresh.push_back(std::make_shared<Round>(io_, target, tls_, report_, budget, Clock::now()));
      kept.emplace(target.id, fresh.back());
    }
    // First those that end, which give their part of the budget back.
    for (const auto& [id, round] : rounds_) round->stop();
    rounds_ = std::move(kept);
    for (const auto& round : fresh) round->begin();
    std::erase_if(budgets_, [](const auto& entry) { return entry.second.use_count() == 1; });
  }

  std::optional<WarmFigures> figures(uint64_t id) const {
    const auto round = rounds_.find(id);
    return round == rounds_.end() ? std::nullopt : std::optional(round->second->figures());
  }

 private:
  asio::io_context& io_;
  const Report report_;
  TlsContexts tls_;
  std::map<std::string, std::shared_ptr<Budget>> budgets_;  // by pool
  std::unordered_map<uint64_t, std::shared_ptr<Round>> rounds_;
};

Warmer::Warmer(asio::io_context& io, Report report) : impl_(std::make_unique<Impl>(io, std::move(report))) {}
Warmer::~Warmer() = default;
void Warmer::set_targets(const std::vector<WarmTarget>& targets) {
  impl_->set_targets(targets);
}
std::optional<WarmFigures> Warmer::figures(uint64_t id) const {
  return impl_->figures(id);
}

}  // namespace warmswap::health
