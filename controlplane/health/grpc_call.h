// One call of grpc.health.v1.Health/Check (the gRPC health checking protocol) as bytes in and bytes out, over HTTP/2:
// with prior knowledge (RFC 9113 section 3.3), or over TLS as ALPN has it (section 3.2). Hides nghttp2. Not
// thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/health/exchange.h"

namespace warmswap::health {

class GrpcCall final : public Exchange {
 public:
  explicit GrpcCall(const Target& target);
  ~GrpcCall() override;

  std::string take_output() override;
  std::optional<Verdict> feed(std::string_view bytes) override;
  Verdict ended() override;
  std::string missing() const override { return "no answer"; }

 private:
  class Session;
  std::unique_ptr<Session> session_;
};

/// The only field of HealthCheckResponse; nullopt for what is no such message. Unknown fields are skipped.
std::optional<uint64_t> parse_health_status(std::string_view message);

}  // namespace warmswap::health
