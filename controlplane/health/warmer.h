// Keeps standbys warm: asks each for one page after the other, at an interval, so that its caches, connections and code
// are not cold when it takes a seat. What it answers decides nothing; that is the probes' business.
//
// Thread: everything happens on the one thread that runs the io_context; no call blocks. A standby has at most one
// request under way, so a slow one is asked less often and never overloaded.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "controlplane/config/config.h"

namespace boost::asio {
class io_context;
}

namespace warmswap::health {

struct WarmTarget {
  uint64_t id = 0;
  contract::Be32 address;
  uint16_t port = 0;
  config::WarmConfig warm;
  std::string host;  // Host header; empty = the address
  friend bool operator==(const WarmTarget&, const WarmTarget&) = default;
};

struct WarmFigures {
  uint64_t requests = 0;
  uint64_t failures = 0;  // no answer in time, or a status of 400 and above
};

class Warmer {
 public:
  /// `io` must outlive the warmer.
  explicit Warmer(boost::asio::io_context& io);
  ~Warmer();
  Warmer(const Warmer&) = delete;
  Warmer& operator=(const Warmer&) = delete;

  /// Replaces the targets, matched by id; an unchanged one keeps its place in its list. Those without paths are left
  /// alone.
  void set_targets(const std::vector<WarmTarget>& targets);

  std::optional<WarmFigures> figures(uint64_t id) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace warmswap::health
