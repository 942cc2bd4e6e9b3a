#include "controlplane/nexthop/netlink_socket.h"

#include <libmnl/libmnl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace warmswap::nexthop {
namespace {

// The kernel fills dumps in datagrams of up to 32 KiB (NLMSG_GOODSIZE and libmnl's MNL_SOCKET_DUMP_SIZE).
constexpr size_t kDatagramBytes = 32768;
// Room for a few thousand notifications before the kernel drops some; a drop costs a full dump, not correctness.
constexpr int kNotificationBytes = 4 << 20;
constexpr timeval kAnswerTimeout{.tv_sec = 1, .tv_usec = 0};

contract::Error error(const std::string& what) {
  return {what + ": " + std::strerror(errno) + "; expected a Linux routing netlink socket"};
}

}  // namespace

NetlinkSocket::NetlinkSocket(int descriptor) : descriptor_(descriptor), buffer_(kDatagramBytes) {}
NetlinkSocket::NetlinkSocket(NetlinkSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      sequence_(other.sequence_),
      buffer_(std::move(other.buffer_)) {}
NetlinkSocket::~NetlinkSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

contract::Result<NetlinkSocket> NetlinkSocket::open(int flags) {
  const int descriptor = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE);
  if (descriptor < 0) return error("cannot open a netlink socket");
  NetlinkSocket socket(descriptor);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return error("cannot bind a netlink socket");
  }
  return socket;
}

contract::Result<NetlinkSocket> NetlinkSocket::for_requests() {
  auto socket = open(0);
  if (!socket) return socket;
  if (::setsockopt(socket->descriptor_, SOL_SOCKET, SO_RCVTIMEO, &kAnswerTimeout, sizeof(kAnswerTimeout)) != 0) {
    return error("cannot set a netlink socket's timeout");
  }
  return socket;
}

contract::Result<NetlinkSocket> NetlinkSocket::for_notifications(std::initializer_list<int> groups) {
  auto socket = open(SOCK_NONBLOCK);
  if (!socket) return socket;
  for (const int group : groups) {
    if (::setsockopt(socket->descriptor_, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) != 0) {
      return error("cannot join netlink group " + std::to_string(group));
    }
  }
  // Beyond net.core.rmem_max only with CAP_NET_ADMIN; without it, as much as there is.
  if (::setsockopt(socket->descriptor_, SOL_SOCKET, SO_RCVBUFFORCE, &kNotificationBytes, sizeof(int)) != 0) {
    ::setsockopt(socket->descriptor_, SOL_SOCKET, SO_RCVBUF, &kNotificationBytes, sizeof(int));
  }
  return socket;
}

long NetlinkSocket::receive_datagram() {
  sockaddr_nl from{};
  iovec vector{buffer_.data(), buffer_.size()};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof(from);
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  for (;;) {
    const long length = ::recvmsg(descriptor_, &message, 0);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return -errno;
    if (from.nl_pid != 0) continue;  // another process may write to us; only the kernel is believed
    if ((message.msg_flags & MSG_TRUNC) != 0) return -EMSGSIZE;
    return length;
  }
}

int NetlinkSocket::request(Request request, const MessageHandler& handler) {
  nlmsghdr* sent = request.header();
  sent->nlmsg_seq = ++sequence_;
  if (::send(descriptor_, sent, sent->nlmsg_len, 0) < 0) return errno;
  bool interrupted = false;
  for (;;) {
    const long received = receive_datagram();
    if (received < 0) return received == -EAGAIN ? ETIMEDOUT : static_cast<int>(-received);
    auto left = static_cast<int>(received);
    for (auto* at = reinterpret_cast<const nlmsghdr*>(buffer_.data()); mnl_nlmsg_ok(at, left);
         at = mnl_nlmsg_next(at, &left)) {
      if (at->nlmsg_seq != sequence_) continue;  // a late answer to a request that timed out
      interrupted |= (at->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (at->nlmsg_type == NLMSG_DONE) return interrupted ? EINTR : 0;
      if (at->nlmsg_type == NLMSG_ERROR) {
        if (mnl_nlmsg_get_payload_len(at) < sizeof(nlmsgerr)) return EBADMSG;
        return -static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(at))->error;
      }
      handler(*at);
      if ((at->nlmsg_flags & NLM_F_MULTI) == 0) return 0;
    }
  }
}

int NetlinkSocket::receive(const MessageHandler& handler) {
  int dropped = 0;
  for (;;) {
    const long received = receive_datagram();
    if (received == -EAGAIN) return dropped;
    if (received == -ENOBUFS || received == -EMSGSIZE) {
      dropped = ENOBUFS;
      continue;
    }
    if (received < 0) return static_cast<int>(-received);
    auto left = static_cast<int>(received);
    for (auto* at = reinterpret_cast<const nlmsghdr*>(buffer_.data()); mnl_nlmsg_ok(at, left);
         at = mnl_nlmsg_next(at, &left)) {
      handler(*at);
    }
  }
}

}  // namespace warmswap::nexthop
