// What a probe asks and how it judges the answer, whatever carries the bytes. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "controlplane/health/prober.h"

namespace warmswap::health {

class Exchange {
 public:
  struct Verdict {
    Outcome outcome = Outcome::bad;
    std::string detail;
  };

  virtual ~Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// What shall be sent now; empty when there is nothing.
  virtual std::string take_output() = 0;
  /// What arrived; a verdict once there is one.
  virtual std::optional<Verdict> feed(std::string_view bytes) = 0;
  /// The peer has closed.
  virtual Verdict ended() = 0;
  /// What had not come when the time was over.
  virtual std::string missing() const = 0;

 protected:
  Exchange() = default;
};

}  // namespace warmswap::health
