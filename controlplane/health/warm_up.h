// How a standby is warmed up by simulated load, and how warm it is. Pure: time and results come from the caller. One
// thread.
//
// The rate of requests rises by steps of a second from a tenth of `rate` by a tenth of it. A step is good when 95 % of
// its answers are good and came within `response_time`; after a bad one the rate is halved. The standby is warm when it
// has held the whole rate for `hold`. Warmth is what it has held of it: with a rate of 100 one that holds 50 or 80 is
// not yet warm. `verify` later it is tried again, from half the rate; two bad steps in a row then, and it is not warm
// any more.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "controlplane/config/config.h"

namespace warmswap::health {

class WarmUp {
 public:
  using Clock = std::chrono::steady_clock;
  using Duration = std::chrono::nanoseconds;
  enum class Change { none, warmed, lost };

  static constexpr Duration kStep = std::chrono::seconds(1);

  /// `warmed`: it is warm already, by what is known, and to be verified first.
  WarmUp(const config::WarmConfig& config, bool warmed, Clock::time_point now);

  /// Requests a second it should be asked in this step; 0 = it rests until it is verified.
  double wanted() const noexcept { return wanted_; }
  /// An answer, or that there was none.
  void answered(bool good, Duration took) noexcept;
  /// A request that could not be made because too many wait for their answers.
  void held_up() noexcept { ++late_; }
  /// The end of a step in which it was asked at `granted`; less than wanted says nothing about more.
  Change end_of_step(double granted, Clock::time_point now);

  bool warmed() const noexcept { return warmed_; }
  /// Part of the rate that it has held, 0 to 1.
  double warmth() const noexcept;
  /// "holds 80 of 100 requests/s within 50 ms", for people.
  std::string why() const;

 private:
  double part_of_rate(double part) const noexcept;
  Change good_step(double granted, Clock::time_point now);
  Change bad_step(double granted);

  config::WarmConfig config_;
  double wanted_ = 0;
  double sustained_ = 0;
  Duration held_{0};
  bool warmed_;
  uint32_t bad_in_a_row_ = 0;
  uint64_t in_time_ = 0;
  uint64_t late_ = 0;  // or not good
  std::string trouble_;
  Clock::time_point verify_at_;
};

}  // namespace warmswap::health
