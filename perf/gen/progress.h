// What a person sees while something runs: one line that is rewritten on a terminal, else a line a second when wanted,
// else nothing. On standard error, so that results stay apart. One thread.
#pragma once

#include <chrono>
#include <string>

#include "perf/gen/engine.h"

namespace warmswap::gen {

class ProgressLine {
 public:
  /// `always`: also where standard error is no terminal.
  explicit ProgressLine(bool always);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// What the following updates are about: "trial 3: 1.2 Mpps".
  void title(std::string text);
  void update(const Progress& progress);

 private:
  void clear();

  bool terminal_;
  bool enabled_;
  bool shown_ = false;
  std::string title_;
  Progress last_;
};

}  // namespace warmswap::gen
