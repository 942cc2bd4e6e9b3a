#include "controlplane/health/raw_sockets.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <string_view>
#include <tuple>
#include <utility>

#include "controlplane/health/attempt.h"
#include "dataplane/contract/descriptor.h"
#include "dataplane/contract/mix64.h"

namespace warmswap::health {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using contract::Be32;
using contract::Descriptor;

constexpr uint8_t kHops = 64;
constexpr size_t kAnswersAtOnce = 4096;
constexpr int kReceiveBytes = 16 << 20;  // of the answers to some ten thousand probes, with the kernel's overhead

sockaddr_in to_sockaddr(Be32 address, uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(address.host());
  out.sin_port = htons(port);
  return out;
}

/// RFC 1071, over bytes in network order.
uint16_t checksum(std::string_view bytes, uint32_t sum = 0) {
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    sum += static_cast<uint32_t>(static_cast<uint8_t>(bytes[i]) << 8 | static_cast<uint8_t>(bytes[i + 1]));
  }
  if (bytes.size() % 2 == 1) sum += static_cast<uint32_t>(static_cast<uint8_t>(bytes.back()) << 8);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

template <typename T>
std::string bytes_of(const T& value) {
  std::string out(sizeof(value), '\0');
  std::memcpy(out.data(), &value, sizeof(value));
  return out;
}

std::string ip_header(uint8_t protocol, Be32 from, Be32 to, size_t payload) {
  iphdr header{};
  header.version = 4;
  header.ihl = sizeof(header) / 4;
  header.tot_len = htons(static_cast<uint16_t>(sizeof(header) + payload));
  header.frag_off = htons(IP_DF);
  header.ttl = kHops;
  header.protocol = protocol;
  header.saddr = htonl(from.host());
  header.daddr = htonl(to.host());
  header.check = htons(checksum(bytes_of(header)));
  return bytes_of(header);
}

/// The sum of the pseudo header, RFC 9293 section 3.1.
uint32_t pseudo_header(uint8_t protocol, Be32 from, Be32 to, size_t length) {
  return (from.host() >> 16) + (from.host() & 0xffff) + (to.host() >> 16) + (to.host() & 0xffff) + protocol +
         static_cast<uint32_t>(length);
}

struct Endpoint {
  Be32 address;
  uint16_t port = 0;
};

std::string tcp_packet(Endpoint from, Endpoint to, uint32_t sequence, uint16_t flags) {
  tcphdr segment{};
  segment.source = htons(from.port);
  segment.dest = htons(to.port);
  segment.seq = htonl(sequence);
  segment.doff = sizeof(segment) / 4;
  segment.window = htons(flags == TH_SYN ? 1024 : 0);
  segment.th_flags = static_cast<uint8_t>(flags);
  segment.check =
      htons(checksum(bytes_of(segment), pseudo_header(IPPROTO_TCP, from.address, to.address, sizeof(segment))));
  return ip_header(IPPROTO_TCP, from.address, to.address, sizeof(segment)) + bytes_of(segment);
}

std::string udp_packet(Endpoint from, Endpoint to, std::string_view payload) {
  udphdr header{};
  const size_t length = sizeof(header) + payload.size();
  header.source = htons(from.port);
  header.dest = htons(to.port);
  header.len = htons(static_cast<uint16_t>(length));
  std::string datagram = bytes_of(header).append(payload);
  uint16_t sum = checksum(datagram, pseudo_header(IPPROTO_UDP, from.address, to.address, length));
  if (sum == 0) sum = 0xffff;  // RFC 768: none is written as 0
  sum = htons(sum);
  std::memcpy(datagram.data() + offsetof(udphdr, check), &sum, sizeof(sum));
  return ip_header(IPPROTO_UDP, from.address, to.address, length) + datagram;
}

/// The address this host uses towards the backend, where its answer comes to: that of `socket`, a UDP one, connected
/// there. Asked each time, because routes change.
Be32 own_address(int socket, Be32 backend, error_code& error) {
  sockaddr nowhere{};
  nowhere.sa_family = AF_UNSPEC;
  sockaddr_in address = to_sockaddr(backend, 9);
  socklen_t size = sizeof(address);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  static_cast<void>(::connect(socket, &nowhere, sizeof(nowhere)));  // or the address of the last time would stay
  if (::connect(socket, raw, size) != 0 || ::getsockname(socket, raw, &size) != 0) error = last_error();
  return Be32(ntohl(address.sin_addr.s_addr));
}

/// A TCP port of this host, kept from being used by anybody else.
struct ReservedPort {
  Descriptor socket;
  uint16_t port = 0;
};

ReservedPort reserve_port(error_code& error) {
  ReservedPort reserved{Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), 0};
  sockaddr_in name = to_sockaddr(Be32(INADDR_ANY), 0);
  socklen_t size = sizeof(name);
  auto* raw = reinterpret_cast<sockaddr*>(&name);
  const int fd = reserved.socket.get();
  if (fd < 0 || ::bind(fd, raw, size) != 0 || ::getsockname(fd, raw, &size) != 0) error = last_error();
  reserved.port = ntohs(name.sin_port);
  return reserved;
}

/// Lets through what begins or refuses a connection: SYN and ACK together, or RST.
void hear_handshakes_only(int fd) {
  constexpr uint32_t kFlagsAt = 13, kDrop = 0, kAll = 0x40000;
  std::array<sock_filter, 8> code = {{
      BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),  // the IP header's length
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, kFlagsAt),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, TH_RST, 4, 0),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TH_SYN | TH_ACK),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TH_SYN | TH_ACK, 2, 0),
      BPF_STMT(BPF_RET | BPF_K, kDrop),
      BPF_STMT(BPF_RET | BPF_K, kDrop),
      BPF_STMT(BPF_RET | BPF_K, kAll),
  }};
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

}  // namespace

struct RawSockets::Handshake {
  Be32 backend;
  std::optional<TunnelPath> tunnel;
  Endpoint from;
  Endpoint to;
  uint32_t sequence = 0;
  Heard heard;
};

class RawSockets::Impl {
 public:
  explicit Impl(asio::io_context& io) : answers_(io) {}

  bool open(error_code& error) {
    if (answers_.is_open()) return true;
    Descriptor send(::socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW));
    Descriptor receive(::socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    Descriptor route(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (send.get() < 0 || receive.get() < 0 || route.get() < 0) {
      error = last_error();
      return false;
    }
    for (ReservedPort& port : ports_) {
      port = reserve_port(error);
      if (error) return false;
    }
    // Beyond net.core.rmem_max where we may.
    if (::setsockopt(receive.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBytes, sizeof(kReceiveBytes)) != 0) {
      ::setsockopt(receive.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBytes, sizeof(kReceiveBytes));
    }
    hear_handshakes_only(receive.get());
    answers_.assign(receive.get(), error);
    if (error) return false;
    receive.release();
    send_ = std::move(send);
    route_ = std::move(route);
    listen();
    return true;
  }

  std::shared_ptr<Handshake> shake_hands(const Target& target, Heard heard, error_code& error) {
    if (!open(error)) return nullptr;
    const Endpoint to =
        target.tunnel ? Endpoint{target.tunnel->vip, target.tunnel->port} : Endpoint{target.address, target.port};
    const Be32 own = own_address(route_.get(), target.address, error);
    if (error) return nullptr;
    forget_ended();
    const auto from_port = free_port(to);
    if (!from_port) {
      error = {EADDRNOTAVAIL, boost::system::system_category()};
      return nullptr;
    }
    auto handshake = std::make_shared<Handshake>(
        Handshake{target.address, target.tunnel, {own, *from_port}, to, random_(), std::move(heard)});
    send(target.address, target.tunnel, *from_port, tcp_packet(handshake->from, to, handshake->sequence, TH_SYN),
         error);
    if (error) return nullptr;
    waiting_[{to.address.host(), to.port, *from_port}] = handshake;
    return handshake;
  }

  void send_datagram(const Target& target, uint16_t from_port, std::string_view payload, error_code& error) {
    if (!open(error)) return;
    const Endpoint from{own_address(route_.get(), target.address, error), from_port};
    const Endpoint vip{target.tunnel->vip, target.tunnel->port};
    if (!error) send(target.address, target.tunnel, from_port, udp_packet(from, vip, payload), error);
  }

 private:
  using Key = std::tuple<uint32_t, uint16_t, uint16_t>;  // who answers, its port, ours

  /// In turn: what a lost reset has left behind at the other end is not met again at once.
  std::optional<uint16_t> free_port(Endpoint to) {
    for (size_t tries = 0; tries < kPorts; ++tries) {
      const uint16_t port = ports_[next_port_++ % kPorts].port;
      const auto taken = waiting_.find({to.address.host(), to.port, port});
      if (taken == waiting_.end() || taken->second.expired()) return port;
    }
    return std::nullopt;
  }

  /// Handshakes that were let go of, now and then.
  void forget_ended() {
    if (waiting_.size() < look_at_) return;
    std::erase_if(waiting_, [](const auto& entry) { return entry.second.expired(); });
    look_at_ = 2 * waiting_.size() + 64;
  }

  void send(Be32 backend, const std::optional<TunnelPath>& tunnel, uint16_t entropy, std::string packet,
            error_code& error) {
    if (tunnel) {
      const config::Prefix& range = tunnel->outer_source;
      const uint32_t host_bits = range.length >= 32 ? 0 : 0xffffffffu >> range.length;
      const Be32 source(range.address.host() | (static_cast<uint32_t>(contract::mix64(entropy)) & host_bits));
      packet.insert(0, ip_header(IPPROTO_IPIP, source, backend, packet.size()));
    }
    const sockaddr_in to = to_sockaddr(backend, 0);
    const ssize_t sent =
        ::sendto(send_.get(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
    if (sent < 0) error = last_error();
  }

  void listen() {
    answers_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const error_code& error) {
      if (error == asio::error::operation_aborted) return;
      // Many at once: what waited here while the loop started probe after probe would be taken for too late.
      for (size_t i = 0; i < kAnswersAtOnce; ++i) {
        const ssize_t got = ::recv(answers_.native_handle(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
        if (got < 0) break;
        hear({buffer_.data(), static_cast<size_t>(got)});
      }
      listen();
    });
  }

  void hear(std::string_view packet) {
    iphdr ip{};
    tcphdr segment{};
    if (packet.size() < sizeof(ip)) return;
    std::memcpy(&ip, packet.data(), sizeof(ip));
    const size_t header = size_t{ip.ihl} * 4;
    if (packet.size() < header + sizeof(segment)) return;
    std::memcpy(&segment, packet.data() + header, sizeof(segment));
    const auto found = waiting_.find({ntohl(ip.saddr), ntohs(segment.source), ntohs(segment.dest)});
    if (found == waiting_.end()) return;
    const auto handshake = found->second.lock();
    // Another's, or a late answer to an earlier one of the same ports.
    if (handshake && ntohl(segment.ack_seq) != handshake->sequence + 1) return;
    waiting_.erase(found);
    if (!handshake) return;
    const bool reset = (segment.th_flags & TH_RST) != 0;
    if (!reset && handshake->tunnel) hang_up(*handshake);
    if (const Heard heard = std::move(handshake->heard)) heard(reset ? Answer::reset : Answer::open);
  }

  void hang_up(const Handshake& handshake) {
    error_code ignored;
    send(handshake.backend, handshake.tunnel, handshake.from.port,
         tcp_packet(handshake.from, handshake.to, handshake.sequence + 1, TH_RST), ignored);
  }

  Descriptor send_;
  Descriptor route_;  // tells which address of ours leads to a backend
  std::array<ReservedPort, kPorts> ports_;
  size_t next_port_ = 0;
  asio::posix::stream_descriptor answers_;
  std::array<char, 256> buffer_{};
  std::map<Key, std::weak_ptr<Handshake>> waiting_;
  size_t look_at_ = 64;
  std::random_device random_;
};

RawSockets::RawSockets(asio::io_context& io) : impl_(std::make_unique<Impl>(io)) {}
RawSockets::~RawSockets() = default;

std::shared_ptr<RawSockets::Handshake> RawSockets::shake_hands(const Target& target, Heard heard, error_code& error) {
  return impl_->shake_hands(target, std::move(heard), error);
}

void RawSockets::send_datagram(const Target& target, uint16_t from_port, std::string_view payload, error_code& error) {
  impl_->send_datagram(target, from_port, payload, error);
}

}  // namespace warmswap::health
