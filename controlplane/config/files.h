// The two kinds of file the loader reads. Blocking; control-plane and start-up threads only.
#pragma once

#include <filesystem>
#include <string>

#include "dataplane/contract/flow_hash.h"
#include "dataplane/contract/result.h"

namespace warmswap::config {

struct TextFile {
  std::string text;
  bool open_to_others = false;  // its mode lets users outside owner and group read or write it
};

/// A regular file of at most 64 MiB. The message names the file.
contract::Result<TextFile> read_text_file(const std::filesystem::path& path);

/// A file with 32 hexadecimal digits and nothing but white space around them, closed to other users. No message ever
/// contains what the file holds.
contract::Result<contract::HashKey> read_hash_key_file(const std::filesystem::path& path);

}  // namespace warmswap::config
