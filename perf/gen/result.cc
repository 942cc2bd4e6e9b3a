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
  const uint64_t ready = transmitted + refused;
  return ready > 0 ? static_cast<double>(lost() + refused) / static_cast<double>(ready) : 0;
}

StreamTally RunResult::total() const {
  StreamTally total;
  for (const StreamResult& stream : streams) {
    total.received += stream.tally.received;
    total.bytes += stream.tally.bytes;
    total.frame_bytes += stream.tally.frame_bytes;
    total.duplicated += stream.tally.duplicated;
    total.too_old += stream.tally.too_old;
    total.reordered += stream.tally.reordered;
    total.backend_changes += stream.tally.backend_changes;
    total.misrouted_flows += stream.tally.misrouted_flows;
    total.latency.merge(stream.tally.latency);
  }
  return total;
}

namespace {

using Sentences = std::vector<std::string>;

/// What only the balancer can have done.
Sentences faults(const RunResult& result, const Limits& limits) {
  Sentences out;
  const StreamTally total = result.total();
  if (total.misrouted_flows > limits.misrouted_flows) {
    out.push_back(
        fmt::format("{} flows were misrouted, at most {} allowed", total.misrouted_flows, limits.misrouted_flows));
  }
  if (total.duplicated > 0) out.push_back(fmt::format("{} packets were duplicated", total.duplicated));
  if (result.corrupt > 0) out.push_back(fmt::format("{} packets were corrupt", result.corrupt));
  return out;
}

std::string loss_sentence(const RunResult& result, const Limits& limits) {
  const std::string refused =
      result.refused > 0 ? fmt::format(", {} were refused by the device", result.refused) : std::string();
  return fmt::format("{} of {} packets were lost{} ({:.3g} %), at most {:.3g} % allowed", result.lost(),
                     result.transmitted, refused, result.loss_ratio() * 100, limits.loss * 100);
}

/// Why the loss may be the receiver's, empty when it is not.
std::string receiver_sentence(const RunResult& result, const Limits& limits) {
  const auto ready = static_cast<double>(result.transmitted + result.refused);
  const uint64_t lost = result.lost() + result.refused;
  if (result.overruns > 0) {
    return fmt::format("the receiver found a whole queue waiting {} times: what was lost may be its fault",
                       result.overruns);
  }
  const uint64_t not_dropped = lost > result.device_drops ? lost - result.device_drops : 0;
  if (result.device_drops > 0 && static_cast<double>(not_dropped) <= limits.loss * ready) {
    return fmt::format(
        "the receiving device dropped {} packets, the generator was too slow for them: not known what "
        "else was lost",
        result.device_drops);
  }
  return {};
}

void judge_loss(const RunResult& result, const Limits& limits, Verdict& verdict) {
  if (result.loss_ratio() <= limits.loss) return;
  if (std::string sentence = receiver_sentence(result, limits); !sentence.empty()) {
    verdict.measured = false;
    verdict.warnings.push_back(std::move(sentence));
    return;
  }
  verdict.reasons.push_back(loss_sentence(result, limits));
}

}  // namespace

Verdict judge(const RunResult& result, const Limits& limits) {
  Verdict verdict;
  const auto unmeasured = [&verdict](std::string sentence) {
    verdict.measured = false;
    verdict.warnings.push_back(std::move(sentence));
  };
  verdict.reasons = faults(result, limits);
  judge_loss(result, limits, verdict);
  if (result.transmitted == 0 && result.refused == 0) unmeasured("nothing was transmitted");
  if (result.beyond > 0) {
    unmeasured(fmt::format("{} packets have numbers beyond those that were sent: is --count right?", result.beyond));
  }
  verdict.ok = verdict.reasons.empty();
  if (!std::isinf(result.offered_rate) &&
      static_cast<double>(result.transmitted + result.refused) < kReachedRate * static_cast<double>(result.offered)) {
    verdict.generator_limited = true;
    verdict.warnings.push_back(
        fmt::format("generator-limited: {} of {} departures were skipped because it was late: this is not a figure of "
                    "the balancer",
                    result.offered - result.transmitted - result.refused, result.offered));
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
