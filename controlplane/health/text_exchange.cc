#include "controlplane/health/text_exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "controlplane/config/text.h"

namespace warmswap::health {

TextExchange::TextExchange(const config::ProbeConfig& probe, const std::string& request)
    : probe_(probe), request_(request), expected_(config::parse_payload(probe.expect).value_or("")) {}

std::string TextExchange::take_output() {
  return std::exchange(asked_, true) ? "" : request_;
}

std::optional<Exchange::Verdict> TextExchange::feed(std::string_view bytes) {
  // It may have begun in the last piece.
  const size_t begin = answer_.size() - std::min(answer_.size(), expected_.size());
  answer_.append(bytes.substr(0, kTextLimit - answer_.size()));
  if (answer_.find(expected_, begin) != std::string::npos) return Verdict{Outcome::good, "answered"};
  if (answer_.size() < kTextLimit) return std::nullopt;
  return Verdict{Outcome::bad, fmt::format("the first {} bytes of the answer are without {}", kTextLimit,
                                           config::quote(probe_.expect))};
}

Exchange::Verdict TextExchange::ended() {
  if (answer_.empty()) return {Outcome::bad, "connection closed before an answer"};
  return {Outcome::bad, fmt::format("connection closed after an answer of {} bytes without {}", answer_.size(),
                                    config::quote(probe_.expect))};
}

std::string TextExchange::missing() const {
  return answer_.empty() ? "no answer" : fmt::format("no {} in the answer", config::quote(probe_.expect));
}

}  // namespace warmswap::health
