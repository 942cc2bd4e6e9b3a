// Who answers the clients so much worse than the rest of its pool that something must be wrong with it, whatever its
// probes say: from the handshakes that the workers sample (dataplane/balance/handshakes.h). Pure: counters come from
// the caller, once a second. One thread.
//
//     b_i       = part of the handshakes of late that did not complete at the first SYN
//     t_i       = mean time of those that did; what was counted a second ago weighs 4/5
//     failing   when b_i - median b > errors  and  b_i - median b > deviations * 1.4826 * MAD of b
//     slow      when t_i - m > deviations * 1.4826 * MAD  and  t_i > ratio * m  and  t_i - m > floor,   m = median t
//
// the limits of the pool's [pool.anomaly] (anomaly.h), over backends with at least kLeastHandshakes. Clients are dealt
// to backends by a hash, so their distance, a flood of SYNs and a fault upstream are alike for all: they move the
// median and make nobody a suspect.
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

/// With fewer of late nothing is said of a backend.
inline constexpr double kLeastHandshakes = 20;

/// contract::HandshakeCounter, summed over workers.
struct HandshakeCounts {
  uint64_t completed = 0;
  uint64_t retransmitted = 0;
  uint64_t lapsed = 0;
  uint64_t completed_ns = 0;

  uint64_t all() const noexcept { return completed + retransmitted + lapsed; }
  HandshakeCounts& operator+=(const HandshakeCounts& more) noexcept {
    completed += more.completed;
    retransmitted += more.retransmitted;
    lapsed += more.lapsed;
    completed_ns += more.completed_ns;
    return *this;
  }
  /// Of counters that only grow.
  friend HandshakeCounts operator-(const HandshakeCounts& now, const HandshakeCounts& before) noexcept {
    return {now.completed - before.completed, now.retransmitted - before.retransmitted, now.lapsed - before.lapsed,
            now.completed_ns - before.completed_ns};
  }
  friend bool operator==(const HandshakeCounts&, const HandshakeCounts&) = default;
};

struct HandshakeFigures {
  HandshakeCounts counted;                       // since the first look
  std::optional<std::chrono::nanoseconds> time;  // mean of late; absent without a complete one
  std::optional<double> incomplete;              // part of late, 0..1; absent with none
};

struct Suspect {
  uint64_t id = 0;
  std::string sentence;   // "38 % of its handshakes fail, the pool's median is 1 %"
  uint32_t in_a_row = 1;  // looks at which it was one, this one included
};

class Handshakes {
 public:
  /// What the counters of a backend show now. The first call for an id, and the first after start_anew(), is where
  /// counting begins.
  void count(uint64_t id, const HandshakeCounts& shown);
  /// Other counters from now on: those of another segment.
  void start_anew();
  /// After an ejection it is judged by what comes from then on; its counts stay.
  void forget(uint64_t id);

  /// Looks at the pool's working backends; call it after count() of each. Cost: linear.
  std::vector<Suspect> evaluate(const config::AnomalyConfig& config, std::span<const uint64_t> working);

  /// nullopt before any handshake was counted.
  std::optional<HandshakeFigures> figures(uint64_t id) const;

 private:
  /// Of late: decayed sums.
  struct Recent {
    double completed = 0;
    double incomplete = 0;
    double completed_ns = 0;
    double all() const noexcept { return completed + incomplete; }
    double part_incomplete() const noexcept { return incomplete / all(); }
    double mean_ns() const noexcept { return completed_ns / completed; }
  };
  struct Node {
    std::optional<HandshakeCounts> shown;  // at the last look
    HandshakeCounts counted;
    Recent recent;
    bool fresh = false;  // some were counted at the last look
    uint32_t in_a_row = 0;
  };

  std::map<uint64_t, Node> nodes_;
};

}  // namespace warmswap::health
