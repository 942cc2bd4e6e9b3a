// What tcp asks where more than a connection is wanted: a text is sent, and another one must come back, in however many
// pieces. Without the first it is what the server says by itself, as SMTP's does; without the second anything will do.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/health/exchange.h"

namespace warmswap::health {

/// So much of an answer is looked at.
inline constexpr size_t kTextLimit = 65536;

class TextExchange final : public Exchange {
 public:
  /// Both must outlive it.
  TextExchange(const config::ProbeConfig& probe, const std::string& request);

  std::string take_output() override;
  std::optional<Verdict> feed(std::string_view bytes) override;
  Verdict ended() override;
  std::string missing() const override;

 private:
  const config::ProbeConfig& probe_;
  const std::string& request_;
  const std::string expected_;
  bool asked_ = false;
  std::string answer_;
};

}  // namespace warmswap::health
