#include "perf/gen/departures.h"

#include <algorithm>
#include <cmath>

#include "perf/gen/wide.h"

namespace warmswap::gen {

DepartureClock::DepartureClock(uint64_t start, double rate, double hz) noexcept : next_(start) {
  const double interval = hz / rate;
  const double whole = std::floor(interval);
  interval_ = static_cast<uint64_t>(whole);
  interval_fraction_ = static_cast<uint32_t>(std::min((interval - whole) * 0x1p32, 4294967295.0));
}

uint64_t DepartureClock::skip_to(uint64_t time) noexcept {
  if (next_ >= time) return 0;
  const Uint128 interval = static_cast<Uint128>(interval_) << 32 | interval_fraction_;
  if (interval == 0) return 0;
  const Uint128 behind = (static_cast<Uint128>(time - next_) << 32) - fraction_;
  const Uint128 count = (behind + interval - 1) / interval;
  const Uint128 moved = (static_cast<Uint128>(next_) << 32 | fraction_) + count * interval;
  next_ = static_cast<uint64_t>(moved >> 32);
  fraction_ = static_cast<uint32_t>(moved);
  return static_cast<uint64_t>(count);
}

Departures::Departures(uint64_t start, const std::vector<double>& rates, double hz) {
  for (size_t i = 0; i < rates.size(); ++i) {
    const double phase = hz / rates[i] * static_cast<double>(i) / static_cast<double>(rates.size());
    clocks_.emplace_back(start + static_cast<uint64_t>(phase), rates[i], hz);
  }
  find_first();
}

uint64_t Departures::skip_to(uint64_t time) noexcept {
  uint64_t skipped = 0;
  for (DepartureClock& clock : clocks_) skipped += clock.skip_to(time);
  find_first();
  return skipped;
}

}  // namespace warmswap::gen
