#include "controlplane/health/warmer.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <numeric>
#include <unordered_map>

#include "controlplane/health/attempt.h"
#include "controlplane/health/cadence.h"
#include "controlplane/health/http_exchange.h"

namespace warmswap::health {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::nanoseconds kLongestRequest = std::chrono::seconds(10);

/// Everything that is an answer and no error.
std::vector<uint16_t> good_statuses() {
  std::vector<uint16_t> statuses(200);
  std::iota(statuses.begin(), statuses.end(), static_cast<uint16_t>(200));
  return statuses;
}

/// One standby and its list. Stopped before it is let go; pending handlers then find it stopped.
class Round : public std::enable_shared_from_this<Round> {
 public:
  Round(asio::io_context& io, const WarmTarget& target, Clock::time_point now)
      : io_(io),
        warm_(target),
        cadence_(target.id, target.warm.interval, target.warm.jitter_percent, now, now),
        timer_(io) {
    asked_.id = target.id;
    asked_.address = target.address;
    asked_.port = target.port;
    asked_.probe.kind = config::ProbeKind::http;
    asked_.probe.host = target.host;
    asked_.probe.timeout = std::min<std::chrono::nanoseconds>(kLongestRequest, 10 * target.warm.interval);
    asked_.probe.expect_status = good_statuses();
  }

  const WarmTarget& target() const noexcept { return warm_; }
  const WarmFigures& figures() const noexcept { return figures_; }

  void wait() {
    timer_.expires_at(cadence_.next(Clock::now()));
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && !self->stopped_) self->ask();
    });
  }

  void stop() {
    stopped_ = true;
    timer_.cancel();
    if (attempt_) attempt_->cancel();
  }

 private:
  void ask() {
    asked_.probe.path = warm_.warm.paths[next_++ % warm_.warm.paths.size()];
    request_ = http_request(asked_);
    attempt_ = make_attempt(io_, asked_, Means{request_}, [self = shared_from_this()](const ProbeResult& result) {
      self->attempt_.reset();
      if (self->stopped_) return;
      ++self->figures_.requests;
      if (result.outcome != Outcome::good) ++self->figures_.failures;
      self->wait();
    });
    attempt_->start();
  }

  asio::io_context& io_;
  const WarmTarget warm_;
  Target asked_;
  std::string request_;
  size_t next_ = 0;
  Cadence cadence_;
  asio::steady_timer timer_;
  std::shared_ptr<Attempt> attempt_;
  WarmFigures figures_;
  bool stopped_ = false;
};

}  // namespace

class Warmer::Impl {
 public:
  explicit Impl(asio::io_context& io) : io_(io) {}
  ~Impl() {
    for (const auto& [id, round] : rounds_) round->stop();
  }

  void set_targets(const std::vector<WarmTarget>& targets) {
    std::unordered_map<uint64_t, std::shared_ptr<Round>> kept;
    for (const WarmTarget& target : targets) {
      if (target.warm.paths.empty() || target.port == 0 || kept.contains(target.id)) continue;
      const auto known = rounds_.find(target.id);
      if (known != rounds_.end() && known->second->target() == target) {
        kept.insert(rounds_.extract(known));
        continue;
      }
      const auto round = std::make_shared<Round>(io_, target, Clock::now());
      round->wait();
      kept.emplace(target.id, round);
    }
    for (const auto& [id, round] : rounds_) round->stop();
    rounds_ = std::move(kept);
  }

  std::optional<WarmFigures> figures(uint64_t id) const {
    const auto round = rounds_.find(id);
    return round == rounds_.end() ? std::nullopt : std::optional(round->second->figures());
  }

 private:
  asio::io_context& io_;
  std::unordered_map<uint64_t, std::shared_ptr<Round>> rounds_;
};

Warmer::Warmer(asio::io_context& io) : impl_(std::make_unique<Impl>(io)) {}
Warmer::~Warmer() = default;
void Warmer::set_targets(const std::vector<WarmTarget>& targets) {
  impl_->set_targets(targets);
}
std::optional<WarmFigures> Warmer::figures(uint64_t id) const {
  return impl_->figures(id);
}

}  // namespace warmswap::health
