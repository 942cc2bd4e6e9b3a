// Writes what runs back into the operator's file: only the lines that must change do, comments and layout stay. Pure;
// any thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "controlplane/config/config.h"
#include "controlplane/config/load.h"
#include "dataplane/contract/result.h"

namespace warmswap::config {

struct Edited {
  std::string text;
  std::vector<std::string> changes;  // "weight web/hot2 50", in the file's order; empty: the text is the same
};

/// `sources` say `file`: the file itself, which is edited, and its drop-ins, which are not. The result says `running`,
/// which differs from it in backends of pools only: added, removed, other weights, enabled or not. What is known of the
/// file's form is what people write, [[pool.backend]] with a key a line; the result is read again, and refused with a
/// sentence when it does not say `running`.
contract::Result<Edited> edit(const std::vector<Source>& sources, const Config& file, const Config& running);

/// The drop-in file of warmswap that says the same beside the file: FILE.d/90-saved.toml.
std::filesystem::path saved_drop_in(const std::filesystem::path& file);

/// What that drop-in must hold, so that the file, the other drop-ins and it say `running`; nothing but what they do not
/// say. `file` is what all of `sources` say now. Refused with a sentence where a drop-in that is read later says
/// otherwise.
contract::Result<Edited> write_drop_in(const std::vector<Source>& sources, const Config& file, const Config& running);

}  // namespace warmswap::config
