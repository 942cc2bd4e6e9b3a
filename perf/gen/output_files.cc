#include "perf/gen/output_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace warmswap::gen {
namespace {

using contract::Error;
using contract::Result;

constexpr mode_t kMode = 0644;

Error cannot_write(const std::string& path) {
  return Error{fmt::format("{}: cannot be written: {}", path, std::strerror(errno))};
}

/// Whether `path` is there and no plain file: a pipe or a device is not replaced but written to.
bool is_special(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

}  // namespace

Result<OutputFile> OutputFile::open(const std::string& path) {
  if (path == "-") return OutputFile(path, "", STDOUT_FILENO);
  const bool special = is_special(path);
  const std::string partial = special ? "" : fmt::format("{}.{}.partial", path, getpid());
  const int descriptor = special ? ::open(path.c_str(), O_WRONLY | O_CLOEXEC)
                                 : ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
  if (descriptor < 0) return cannot_write(path);
  return OutputFile(path, partial, descriptor);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      partial_(std::exchange(other.partial_, "")),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

OutputFile::~OutputFile() {
  if (descriptor_ > STDERR_FILENO) close(descriptor_);
  if (!partial_.empty()) unlink(partial_.c_str());
}

Result<void> OutputFile::complete(const std::string& text) {
  size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = ::write(descriptor_, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return cannot_write(path_);
    written += static_cast<size_t>(count);
  }
  if (partial_.empty()) return {};
  if (rename(partial_.c_str(), path_.c_str()) != 0) return cannot_write(path_);
  partial_.clear();
  return {};
}

Result<OutputFiles> OutputFiles::open(const std::string& json, const std::string& html) {
  OutputFiles files;
  const auto open_as = [](const std::string& path, std::optional<OutputFile>& file) -> Result<void> {
    if (path.empty()) return {};
    auto opened = OutputFile::open(path);
    if (!opened) return Error{opened.error()};
    file.emplace(std::move(*opened));
    return {};
  };
  if (auto opened = open_as(json, files.json); !opened) return Error{opened.error()};
  if (auto opened = open_as(html, files.html); !opened) return Error{opened.error()};
  return files;
}

}  // namespace warmswap::gen
