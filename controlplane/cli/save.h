// `warmswapctl save`: what runs goes back into the configuration file. The control plane says what the file should
// hold; this process writes it, with the rights of whoever runs it. Throws Failure.
#pragma once

#include <string>

#include "controlplane/cli/session.h"

namespace warmswap::cli {

/// `print`: shows the text and writes nothing.
void save(const Session& session, bool print);

/// Puts `after` in the place of the file, which must hold `before`: whole or not at all, under the same owner and mode.
/// A symbolic link stays one, and what it points to is written.
void replace_file(const std::string& path, const std::string& before, const std::string& after);

}  // namespace warmswap::cli
