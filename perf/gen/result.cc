#include "perf/gen/result.h"

#include <fmt/format.h>

#include <cmath>

namespace warmswap::gen {

uint64_t RunResult::received() const noexcept {
  uint64_t sum = 0;
  for (const StreamResult& stream : streams) sum += stream.tally.received;
  return sum;
}

uint64_t RunResult::lost() const noexcept {
  uint64_t sum = 0;
  for (const StreamResult& stream : streams) sum += stream.lost();
  return sum;
}

double RunResult::loss_ratio() const noexcept {
  return transmitted > 0 ? static_cast<double>(lost()) / static_cast<double>(transmitted) : 0;
}

StreamTally RunResult::total() const {
  StreamTally total;
  for (const StreamResult& stream : streams) {
    total.received += stream.tally.received;
    total.bytes += stream.tally.bytes;
    total.duplicated += stream.tally.duplicated;
    total.too_old += stream.tally.too_old;
    total.reordered += stream.tally.reordered;
    total.backend_changes += stream.tally.backend_changes;
    total.misrouted_flows += stream.tally.misrouted_flows;
    total.latency.merge(stream.tally.latency);
  }
  return total;
}

Verdict judge(const RunResult& result, const Limits& limits) {
  Verdict verdict;
  const StreamTally total = result.total();
  const auto fail = [&verdict](std::string sentence) {
    verdict.ok = false;
    verdict.reasons.push_back(std::move(sentence));
  };
  if (result.transmitted == 0) fail("nothing was transmitted");
  if (total.misrouted_flows > limits.misrouted_flows) {
    fail(fmt::format("{} flows were misrouted, at most {} allowed", total.misrouted_flows, limits.misrouted_flows));
  }
  if (total.duplicated > 0) fail(fmt::format("{} packets were duplicated", total.duplicated));
  if (result.corrupt > 0) fail(fmt::format("{} packets were corrupt", result.corrupt));
  if (result.loss_ratio() > limits.loss) {
    fail(fmt::format("{} of {} packets were lost ({:.3g} %), at most {:.3g} % allowed", result.lost(),
                     result.transmitted, result.loss_ratio() * 100, limits.loss * 100));
  }
  if (!std::isinf(result.offered_rate) &&
      static_cast<double>(result.transmitted) < kReachedRate * static_cast<double>(result.offered)) {
    verdict.generator_limited = true;
    verdict.warnings.push_back(
        fmt::format("generator-limited: {} of {} offered packets left ({} skipped, device blocked {} times): this is "
                    "not a figure of the balancer",
                    result.transmitted, result.offered, result.skipped, result.blocked));
  }
  const auto disturbed = [&verdict](double share, const char* who) {
    if (share <= kNoisyShare) return;
    verdict.noisy = true;
    verdict.warnings.push_back(fmt::format("noisy: {} had {:.1f} % of the time of these cores", who, share * 100));
  };
  disturbed(result.cpu_use.steal, "the hypervisor");
  disturbed(result.waited_share(), "other processes");
  if (result.interrupted) verdict.warnings.push_back("interrupted before its time");
  return verdict;
}

}  // namespace warmswap::gen
