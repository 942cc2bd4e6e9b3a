// Writes what runs back into the operator's file: only the lines that must change do, comments and layout stay. Pure;
// any thread.
#pragma once

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

}  // namespace warmswap::config
