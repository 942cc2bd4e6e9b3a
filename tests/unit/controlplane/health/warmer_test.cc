#include "controlplane/health/warmer.h"

#include <boost/asio/io_context.hpp>
#include <mutex>

#include "tests/unit/controlplane/health/prober_fixture.h"

namespace warmswap::health {
namespace {

class WarmerTest : public ProberTest {
 protected:
  static WarmTarget standby(uint16_t port, std::vector<std::string> paths) {
    WarmTarget target{.id = 7, .address = contract::Be32(INADDR_LOOPBACK), .port = port};
    target.warm.paths = std::move(paths);
    target.warm.interval = 10ms;
    target.host = "www.example";
    return target;
  }
  Server::Serve remembering(const std::string& status) {
    return [this, status](const Server::Connection& connection) {
      const std::string request = connection.read_request();
      {
        const std::lock_guard lock(mutex_);
        asked_.push_back(request.substr(0, request.find(" HTTP/1.1")));
        with_host_ = request.find("\r\nHost: www.example\r\n") != std::string::npos;
      }
      connection.send("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n");
    };
  }
  std::mutex mutex_;
  std::vector<std::string> asked_;
  bool with_host_ = false;
};

TEST_F(WarmerTest, AsksForTheListInTurn) {
  Server server(remembering("200 OK"));
  Warmer warmer(io);
  warmer.set_targets({standby(server.port(), {"/a", "/b?x=1", "/c"})});
  ASSERT_TRUE(run_until([&] { return warmer.figures(7)->requests >= 7; }));
  EXPECT_EQ(warmer.figures(7)->failures, 0u);
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(asked_[i], std::vector<std::string>({"GET /a", "GET /b?x=1", "GET /c"})[i % 3]) << i;
  }
  EXPECT_TRUE(with_host_);
}

TEST_F(WarmerTest, ErrorsAreCountedAndItGoesOn) {
  Server server(remembering("500 Oh"));
  Warmer warmer(io);
  warmer.set_targets({standby(server.port(), {"/"})});
  ASSERT_TRUE(run_until([&] { return warmer.figures(7)->requests >= 3; }));
  EXPECT_EQ(warmer.figures(7)->failures, warmer.figures(7)->requests);
}

TEST_F(WarmerTest, ARemovedTargetIsAskedNoMore) {
  Server server(remembering("200 OK"));
  Warmer warmer(io);
  warmer.set_targets({standby(server.port(), {"/"})});
  ASSERT_TRUE(run_until([&] { return warmer.figures(7)->requests >= 1; }));
  warmer.set_targets({});
  EXPECT_FALSE(warmer.figures(7).has_value());
  run_for(20ms);
  const int accepted = server.accepted();
  run_for(60ms);
  EXPECT_EQ(server.accepted(), accepted);
}

TEST_F(WarmerTest, WithoutPathsThereIsNothingToAsk) {
  Warmer warmer(io);
  warmer.set_targets({standby(1, {})});
  EXPECT_FALSE(warmer.figures(7).has_value());
}

}  // namespace
}  // namespace warmswap::health
