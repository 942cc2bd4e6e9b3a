#include "dataplane/backend/interface_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace warmswap::backend {
namespace {

using contract::Descriptor;
using contract::Error;
using contract::Result;

constexpr const char* kDirectory = "/run/warmswap-agent";

Error lock_error(const std::string& what) {
  return Error{fmt::format("{}: {}", what, std::strerror(errno))};
}

/// Makes the directory, or makes sure that nobody else may put a file of his own in the lock's place.
Result<void> prepare_directory() {
  if (mkdir(kDirectory, 0755) != 0 && errno != EEXIST) return lock_error(fmt::format("cannot create {}", kDirectory));
  struct stat found {};
  if (lstat(kDirectory, &found) != 0) return lock_error(fmt::format("cannot look at {}", kDirectory));
  const bool own = found.st_uid == 0 || found.st_uid == geteuid();
  if (!S_ISDIR(found.st_mode) || !own || (found.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return Error{
        fmt::format("{} must be a directory that only root can write to: remove it and start again", kDirectory)};
  return {};
}

bool is_at(const Descriptor& file, const std::string& path) {
  struct stat held {
  }, named{};
  return fstat(file.get(), &held) == 0 && stat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
         held.st_dev == named.st_dev;
}

}  // namespace

Result<InterfaceLock> InterfaceLock::take(const std::string& interface, int ifindex) {
  struct stat network {};
  if (stat("/proc/self/ns/net", &network) != 0) return lock_error("cannot tell the network namespace");
  std::string path = fmt::format("{}/{}-{}.lock", kDirectory, network.st_ino, ifindex);
  for (;;) {
    Result<void> prepared = prepare_directory();
    if (!prepared) return Error{prepared.error()};
    // Who can open a file can lock it, if only for reading: hence no rights for others.
    Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (file.get() < 0 && errno == ENOENT) continue;  // the directory was removed in between
    if (file.get() < 0) return lock_error(fmt::format("cannot open {}", path));
    if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return lock_error(fmt::format("cannot lock {}", path));
      return Error{
          fmt::format("another warmswap-agent already serves {}: give it all vips, or stop it first", interface)};
    }
    // Between open and flock a predecessor may have ended and removed the file; a lock on that would exclude nobody.
    if (is_at(file, path)) return InterfaceLock(std::move(file), std::move(path));
  }
}

InterfaceLock::~InterfaceLock() {
  // Before the lock is given back, so that this cannot be a successor's file.
  if (file_.get() >= 0) unlink(path_.c_str());
}

}  // namespace warmswap::backend
