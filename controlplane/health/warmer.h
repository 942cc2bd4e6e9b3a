// Keeps standbys warm: asks each one thing after the other, at an interval, so that its caches, connections and code
// are not cold when it takes a seat; and, where the pool has a rate, warms it up by simulated load and finds out how
// warm it is (warm_up.h).
//
// Thread: everything happens on the one thread that runs the io_context; no call blocks. Of the periodic requests a
// standby has at most one under way, and of the simulated load at most kMostInFlight, so a slow one is never
// overloaded. All standbys of a pool that are warmed up share its budget, first come, first served.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/config/config.h"

namespace boost::asio {
class io_context;
}

namespace warmswap::health {

inline constexpr uint32_t kMostInFlight = 32;

struct WarmTarget {
  uint64_t id = 0;
  std::string pool;  // whose budget it shares
  contract::Be32 address;
  uint16_t port = 0;
  config::WarmConfig warm;
  std::string host;     // Host header, and the TLS name; empty = the address
  bool warmed = false;  // what is known when it begins; later on the warmer knows better
  friend bool operator==(const WarmTarget&, const WarmTarget&) = default;
};

struct WarmFigures {
  uint64_t requests = 0;
  uint64_t failures = 0;         // no answer in time, a status of 400 and above, or not what is expected
  std::optional<double> warmth;  // part of the rate that it holds, 0 to 1; absent = no rate is asked for
  std::string why;
};

class Warmer {
 public:
  /// A standby became warm, or lost that.
  using Report = std::function<void(uint64_t id, bool warmed, const std::string& why)>;

  /// `io` must outlive the warmer. `report` may call set_targets.
  Warmer(boost::asio::io_context& io, Report report);
  ~Warmer();
  Warmer(const Warmer&) = delete;
  Warmer& operator=(const Warmer&) = delete;

  /// Replaces the targets, matched by id; an unchanged one keeps its place in its list. Those without requests are
  /// left alone.
  void set_targets(const std::vector<WarmTarget>& targets);

  std::optional<WarmFigures> figures(uint64_t id) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace warmswap::health
