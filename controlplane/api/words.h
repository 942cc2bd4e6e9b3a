// The words for the configuration's enumerations, in JSON and metrics alike.
#pragma once

#include <string_view>

#include "controlplane/config/config.h"
#include "controlplane/config/text.h"

namespace warmswap::api {

constexpr std::string_view word(config::Role role) noexcept {
  return role == config::Role::hot ? "hot" : "warm";
}
constexpr std::string_view word(config::Mode mode) noexcept {
  return mode == config::Mode::hot_hot ? "hot-hot" : "hot-warm";
}
constexpr std::string_view word(config::Failback failback) noexcept {
  return failback == config::Failback::automatic ? "auto" : "manual";
}
constexpr std::string_view word(contract::Encapsulation encapsulation) noexcept {
  return encapsulation == contract::Encapsulation::ipip ? "ipip" : "none";
}
inline std::string_view word(config::ProbeKind kind) noexcept {
  return config::to_string(kind);
}

}  // namespace warmswap::api
