// One call of grpc.health.v1.Health/Check (the gRPC health checking protocol) as bytes in and bytes out, over HTTP/2
// with prior knowledge (RFC 9113 section 3.3), without TLS. Hides nghttp2. Not thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/health/prober.h"

namespace warmswap::health {

class GrpcCall {
 public:
  struct Verdict {
    Outcome outcome = Outcome::bad;
    std::string detail;
  };

  /// `authority`: what :authority says. `service`: whose health; empty is the server's as a whole.
  GrpcCall(const std::string& authority, const std::string& service);
  ~GrpcCall();
  GrpcCall(const GrpcCall&) = delete;
  GrpcCall& operator=(const GrpcCall&) = delete;

  /// What shall be sent now; empty when there is nothing.
  std::string take_output();
  /// What arrived; a verdict once there is one.
  std::optional<Verdict> feed(std::string_view bytes);
  /// The peer has closed.
  Verdict ended() const;

 private:
  class Session;
  std::unique_ptr<Session> session_;
};

/// The only field of HealthCheckResponse; nullopt for what is no such message. Unknown fields are skipped.
std::optional<uint64_t> parse_health_status(std::string_view message);

}  // namespace warmswap::health
