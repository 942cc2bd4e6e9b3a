#include "perf/gen/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "perf/search/trial.h"

namespace warmswap::gen {

ProgressLine::ProgressLine(bool always) : terminal_(isatty(STDERR_FILENO) != 0), enabled_(terminal_ || always) {}

ProgressLine::~ProgressLine() {
  clear();
}

void ProgressLine::clear() {
  if (terminal_ && shown_) std::fputs("\r\033[K", stderr);
  shown_ = false;
}

void ProgressLine::title(std::string text) {
  title_ = std::move(text);
  last_ = {};
}

void ProgressLine::update(const Progress& progress) {
  const auto since = progress.elapsed - last_.elapsed;
  if (!enabled_ || since < std::chrono::seconds(1)) return;
  const double seconds = std::chrono::duration<double>(since).count();
  const auto rate = [&](uint64_t now, uint64_t before) {
    return perf::format_rate(static_cast<double>(now - before) / seconds);
  };
  const std::string line =
      fmt::format("{}{:5.0f} s  transmitted {}  received {}  behind {}", title_.empty() ? "" : title_ + "  ",
                  std::chrono::duration<double>(progress.elapsed).count(),
                  rate(progress.transmitted, last_.transmitted), rate(progress.received, last_.received),
                  progress.transmitted > progress.received ? progress.transmitted - progress.received : 0);
  std::fprintf(stderr, terminal_ ? "\r%s\033[K" : "%s\n", line.c_str());
  shown_ = true;
  last_ = progress;
}

}  // namespace warmswap::gen
