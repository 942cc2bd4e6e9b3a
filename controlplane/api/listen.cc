#include "controlplane/api/listen.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

namespace warmswap::api {

using contract::Descriptor;
using contract::Error;
using contract::Result;

namespace {

constexpr int kBacklog = 128;
constexpr mode_t kSocketMode = 0660;

Error failure(const std::string& what) {
  return {fmt::format("{}: {}", what, std::strerror(errno))};
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Descriptor stream_socket(int family) {
  return Descriptor(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/// Makes room at `path`: nothing there, or a socket whose listener is gone.
Result<void> clear_stale(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    return failure(fmt::format("cannot look at the control socket {}", path));
  }
  if (!S_ISSOCK(found.st_mode)) {
    return Error{fmt::format("{} is in the way: expected a socket or nothing there, found another kind of file", path)};
  }
  const Descriptor caller = stream_socket(AF_UNIX);
  if (connect(caller.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 || errno == EAGAIN) {
    return Error{
        fmt::format("another process answers on the control socket {}: is this instance running already?", path)};
  }
  if (errno != ECONNREFUSED) return failure(fmt::format("cannot tell whether the control socket {} is in use", path));
  if (unlink(path.c_str()) != 0) return failure(fmt::format("cannot remove the stale control socket {}", path));
  return {};
}

Result<std::optional<gid_t>> find_group(const std::string& group) {
  if (group.empty()) return std::optional<gid_t>();
  std::vector<char> buffer(16384);
  struct group entry {};
  struct group* found = nullptr;
  int fault = 0;
  while ((fault = getgrnam_r(group.c_str(), &entry, buffer.data(), buffer.size(), &found)) == ERANGE) {
    buffer.resize(buffer.size() * 2);
  }
  if (fault != 0) return Error{fmt::format("cannot look up the group \"{}\": {}", group, std::strerror(fault))};
  if (found == nullptr) return Error{fmt::format("there is no group \"{}\" for the control socket", group)};
  return std::optional<gid_t>(found->gr_gid);
}

Result<UnixListener> bind_unix(const std::string& path, const sockaddr_un& address, std::optional<gid_t> group) {
  UnixListener listener{stream_socket(AF_UNIX), {}};
  const int fd = listener.descriptor.get();
  // Linux gives the new file the mode of the socket's own inode, so that it is never more open than it shall be.
  if (fd < 0 || fchmod(fd, 0600) != 0) return failure("cannot make the control socket");
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return failure(fmt::format("cannot bind the control socket {}", path));
  }
  if (!listener.file.claim(path)) return failure(fmt::format("the control socket {} vanished", path));
  if (group && lchown(path.c_str(), static_cast<uid_t>(-1), *group) != 0) {
    return failure(fmt::format("cannot give the control socket {} to group {}", path, *group));
  }
  if (chmod(path.c_str(), kSocketMode) != 0) return failure(fmt::format("cannot set the mode of {}", path));
  if (!listener.file.claim(path) || listen(fd, kBacklog) != 0) {
    return failure(fmt::format("cannot listen on the control socket {}", path));
  }
  return listener;
}

}  // namespace

bool SocketFile::claim(const std::string& path) {
  path_ = path;
  return lstat(path.c_str(), &identity_) == 0;
}

void SocketFile::remove() noexcept {
  struct stat found {};
  // The change time, too: a file system gives the inode number of a removed socket to the next one.
  if (!path_.empty() && lstat(path_.c_str(), &found) == 0 && found.st_dev == identity_.st_dev &&
      found.st_ino == identity_.st_ino && found.st_ctim.tv_sec == identity_.st_ctim.tv_sec &&
      found.st_ctim.tv_nsec == identity_.st_ctim.tv_nsec) {
    unlink(path_.c_str());
  }
  path_.clear();
}

Result<UnixListener> listen_unix(const std::string& path, const std::string& group) {
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Error{fmt::format("the path of the control socket, \"{}\", has {} bytes, expected 1 to {}", path,
                             path.size(), sizeof(sockaddr_un::sun_path) - 1)};
  }
  const auto gid = find_group(group);
  if (!gid) return Error{gid.error()};
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::string folder(parent.empty() ? "." : parent.native());
  const Descriptor lock(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Held from the look to the bind: of two starters one sees the other's live socket. Never waits long, since nobody
  // keeps the lock beyond these few calls.
  if (lock.get() < 0 || flock(lock.get(), LOCK_EX) != 0) {
    return failure(fmt::format("cannot use {} for the control socket", folder));
  }
  const sockaddr_un address = unix_address(path);
  if (const auto cleared = clear_stale(path, address); !cleared) return Error{cleared.error()};
  return bind_unix(path, address, *gid);
}

Result<Descriptor> listen_tcp(const std::string& address, uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  if (const int fault = getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &raw); fault != 0) {
    return Error{fmt::format("cannot listen on \"{}\" port {}: expected a numeric address ({})", address, port,
                             gai_strerror(fault))};
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> found(raw, freeaddrinfo);
  Descriptor listener = stream_socket(found->ai_family);
  const int on = 1;
  if (listener.get() < 0 || setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      bind(listener.get(), found->ai_addr, found->ai_addrlen) != 0 || listen(listener.get(), kBacklog) != 0) {
    return failure(fmt::format("cannot listen on {} port {}", address, port));
  }
  return listener;
}

uint16_t bound_port(int fd) noexcept {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace warmswap::api
