// The commands that show something. Each asks the control plane once and prints a table, or the answer as it is for
// --json. They throw Failure.
#pragma once

#include <string>

#include "controlplane/cli/session.h"

namespace warmswap::cli {

void show_status(const Session& session);
void show_vips(const Session& session);
void show_pools(const Session& session);
/// `pool` may be empty for all.
void show_backends(const Session& session, const std::string& pool);
/// Reasons that never happened only with `all`.
void show_drops(const Session& session, bool all);
/// `source` and `destination` are ADDRESS:PORT.
void show_explanation(const Session& session, const std::string& source, const std::string& destination, bool udp);
void show_version(const Session& session);
void show_metrics(const Session& session);

}  // namespace warmswap::cli
