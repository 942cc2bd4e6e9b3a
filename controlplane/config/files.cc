#include "controlplane/config/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "controlplane/config/text.h"
#include "dataplane/contract/descriptor.h"

namespace warmswap::config {
namespace {

using contract::Descriptor;
using contract::Error;
using contract::Result;

constexpr size_t kLargestFile = size_t{64} << 20;

Error cannot_read(const std::filesystem::path& path, std::string_view why) {
  return Error{fmt::format("cannot read {}: {}", quote(path.string()), why)};
}

}  // namespace

Result<TextFile> read_text_file(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a FIFO nobody writes must not hang.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat about {};
  if (file.get() < 0 || ::fstat(file.get(), &about) != 0) return cannot_read(path, std::strerror(errno));
  if (!S_ISREG(about.st_mode)) return cannot_read(path, "expected a regular file");

  TextFile out;
  out.open_to_others = (about.st_mode & S_IRWXO) != 0;
  char buffer[16384];
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_read(path, std::strerror(errno));
    if (got == 0) return out;
    out.text.append(buffer, static_cast<size_t>(got));
    if (out.text.size() > kLargestFile) return cannot_read(path, "expected at most 64 MiB");
  }
}

Result<contract::HashKey> read_hash_key_file(const std::filesystem::path& path) {
  const auto file = read_text_file(path);
  if (!file) return Error{file.error()};
  if (file->open_to_others) {
    return Error{fmt::format("{} is open to all users: expected a file for its owner and group only (chmod 0640)",
                             quote(path.string()))};
  }
  const std::string_view text = file->text;
  const size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  const size_t end = text.find_last_not_of(" \t\r\n") + 1;
  const auto key = parse_hash_key(text.substr(begin, end - std::min(begin, end)));
  if (!key) return Error{fmt::format("{} holds no key: expected 32 hexadecimal digits", quote(path.string()))};
  return *key;
}

}  // namespace warmswap::config
