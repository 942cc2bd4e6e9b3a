#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "controlplane/cli/cli.h"

int main(int argc, char** argv) {
  const char* no_color = std::getenv("NO_COLOR");  // https://no-color.org: any value but an empty one
  const bool colour = isatty(STDOUT_FILENO) != 0 && (no_color == nullptr || *no_color == '\0');
  return warmswap::cli::run(argc, argv, {std::cin, std::cout, std::cerr, colour});
}
