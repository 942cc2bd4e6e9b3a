// The files that results go to. They are opened before anything is sent, so that a name that cannot be written costs no
// run, and replaced whole at the end, so that a run that fails leaves what was there before. Main thread.
#pragma once

#include <optional>
#include <string>

#include "dataplane/contract/result.h"

namespace warmswap::gen {

/// A file that appears under its name when it is complete. "-" is standard output.
class OutputFile {
 public:
  /// The error names the file and why it cannot be written.
  static contract::Result<OutputFile> open(const std::string& path);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  /// Takes away what was begun and not completed.
  ~OutputFile();

  contract::Result<void> complete(const std::string& text);

 private:
  OutputFile(std::string path, std::string partial, int descriptor)
      : path_(std::move(path)), partial_(std::move(partial)), descriptor_(descriptor) {}

  std::string path_;
  std::string partial_;  // empty: written in place (standard output, devices)
  int descriptor_;
};

/// What --json and --html name.
struct OutputFiles {
  std::optional<OutputFile> json;
  std::optional<OutputFile> html;

  /// Empty names mean none.
  static contract::Result<OutputFiles> open(const std::string& json, const std::string& html);
};

}  // namespace warmswap::gen
