// Who does so much worse than the rest of its pool that something must be wrong with it, although its probes pass often
// enough. Pure: results come from the caller. One thread.
//
//     x_i   = response time of good probes, smoothed: x <- x + (t - x) / 8
//     e_i   = part of bad probes, smoothed the same way
//     m     = median of x over the pool's working backends,  MAD = median |x_i - m|
//     slow      when x_i - m > deviations * 1.4826 * MAD  and  x_i > ratio * m  and  x_i - m > floor
//     failing   when e_i - median e > errors  and  e_i - median e > deviations * 1.4826 * MAD of e
//
// and that in `probes` results of its own in a row (1.4826 MAD: spread.h). The ratio and the floor keep pools in which
// all are alike, where the MAD is next to nothing, from hunting noise. What hurts all alike, a full uplink or a flood,
// moves the median and ejects nobody.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "controlplane/config/config.h"

namespace warmswap::health {

struct Outlying {
  uint64_t id = 0;
  std::string sentence;  // "response time 48.1 ms, the pool's median is 2.1 ms"
};

class Anomaly {
 public:
  using Duration = std::chrono::nanoseconds;

  void result(uint64_t id, bool good, Duration response_time);
  /// After an ejection it is judged by what comes from then on.
  void forget(uint64_t id);

  /// Looks at the pool's working backends; call it about once per probe interval. Cost: linear.
  std::vector<Outlying> evaluate(const config::AnomalyConfig& config, std::span<const uint64_t> working);

  /// Average response time (ART) of good probes, smoothed; nullopt before the first.
  std::optional<Duration> response_time(uint64_t id) const;

 private:
  struct Node {
    std::optional<double> latency_ns;
    double errors = 0;
    bool fresh = false;  // a result has come since the last evaluation
    uint32_t in_a_row = 0;
  };
  std::map<uint64_t, Node> nodes_;
};

}  // namespace warmswap::health
