// warmswapctl as a function: what main() calls and tests run in-process. Talks HTTP to the control socket; knows of the
// control plane only what api/protocol.h says.
#pragma once

#include <istream>
#include <ostream>

namespace warmswap::cli {

/// Where a command reads and writes. One command at a time.
struct Terminal {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool colour = false;
};

inline constexpr int kExitOk = 0;
inline constexpr int kExitRefused = 1;      // the control plane said no
inline constexpr int kExitUsage = 2;        // the command line makes no sense
inline constexpr int kExitUnreachable = 3;  // no answer from the control plane

/// Runs one command and returns its exit code. Reads $WARMSWAP_SOCKET and $WARMSWAP_INSTANCE.
int run(int argc, const char* const* argv, Terminal terminal);

}  // namespace warmswap::cli
