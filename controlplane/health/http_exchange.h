// The half of an HTTP probe that does not depend on what carries it: the request, and the judgement of the answer.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/health/http_response.h"
#include "controlplane/health/prober.h"

namespace warmswap::health {

/// What Host and :authority say: the probe's host, or the address, with a port that is not the usual one.
std::string http_authority(const Target& target);
/// The GET a target is asked with.
std::string http_request(const Target& target);

class HttpExchange {
 public:
  struct Verdict {
    Outcome outcome = Outcome::bad;
    std::string detail;
  };

  explicit HttpExchange(const config::ProbeConfig& probe);

  std::array<char, 2048>& buffer() noexcept { return buffer_; }
  /// What arrived in the buffer; a verdict once there is one.
  std::optional<Verdict> feed(size_t bytes);
  /// The peer has closed.
  Verdict ended();
  /// What had not come when the time was over.
  std::string missing() const;

 private:
  Verdict judge(HttpResponse::Progress progress) const;
  Verdict judge_body() const;

  const config::ProbeConfig& probe_;
  HttpResponse response_;
  bool status_known_ = false;
  std::array<char, 2048> buffer_{};
};

}  // namespace warmswap::health
