#include "controlplane/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace warmswap::controlplane {
namespace {

/// Enough for the lines among which the newest event is.
constexpr std::streamoff kTailBytes = 256 * 1024;

}  // namespace

Journal::Journal(JournalOptions options) : options_(std::move(options)) {}

Journal::~Journal() {
  reopen();
}

void Journal::reopen() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void Journal::failed(const std::string& what) {
  trouble_ = what + " " + options_.path + ": " + std::strerror(errno);
  ++lost_;
  reopen();
}

bool Journal::open() {
  if (fd_ >= 0) return true;
  // Groups may read it: it says who failed when, and no secret.
  fd_ = ::open(options_.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
  struct stat about {};
  if (fd_ < 0 || fstat(fd_, &about) != 0) return false;
  bytes_ = static_cast<uint64_t>(about.st_size);
  return true;
}

void Journal::rotate() {
  reopen();
  std::error_code ignored;
  for (uint32_t i = options_.files; i > 1; --i) {
    std::filesystem::rename(options_.path + "." + std::to_string(i - 1), options_.path + "." + std::to_string(i),
                            ignored);
  }
  if (options_.files == 0) {
    std::filesystem::remove(options_.path, ignored);
  } else {
    std::filesystem::rename(options_.path, options_.path + ".1", ignored);
  }
}

void Journal::write(const std::string& json) {
  if (options_.path.empty()) return;
  const std::string line = json + '\n';
  if (!open()) return failed("cannot open");
  if (bytes_ > 0 && bytes_ + line.size() > options_.max_bytes) {
    rotate();
    if (!open()) return failed("cannot open");
  }
  const ssize_t written = ::write(fd_, line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size())) {
    bytes_ += line.size();
    trouble_.clear();
    return;
  }
  if (written >= 0) errno = ENOSPC;
  // Half a line would spoil the next one.
  if (written > 0 && ftruncate(fd_, static_cast<off_t>(bytes_)) != 0) return failed("cannot write to");
  failed("cannot write to");
}

uint64_t Journal::last_seq() const {
  if (options_.path.empty()) return 0;
  std::ifstream file(options_.path, std::ios::binary | std::ios::ate);
  if (!file) return 0;
  const std::streamoff size = file.tellg();
  file.seekg(std::max<std::streamoff>(size - kTailBytes, 0));
  uint64_t last = 0;
  for (std::string line; std::getline(file, line);) {
    boost::json::error_code fault;
    const boost::json::value value = boost::json::parse(line, fault);
    const auto* object = fault ? nullptr : value.if_object();
    const auto* seq = object != nullptr ? object->if_contains("seq") : nullptr;
    if (seq != nullptr && seq->is_int64() && seq->as_int64() > 0) {
      last = std::max(last, static_cast<uint64_t>(seq->as_int64()));
    }
  }
  return last;
}

}  // namespace warmswap::controlplane
