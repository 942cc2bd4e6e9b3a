#include "controlplane/health/warm_up.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "controlplane/config/text.h"

namespace warmswap::health {
namespace {

constexpr double kGoodPart = 0.95;
constexpr double kTenth = 0.1;
constexpr double kHalf = 0.5;
constexpr uint32_t kBadStepsToLose = 2;

}  // namespace

WarmUp::WarmUp(const config::WarmConfig& config, bool warmed, Clock::time_point now)
    : config_(config),
      wanted_(part_of_rate(warmed ? kHalf : kTenth)),
      sustained_(warmed ? config.rate : 0),
      warmed_(warmed),
      verify_at_(now) {}

double WarmUp::part_of_rate(double part) const noexcept {
  return std::max(1.0, config_.rate * part);
}

void WarmUp::answered(bool good, Duration took) noexcept {
  ++(good && took <= config_.response_time ? in_time_ : late_);
}

WarmUp::Change WarmUp::end_of_step(double granted, Clock::time_point now) {
  if (wanted_ == 0) {
    if (now >= verify_at_) wanted_ = part_of_rate(kHalf);
    return Change::none;
  }
  const uint64_t answers = in_time_ + late_;
  if (answers == 0) return Change::none;  // a slow rate, and nothing to judge by
  const bool good = static_cast<double>(in_time_) >= kGoodPart * static_cast<double>(answers);
  const Change change = good ? good_step(granted, now) : bad_step(granted);
  in_time_ = late_ = 0;
  return change;
}

WarmUp::Change WarmUp::good_step(double granted, Clock::time_point now) {
  bad_in_a_row_ = 0;
  trouble_.clear();
  if (!warmed_) sustained_ = std::max(sustained_, std::min(granted, wanted_));
  if (granted < wanted_ * 0.99) {
    trouble_ = "; waits for its part of the budget";
    return Change::none;
  }
  if (wanted_ < config_.rate) {
    wanted_ = std::min<double>(config_.rate, wanted_ + config_.rate * kTenth);
    return Change::none;
  }
  held_ += kStep;
  if (held_ < config_.hold) return Change::none;
  held_ = {};
  wanted_ = 0;
  verify_at_ = now + config_.verify;
  return std::exchange(warmed_, true) ? Change::none : Change::warmed;
}

WarmUp::Change WarmUp::bad_step(double granted) {
  const double bad = static_cast<double>(late_) / static_cast<double>(in_time_ + late_);
  trouble_ = fmt::format("; at {:.0f} a second {:.0f} % were late or failed", granted, bad * 100);
  held_ = {};
  wanted_ = std::max(1.0, wanted_ / 2);
  if (++bad_in_a_row_ < kBadStepsToLose && warmed_) return Change::none;
  sustained_ = std::min(sustained_, wanted_);
  return std::exchange(warmed_, false) ? Change::lost : Change::none;
}

double WarmUp::warmth() const noexcept {
  return std::clamp(sustained_ / std::max<double>(config_.rate, 1), 0.0, 1.0);
}

std::string WarmUp::why() const {
  return fmt::format("{} {:.0f} of {} requests/s within {}{}", warmed_ ? "held" : "holds", sustained_, config_.rate,
                     config::format_duration(config_.response_time), trouble_);
}

}  // namespace warmswap::health
