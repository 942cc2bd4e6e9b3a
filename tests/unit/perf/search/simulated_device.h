// Devices that exist only as a formula, for the searches' tests. The same seed gives the same trials.
#pragma once

#include <cmath>
#include <random>

#include "perf/search/trial.h"

namespace warmswap::perf {

struct SimulatedDevice {
  double capacity_pps = 5e6;
  double generator_pps = 1e12;
  /// Standard deviation of the capacity from trial to trial, as a part of it.
  double noise = 0;
  /// How often a trial, at whatever rate, loses `sporadic_loss` of its frames more.
  double sporadic_chance = 0;
  double sporadic_loss = 1e-4;
  /// How often the generator is put to sleep and does not reach a rate that it could.
  double hiccup_chance = 0;
  uint64_t seed = 1;

  Measure measure() {
    return
        [this, random = std::mt19937_64(seed)](double rate, Nanoseconds duration) mutable -> contract::Result<Trial> {
          const double seconds = std::chrono::duration<double>(duration).count();
          std::normal_distribution<double> normal(0, 1);
          std::uniform_real_distribution<double> uniform(0, 1);
          const double capacity = capacity_pps * (1 + noise * normal(random));
          double received = std::min(rate, capacity);
          if (uniform(random) < sporadic_chance) received *= 1 - sporadic_loss;
          Trial trial;
          trial.rate_reached = rate <= generator_pps && uniform(random) >= hiccup_chance;
          const double sent = trial.rate_reached ? rate : std::min(generator_pps, rate * 0.9);
          trial.sent = static_cast<uint64_t>(std::llround(sent * seconds));
          trial.received = static_cast<uint64_t>(std::llround(std::min(received, sent) * seconds));
          trial.duration = duration;
          ++trials;
          spent += duration;
          return trial;
        };
  }

  unsigned trials = 0;
  Nanoseconds spent{};
};

}  // namespace warmswap::perf
