// Probes that only begin a handshake, against real listeners in a network namespace of the test's own.
#include <poll.h>

#include <set>

#include "controlplane/health/raw_sockets.h"
#include "tests/unit/controlplane/health/private_network.h"
#include "tests/unit/controlplane/health/prober_fixture.h"

namespace warmswap::health {
namespace {

/// Listens, and accepts nothing by itself.
class Listener {
 public:
  Listener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    socklen_t size = sizeof(name);
    auto* raw = reinterpret_cast<sockaddr*>(&name);
    EXPECT_EQ(bind(fd_, raw, size), 0);
    EXPECT_EQ(listen(fd_, 16), 0);
    getsockname(fd_, raw, &size);
    port_ = ntohs(name.sin_port);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { close(fd_); }
  uint16_t port() const { return port_; }
  bool has_connection() const {
    pollfd ready{fd_, POLLIN, 0};
    return poll(&ready, 1, 50) > 0;
  }

 private:
  int fd_;
  uint16_t port_ = 0;
};

class HalfOpenProbe : public ProberTest {
 protected:
  static Target half_open(uint64_t id, uint16_t port, Clock::duration timeout = 5s) {
    return ProberTest::target(id, port, ProbeKind::tcp_half_open, 1h, timeout);
  }
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root for raw sockets and a network namespace";
  }
};

TEST_F(HalfOpenProbe, AListenerIsGoodAndSeesNoConnection) {
  in_private_network([this] {
    const Listener listener;
    const ProbeResult result = probe_once(half_open(1, listener.port()));
    EXPECT_EQ(result.outcome, Outcome::good) << result.detail;
    EXPECT_EQ(result.detail, "answered");
    EXPECT_FALSE(listener.has_connection());
  });
}

TEST_F(HalfOpenProbe, APortWithoutAListenerIsBad) {
  in_private_network([this] {
    const RefusingPort refusing;
    const ProbeResult result = probe_once(half_open(1, refusing.port()));
    EXPECT_EQ(result.outcome, Outcome::bad);
    EXPECT_EQ(result.detail, "connection refused");
  });
}

TEST_F(HalfOpenProbe, SilenceIsBad) {
  in_private_network([this] {
    Target one = half_open(1, 80, 100ms);
    one.address = contract::Be32(0x7f000002);
    // A full accept queue lets SYNs fall.
    const Listener listener;
    one.port = listener.port();
    std::vector<int> clients;
    for (int i = 0; i < 40; ++i) {
      clients.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      to.sin_port = htons(listener.port());
      static_cast<void>(connect(clients.back(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)));
    }
    const ProbeResult result = probe_once(one);
    EXPECT_EQ(result.outcome, Outcome::bad);
    EXPECT_EQ(result.detail, "timed out after 100 ms: no answer");
    for (const int client : clients) close(client);
  });
}

TEST_F(HalfOpenProbe, ManyTargetsOfOneServerAreToldApart) {
  in_private_network([this] {
    const Listener listener;
    std::vector<Target> targets;
    for (uint64_t id = 1; id <= RawSockets::kPorts; ++id) targets.push_back(half_open(id, listener.port()));
    prober.set_targets(targets);
    run_for(300ms);
    ASSERT_EQ(results.size(), targets.size());
    std::set<uint64_t> ids;
    for (const ProbeResult& result : results) {
      EXPECT_EQ(result.outcome, Outcome::good) << result.detail;
      ids.insert(result.id);
    }
    EXPECT_EQ(ids.size(), targets.size());
  });
}

}  // namespace
}  // namespace warmswap::health
