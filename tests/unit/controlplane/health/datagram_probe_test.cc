// udp and icmp against the loopback interface.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "tests/unit/controlplane/health/private_network.h"
#include "tests/unit/controlplane/health/prober_fixture.h"

namespace warmswap::health {
namespace {

/// Answers each datagram with a text of its own; remembers the last one.
class UdpServer {
 public:
  explicit UdpServer(std::string answer)
      : answer_(std::move(answer)), fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    const timeval patience{.tv_sec = 0, .tv_usec = 20'000};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      throw std::runtime_error("cannot bind a UDP socket");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~UdpServer() {
    stop_ = true;
    thread_.join();
    close(fd_);
  }
  uint16_t port() const { return port_; }
  std::string received() {
    stop_ = true;
    thread_.join();
    thread_ = std::thread([] {});
    return received_;
  }

 private:
  void serve() {
    while (!stop_) {
      char buffer[2048];
      sockaddr_in peer{};
      socklen_t length = sizeof(peer);
      const ssize_t got = recvfrom(fd_, buffer, sizeof(buffer), 0, reinterpret_cast<sockaddr*>(&peer), &length);
      if (got < 0) continue;
      received_.assign(buffer, static_cast<size_t>(got));
      if (!answer_.empty()) sendto(fd_, answer_.data(), answer_.size(), 0, reinterpret_cast<sockaddr*>(&peer), length);
    }
  }
  const std::string answer_;
  int fd_;
  uint16_t port_ = 0;
  std::atomic<bool> stop_ = false;
  std::string received_;
  std::thread thread_;
};

class UdpProbe : public ProberTest {
 protected:
  static Target asking(uint16_t port, std::string payload, std::string expect, Clock::duration timeout = 5s) {
    Target target = ProberTest::target(1, port, ProbeKind::udp, 1h, timeout);
    target.probe.payload = std::move(payload);
    target.probe.expect = std::move(expect);
    return target;
  }
};

TEST_F(UdpProbe, AnAnswerThatContainsWhatIsExpectedIsGood) {
  UdpServer server("status: ok\n");
  const ProbeResult result = probe_once(asking(server.port(), "hex:70696e6700", "ok"));
  EXPECT_EQ(result.outcome, Outcome::good) << result.detail;
  EXPECT_EQ(server.received(), std::string("ping\0", 5)) << "hexadecimal may say any byte";
}

TEST_F(UdpProbe, AnotherAnswerIsBad) {
  UdpServer server("status: busy\n");
  const ProbeResult result = probe_once(asking(server.port(), "ping", "ok"));
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_EQ(result.detail, "answered with something else than expected");
}

TEST_F(UdpProbe, AnyAnswerWillDoWhereNothingIsExpected) {
  UdpServer server("?");
  EXPECT_EQ(probe_once(asking(server.port(), "ping", "")).outcome, Outcome::good);
}

TEST_F(UdpProbe, ASilentServerTimesOut) {
  UdpServer server("");
  const ProbeResult result = probe_once(asking(server.port(), "ping", "", 50ms));
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_EQ(result.detail, "timed out after 50 ms: no answer");
}

TEST_F(UdpProbe, APortThatNobodyListensOnIsRefused) {
  uint16_t port = 0;
  { port = UdpServer("").port(); }
  const ProbeResult result = probe_once(asking(port, "ping", ""));
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_EQ(result.detail, "connection refused");
}

/// Where this group may use ping sockets, or may not.
void with_ping_groups(const char* ping_groups, const std::function<void()>& body) {
  health::in_private_network([&] {
    std::ofstream("/proc/sys/net/ipv4/ping_group_range") << ping_groups;
    body();
  });
}

TEST_F(ProberTest, IcmpEchoesAreAnsweredByAHostThatLives) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root for a network namespace";
  with_ping_groups("0 2147483647", [this] {
    const ProbeResult result = probe_once(target(1, 0, ProbeKind::icmp));
    EXPECT_EQ(result.outcome, Outcome::good) << result.detail;
    EXPECT_EQ(result.detail, "echo answered");
    results.clear();
    Target nowhere = target(2, 0, ProbeKind::icmp);
    nowhere.address = contract::Be32(0xc0000201);  // no route in there
    EXPECT_EQ(probe_once(nowhere).outcome, Outcome::bad);
  });
}

TEST_F(ProberTest, WithoutThePermissionIcmpSaysNothingAboutTheBackend) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root for a network namespace";
  with_ping_groups("1 0", [this] {
    const ProbeResult result = probe_once(target(1, 0, ProbeKind::icmp));
    EXPECT_EQ(result.outcome, Outcome::not_run);
    EXPECT_NE(result.detail.find("net.ipv4.ping_group_range"), std::string::npos) << result.detail;
  });
}

}  // namespace
}  // namespace warmswap::health
