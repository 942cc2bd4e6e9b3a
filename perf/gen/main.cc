// warmswap-gen: wires command line, signals and commands together.
#include <csignal>
#include <cstdio>

#include "perf/gen/commands.h"
#include "perf/gen/options.h"

namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set in a signal handler");

void on_signal(int) {
  interrupted.store(true);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace warmswap::gen;
  const auto parsed = parse_options(argc, argv);
  if (const Exit* exit = std::get_if<Exit>(&parsed)) {
    std::fputs(exit->text.c_str(), exit->code == 0 ? stdout : stderr);
    return exit->code;
  }
  struct sigaction action {};
  action.sa_handler = on_signal;
  // A second signal ends the process at once.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return run_command(std::get<Options>(parsed), interrupted);
}
