// From warmswap.toml to a Config. Start-up and reload only; blocking; reads the file, the drop-in files beside it
// (warmswap.toml.d/*.toml, in the order of their names: the later one counts, key by key) and, when named, the key
// file. A failed load changes nothing and its message has one line per error: `file:line: key = value: expected …`. No
// message ever contains the hash key.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/config/config.h"
#include "dataplane/contract/result.h"

namespace warmswap::config {

/// The text of one file of a configuration.
struct Source {
  std::string name;  // its path, as messages name it
  std::string text;
  bool open_to_others = false;
};

struct Loaded {
  Config config;
  std::vector<std::string> warnings;  // lines like those of errors; the configuration works, but look at these
  std::vector<Source> sources;        // what it was read from, warmswap.toml first
};

/// Where the drop-in files of a configuration file lie: FILE.d.
std::filesystem::path drop_in_directory(const std::filesystem::path& file);

contract::Result<Loaded> load_file(const std::filesystem::path& path);

/// The first is the file, the others are its drop-ins in their order. Names stand for the files in messages; a relative
/// hash_key_file is looked for in the directory of the first.
contract::Result<Loaded> load_sources(std::vector<Source> sources);
/// One file without drop-ins.
contract::Result<Loaded> load_text(std::string_view text, const std::string& name);

/// Only [instance] and [dataplane]: a broken [[pool]] must not keep a dataplane from starting. Vips and pools of the
/// result are empty.
contract::Result<Loaded> load_dataplane_part(const std::filesystem::path& path);

/// Every key the loader knows, sections included, sorted: "pool.probe.interval".
std::vector<std::string> known_keys();

}  // namespace warmswap::config
