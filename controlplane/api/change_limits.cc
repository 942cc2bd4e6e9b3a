#include "controlplane/api/change_limits.h"

#include <algorithm>

#include "dataplane/contract/layout.h"

namespace warmswap::api::limits {

namespace {

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool visible(char c) {
  return c > 0x20 && c < 0x7f;
}

}  // namespace

bool valid_name(std::string_view name) {
  if (name.empty() || name.size() >= contract::kNameBytes || !letter_or_digit(name.front())) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return letter_or_digit(c) || c == '.' || c == '_' || c == '-'; });
}

bool valid_path(std::string_view path) {
  return path.starts_with('/') && path.size() <= kMaxPathBytes && std::all_of(path.begin(), path.end(), visible);
}

bool valid_host(std::string_view host) {
  return host.size() <= kMaxHostBytes && std::all_of(host.begin(), host.end(), visible);
}

}  // namespace warmswap::api::limits
