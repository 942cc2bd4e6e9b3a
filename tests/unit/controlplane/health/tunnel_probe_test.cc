// Probes through the tunnel, against a backend made of raw sockets in a network namespace of its own.
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cstring>
#include <deque>
#include <thread>

#include "tests/unit/controlplane/health/private_network.h"
#include "tests/unit/controlplane/health/prober_fixture.h"
#include "tests/unit/controlplane/health/tls_server.h"

namespace warmswap::health {
namespace {

constexpr uint32_t kVip = 0xc0000264;      // 192.0.2.100
constexpr uint32_t kBackend = 0x7f000002;  // 127.0.0.2

uint16_t sum_of(const std::string& bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    sum += static_cast<uint32_t>(static_cast<uint8_t>(bytes[i]) << 8) +
           (i + 1 < bytes.size() ? static_cast<uint8_t>(bytes[i + 1]) : 0);
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

/// The sum over pseudo header and transport segment: 0xffff when its checksum is right.
uint16_t transport_sum(const std::string& inner) {
  const std::string segment = inner.substr(sizeof(iphdr));
  std::string pseudo = inner.substr(12, 8);
  pseudo += '\0';
  pseudo += inner[9];
  pseudo += static_cast<char>(segment.size() >> 8);
  pseudo += static_cast<char>(segment.size());
  return sum_of(pseudo + segment);
}

/// Unpacks what comes in IPIP and answers it, or not.
class FakeBackend {
 public:
  enum class Does { accept, refuse, nothing };

  explicit FakeBackend(Does does) : does_(does) {
    receive_ = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_IPIP);
    send_ = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    const timeval patience{.tv_sec = 0, .tv_usec = 20'000};
    setsockopt(receive_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeBackend() {
    stop();
    close(receive_);
    close(send_);
  }
  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  /// Inner packets; read after stop().
  const std::deque<std::string>& seen() const { return seen_; }
  uint32_t outer_source() const { return outer_source_; }

 private:
  void serve() {
    while (!stop_) {
      char buffer[2048];
      const ssize_t got = recv(receive_, buffer, sizeof(buffer), 0);
      if (got < static_cast<ssize_t>(2 * sizeof(iphdr))) continue;
      iphdr outer{};
      std::memcpy(&outer, buffer, sizeof(outer));
      outer_source_ = ntohl(outer.saddr);
      seen_.emplace_back(buffer + sizeof(iphdr), static_cast<size_t>(got) - sizeof(iphdr));
      if (does_ != Does::nothing) answer(seen_.back());
    }
  }

  void answer(const std::string& inner) {
    iphdr ip{};
    std::memcpy(&ip, inner.data(), sizeof(ip));
    std::swap(ip.saddr, ip.daddr);
    std::string out;
    if (ip.protocol == IPPROTO_TCP) {
      tcphdr tcp{};
      std::memcpy(&tcp, inner.data() + sizeof(ip), sizeof(tcp));
      if (tcp.syn == 0) return;
      std::swap(tcp.source, tcp.dest);
      tcp.ack_seq = htonl(ntohl(tcp.seq) + 1);
      tcp.th_flags = does_ == Does::accept ? TH_SYN | TH_ACK : TH_RST | TH_ACK;
      out.assign(reinterpret_cast<const char*>(&tcp), sizeof(tcp));
    } else {
      udphdr udp{};
      std::memcpy(&udp, inner.data() + sizeof(ip), sizeof(udp));
      std::swap(udp.source, udp.dest);
      udp.check = 0;
      out.assign(reinterpret_cast<const char*>(&udp), sizeof(udp));
      out += inner.substr(sizeof(ip) + sizeof(udp));
    }
    ip.tot_len = htons(static_cast<uint16_t>(sizeof(ip) + out.size()));
    out.insert(0, reinterpret_cast<const char*>(&ip), sizeof(ip));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = ip.daddr;
    sendto(send_, out.data(), out.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
  }

  const Does does_;
  int receive_ = -1;
  int send_ = -1;
  std::atomic<bool> stop_ = false;
  std::deque<std::string> seen_;
  uint32_t outer_source_ = 0;
  std::thread thread_;
};

class TunnelProbe : public ProberTest {
 protected:
  static Target through_the_tunnel(ProbeKind kind, uint16_t port = 80, Clock::duration timeout = 5s) {
    Target target = ProberTest::target(1, port, kind, 1h, timeout);
    target.address = contract::Be32(kBackend);
    target.probe.via = config::ProbeVia::tunnel;
    target.tunnel = TunnelPath{contract::Be32(kVip), 443, {contract::Be32(0xc6120000), 16}};
    return target;
  }
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root for raw sockets and a network namespace";
  }
};

TEST_F(TunnelProbe, AHandshakeThatIsAnsweredIsGoodAndHungUp) {
  in_private_network([this] {
    FakeBackend backend(FakeBackend::Does::accept);
    const ProbeResult result = probe_once(through_the_tunnel(ProbeKind::tcp));
    EXPECT_EQ(result.outcome, Outcome::good) << result.detail;
    EXPECT_EQ(result.detail, "answered through the tunnel");
    run_for(50ms);
    backend.stop();
    ASSERT_EQ(backend.seen().size(), 2u) << "a SYN and a reset";
    for (const std::string& packet : backend.seen()) {
      iphdr ip{};
      tcphdr tcp{};
      std::memcpy(&ip, packet.data(), sizeof(ip));
      std::memcpy(&tcp, packet.data() + sizeof(ip), sizeof(tcp));
      EXPECT_EQ(ntohl(ip.daddr), kVip);
      EXPECT_EQ(ntohs(tcp.dest), 443);
      EXPECT_EQ(tcp.rst == 1, &packet == &backend.seen().back());
      EXPECT_EQ(sum_of(packet.substr(0, sizeof(ip))), 0xffff);
      EXPECT_EQ(transport_sum(packet), 0xffff);
    }
    EXPECT_EQ(backend.outer_source() >> 16, 0xc612u) << "the dataplane's outer source";
  });
}

TEST_F(TunnelProbe, AResetIsBad) {
  in_private_network([this] {
    const FakeBackend backend(FakeBackend::Does::refuse);
    const ProbeResult result = probe_once(through_the_tunnel(ProbeKind::tcp));
    EXPECT_EQ(result.outcome, Outcome::bad);
    EXPECT_EQ(result.detail, "connection refused through the tunnel");
  });
}

TEST_F(TunnelProbe, ABackendThatDoesNotUnpackIsBadAlthoughItsServiceWorks) {
  in_private_network([this] {
    const FakeBackend backend(FakeBackend::Does::nothing);
    const ProbeResult result = probe_once(through_the_tunnel(ProbeKind::tcp, 80, 100ms));
    EXPECT_EQ(result.outcome, Outcome::bad);
    EXPECT_EQ(result.detail, "timed out after 100 ms: no answer through the tunnel");
  });
}

TEST_F(TunnelProbe, WhatAsksMoreAsksItOnTheDirectWayThen) {
  in_private_network([this] {
    const FakeBackend backend(FakeBackend::Does::accept);
    {
      const Server server(answering("HTTP/1.1 200 OK\r\n\r\n"));
      Target one = through_the_tunnel(ProbeKind::http, server.port());
      one.address = contract::Be32(INADDR_LOOPBACK);
      const ProbeResult result = probe_once(one);
      EXPECT_EQ(result.outcome, Outcome::good) << result.detail;
      EXPECT_EQ(result.detail, "HTTP status 200, and through the tunnel");
    }
    results.clear();
    {
      const Server server([](const Server::Connection& connection) { connection.send("220 here\r\n"); });
      Target one = through_the_tunnel(ProbeKind::tcp, server.port());
      one.address = contract::Be32(INADDR_LOOPBACK);
      one.probe.expect = "220";
      EXPECT_EQ(probe_once(one).detail, "answered, and through the tunnel");
    }
    results.clear();
    {
      TlsIdentity identity;
      const Server server(identity.over_tls(answering("")));
      Target one = through_the_tunnel(ProbeKind::tcp, server.port());
      one.address = contract::Be32(INADDR_LOOPBACK);
      one.probe.tls = true;
      EXPECT_EQ(probe_once(one).detail, "connected over TLS, and through the tunnel");
    }
    results.clear();
    const RefusingPort refusing;
    Target other = through_the_tunnel(ProbeKind::http, refusing.port());
    other.address = contract::Be32(INADDR_LOOPBACK);
    EXPECT_EQ(probe_once(other).detail, "connection refused");
  });
}

TEST_F(TunnelProbe, ADatagramIsAnsweredFromTheVip) {
  in_private_network([this] {
    FakeBackend backend(FakeBackend::Does::accept);
    Target one = through_the_tunnel(ProbeKind::udp);
    one.probe.payload = "ping!";
    one.probe.expect = "ping";
    const ProbeResult result = probe_once(one);
    EXPECT_EQ(result.outcome, Outcome::good) << result.detail;
    backend.stop();
    ASSERT_EQ(backend.seen().size(), 1u);
    EXPECT_EQ(transport_sum(backend.seen().front()), 0xffff);
  });
}

}  // namespace
}  // namespace warmswap::health
