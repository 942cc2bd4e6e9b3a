#include "perf/search/trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace warmswap::perf {
namespace {

double per_second(uint64_t count, Nanoseconds duration) {
  return duration.count() <= 0 ? 0 : static_cast<double>(count) / std::chrono::duration<double>(duration).count();
}

}  // namespace

double Trial::loss_ratio() const noexcept {
  if (sent == 0) return 1;
  return static_cast<double>(sent - std::min(received, sent)) / static_cast<double>(sent);
}

double Trial::offered_pps() const noexcept {
  return per_second(sent, duration);
}

double Trial::received_pps() const noexcept {
  return per_second(received, duration);
}

std::string describe(Outcome outcome) {
  switch (outcome) {
    case Outcome::found:
      return "found";
    case Outcome::no_loss_at_max:
      return "it held at the highest rate that was allowed";
    case Outcome::loss_at_min:
      return "it did not hold even at the lowest rate";
    case Outcome::generator_limit:
      return "the generator reached its limit first";
    case Outcome::unfinished:
      return "the trials or the time allowed were used up";
  }
  return "unknown";
}

std::string format_rate(double pps) {
  if (std::isnan(pps)) return "none";
  if (pps >= 1e6) return fmt::format("{:.3f} Mpps", pps / 1e6);
  if (pps >= 1e3) return fmt::format("{:.2f} kpps", pps / 1e3);
  return fmt::format("{:.1f} pps", pps);
}

}  // namespace warmswap::perf
