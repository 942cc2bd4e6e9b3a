#include "controlplane/health/tunnel.h"

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

/// The address this host uses towards the backend, where its answer comes to.
Be32 own_address(Be32 backend, error_code& error) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = to_sockaddr(backend, 9);
  socklen_t size = sizeof(address);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (socket.get() < 0 || ::connect(socket.get(), raw, size) != 0 || ::getsockname(socket.get(), raw, &size) != 0) {
    error = last_error();
  }
  return Be32(ntohl(address.sin_addr.s_addr));
}

/// Keeps a TCP port of this host from being used by anybody else.
Descriptor reserve_port(Be32 address, uint16_t& port, error_code& error) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name = to_sockaddr(address, 0);
  socklen_t size = sizeof(name);
  auto* raw = reinterpret_cast<sockaddr*>(&name);
  if (socket.get() < 0 || ::bind(socket.get(), raw, size) != 0 || ::getsockname(socket.get(), raw, &size) != 0) {
    error = last_error();
  }
  port = ntohs(name.sin_port);
  return socket;
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

struct Tunnel::Handshake {
  Descriptor reserved;  // our port
  Be32 backend;
  TunnelPath path;
  Endpoint from;
  uint32_t sequence = 0;
  Heard heard;
};

class Tunnel::Impl {
 public:
  explicit Impl(asio::io_context& io) : answers_(io) {}

  bool open(error_code& error) {
    if (answers_.is_open()) return true;
    Descriptor send(::socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW));
    Descriptor receive(::socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    if (send.get() < 0 || receive.get() < 0) {
      error = last_error();
      return false;
    }
    hear_handshakes_only(receive.get());
    answers_.assign(receive.get(), error);
    if (error) return false;
    receive.release();
    send_ = std::move(send);
    listen();
    return true;
  }

  std::shared_ptr<Handshake> shake_hands(Be32 backend, const TunnelPath& path, Heard heard, error_code& error) {
    if (!open(error)) return nullptr;
    Endpoint from{own_address(backend, error), 0};
    if (error) return nullptr;
    Descriptor reserved = reserve_port(from.address, from.port, error);
    if (error) return nullptr;
    auto handshake =
        std::make_shared<Handshake>(Handshake{std::move(reserved), backend, path, from, random_(), std::move(heard)});
    send(backend, path, from.port, tcp_packet(from, {path.vip, path.port}, handshake->sequence, TH_SYN), error);
    if (error) return nullptr;
    forget_ended();
    waiting_[{path.vip.host(), path.port, from.port}] = handshake;
    return handshake;
  }

  void send_datagram(Be32 backend, const TunnelPath& path, uint16_t from_port, std::string_view payload,
                     error_code& error) {
    if (!open(error)) return;
    const Endpoint from{own_address(backend, error), from_port};
    if (!error) send(backend, path, from_port, udp_packet(from, {path.vip, path.port}, payload), error);
  }

 private:
  using Key = std::tuple<uint32_t, uint16_t, uint16_t>;  // vip, its port, ours

  /// Handshakes that were let go of, now and then.
  void forget_ended() {
    if (waiting_.size() < look_at_) return;
    std::erase_if(waiting_, [](const auto& entry) { return entry.second.expired(); });
    look_at_ = 2 * waiting_.size() + 64;
  }

  void send(Be32 backend, const TunnelPath& path, uint16_t entropy, const std::string& inner, error_code& error) {
    const uint32_t host_bits = path.outer_source.length >= 32 ? 0 : 0xffffffffu >> path.outer_source.length;
    const Be32 source(path.outer_source.address.host() | (static_cast<uint32_t>(contract::mix64(entropy)) & host_bits));
    const std::string packet = ip_header(IPPROTO_IPIP, source, backend, inner.size()) + inner;
    const sockaddr_in to = to_sockaddr(backend, 0);
    const ssize_t sent =
        ::sendto(send_.get(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
    if (sent < 0) error = last_error();
  }

  void listen() {
    answers_.async_read_some(asio::buffer(buffer_), [this](const error_code& error, size_t bytes) {
      if (error == asio::error::operation_aborted) return;
      if (!error) hear({buffer_.data(), bytes});
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
    if (!reset) hang_up(*handshake);
    if (const Heard heard = std::move(handshake->heard)) heard(reset ? Answer::reset : Answer::open);
  }

  void hang_up(const Handshake& handshake) {
    error_code ignored;
    const Endpoint vip{handshake.path.vip, handshake.path.port};
    send(handshake.backend, handshake.path, handshake.from.port,
         tcp_packet(handshake.from, vip, handshake.sequence + 1, TH_RST), ignored);
  }

  Descriptor send_;
  asio::posix::stream_descriptor answers_;
  std::array<char, 256> buffer_{};
  std::map<Key, std::weak_ptr<Handshake>> waiting_;
  size_t look_at_ = 64;
  std::random_device random_;
};

Tunnel::Tunnel(asio::io_context& io) : impl_(std::make_unique<Impl>(io)) {}
Tunnel::~Tunnel() = default;

std::shared_ptr<Tunnel::Handshake> Tunnel::shake_hands(Be32 backend, const TunnelPath& path, Heard heard,
                                                       error_code& error) {
  return impl_->shake_hands(backend, path, std::move(heard), error);
}

void Tunnel::send_datagram(Be32 backend, const TunnelPath& path, uint16_t from_port, std::string_view payload,
                           error_code& error) {
  impl_->send_datagram(backend, path, from_port, payload, error);
}

}  // namespace warmswap::health
