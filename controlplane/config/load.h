// From warmswap.toml to a Config. Start-up and reload only; blocking; reads the file and, when named, the key file.
// A failed load changes nothing and its message has one line per error: `file:line: key = value: expected …`.
// No message ever contains the hash key.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/config/config.h"
#include "dataplane/contract/result.h"

namespace warmswap::config {

struct Loaded {
  Config config;
  std::vector<std::string> warnings;  // lines like those of errors; the configuration works, but look at these
};

contract::Result<Loaded> load_file(const std::filesystem::path& path);

/// `name` stands for the file in messages; a relative hash_key_file is looked for in its directory.
contract::Result<Loaded> load_text(std::string_view text, const std::string& name);

/// Only [instance] and [dataplane]: a broken [[pool]] must not keep a dataplane from starting. Vips and pools of the
/// result are empty.
contract::Result<Loaded> load_dataplane_part(const std::filesystem::path& path);

/// Every key the loader knows, sections included, sorted: "pool.probe.interval".
std::vector<std::string> known_keys();

}  // namespace warmswap::config
