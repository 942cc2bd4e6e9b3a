// A traffic profile: several streams described in a TOML file (perf/gen/profiles has annotated ones). Start-up only.
//
//     rate = "2Mpps"                     # as --rate; the option wins
//     seed = 1
//     [[stream]]
//     name = "web"
//     vip = "198.51.100.10"
//     …                                  # every key of stream_fields()
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/contract/result.h"
#include "perf/gen/traffic.h"

namespace warmswap::gen {

struct Profile {
  std::vector<StreamConfig> streams;
  std::optional<double> rate;
  std::optional<uint64_t> seed;
};

/// Everything that is wrong with the file at once, a line each: `FILE:LINE: stream.web.flows = 0: expected …`.
contract::Result<Profile> parse_profile(std::string_view text, const std::string& name);
contract::Result<Profile> read_profile(const std::string& path);

}  // namespace warmswap::gen
