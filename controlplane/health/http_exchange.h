// The half of an HTTP probe that does not depend on what carries it: the request, and the judgement of the answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "controlplane/health/exchange.h"
#include "controlplane/health/http_response.h"

namespace warmswap::health {

/// The probe's host without a port, or the address.
std::string http_host(const Target& target);
/// What Host and :authority say: the probe's host, or the address, with a port that is not the usual one.
std::string http_authority(const Target& target);
/// The GET a target is asked with.
std::string http_request(const Target& target);

class HttpExchange final : public Exchange {
 public:
  /// Both must outlive it.
  HttpExchange(const config::ProbeConfig& probe, const std::string& request);

  std::string take_output() override;
  std::optional<Verdict> feed(std::string_view bytes) override;
  Verdict ended() override;
  std::string missing() const override;

 private:
  Verdict judge(HttpResponse::Progress progress) const;
  Verdict judge_body() const;

  const config::ProbeConfig& probe_;
  const std::string& request_;
  bool asked_ = false;
  HttpResponse response_;
};

}  // namespace warmswap::health
