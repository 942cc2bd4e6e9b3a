// The target of an HTTP request: path and query parameters. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/contract/result.h"

namespace warmswap::api {

struct Target {
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;  // in order; no name twice

  std::optional<std::string_view> find(std::string_view name) const noexcept;
};

/// Reads origin-form and absolute-form (RFC 9112 section 3.2) with percent-encoding undone; '+' means a space in the
/// query. The path is compared as it stands: no dot segments are resolved.
contract::Result<Target> parse_target(std::string_view raw);

}  // namespace warmswap::api
