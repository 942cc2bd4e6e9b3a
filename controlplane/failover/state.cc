#include "controlplane/failover/state.h"

#include <array>

namespace warmswap::failover {
namespace {

constexpr std::array<std::string_view, 12> kStateNames = {
    "unknown", "serving", "suspect",  "failed",   "recovering", "cold",
    "warming", "warm",    "promoted", "disabled", "draining",   "ejected",
};
static_assert(kStateNames.size() == static_cast<size_t>(State::ejected) + 1, "one name for each state");

}  // namespace

std::string_view to_string(State state) noexcept {
  return kStateNames[static_cast<size_t>(state)];
}

std::optional<State> parse_state(std::string_view text) noexcept {
  for (size_t i = 0; i < kStateNames.size(); ++i) {
    if (kStateNames[i] == text) return static_cast<State>(i);
  }
  return std::nullopt;
}

std::optional<State> state_from_byte(uint8_t byte) noexcept {
  if (byte >= kStateNames.size()) return std::nullopt;
  return static_cast<State>(byte);
}

std::string_view to_string(Role role) noexcept {
  return role == Role::hot ? "hot" : "warm";
}

std::string_view to_string(Admin admin) noexcept {
  return admin == Admin::enabled ? "enabled" : "disabled";
}

}  // namespace warmswap::failover
