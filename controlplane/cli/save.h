// `warmswapctl save`: what runs goes back into the configuration file. The control plane says what the file should
// hold; this process writes it, with the rights of whoever runs it. Throws Failure.
#pragma once

#include <string>

#include "controlplane/cli/session.h"

namespace warmswap::cli {

struct SaveOptions {
  bool print = false;    // show the text, and write nothing
  bool drop_in = false;  // into a drop-in file beside the configuration file
};
void save(const Session& session, SaveOptions options);

/// Puts `after` in the place of the file, which must hold `before`: whole or not at all, under the same owner and mode.
/// A symbolic link stays one, and what it points to is written.
void replace_file(const std::string& path, const std::string& before, const std::string& after);

/// Makes a file that does not exist yet, and its directory, under the owner and with the mode of the file `like`.
void create_file(const std::string& path, const std::string& like, const std::string& text);

}  // namespace warmswap::cli
