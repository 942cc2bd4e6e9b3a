// The half of an HTTP probe that does not depend on what carries it: the request, and the judgement of the answer.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/health/prober.h"
#include "controlplane/health/response_head.h"

namespace warmswap::health {

/// The GET a target is asked with.
std::string http_request(const Target& target);

class HttpExchange {
 public:
  struct Verdict {
    Outcome outcome = Outcome::bad;
    std::string detail;
  };

  explicit HttpExchange(const config::ProbeConfig& probe) : probe_(probe) {}

  std::array<char, 2048>& buffer() noexcept { return buffer_; }
  /// What arrived in the buffer; a verdict once there is one.
  std::optional<Verdict> feed(size_t bytes);
  /// The peer has closed.
  Verdict ended() const;

 private:
  Verdict judge() const;

  const config::ProbeConfig& probe_;
  ResponseHead head_;
  std::array<char, 2048> buffer_{};
};

}  // namespace warmswap::health
