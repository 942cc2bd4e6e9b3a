#include "controlplane/health/warmer.h"

#include <boost/asio/io_context.hpp>
#include <mutex>

#include "tests/unit/controlplane/health/prober_fixture.h"
#include "tests/unit/controlplane/health/tls_server.h"

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
  /// Answers what comes first with itself.
  Server::Serve echoing() {
    return [this](const Server::Connection& connection) {
      const std::string said = connection.receive();
      {
        const std::lock_guard lock(mutex_);
        asked_.push_back(said);
      }
      connection.send(said);
    };
  }
  static WarmTarget over_tcp(uint16_t port, std::vector<std::string> payloads, std::string expect = "") {
    WarmTarget target = standby(port, {});
    target.warm.kind = ProbeKind::tcp;
    target.warm.payloads = std::move(payloads);
    target.warm.expect = std::move(expect);
    return target;
  }
  const Warmer::Report told = [this](uint64_t, bool warmed, const std::string& why) {
    news_.emplace_back(warmed, why);
  };
  std::vector<std::pair<bool, std::string>> news_;
  std::mutex mutex_;
  std::vector<std::string> asked_;
  bool with_host_ = false;
};

TEST_F(WarmerTest, AsksForTheListInTurn) {
  Server server(remembering("200 OK"));
  Warmer warmer(io, told);
  warmer.set_targets({standby(server.port(), {"/a", "/b?x=1", "/c"})});
  ASSERT_TRUE(run_until([&] { return warmer.figures(7)->requests >= 7; }));
  EXPECT_EQ(warmer.figures(7)->failures, 0u);
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(asked_[i], std::vector<std::string>({"GET /a", "GET /b?x=1", "GET /c"})[i % 3]) << i;
  }
  EXPECT_TRUE(with_host_);
}

TEST_F(WarmerTest, AsksOverTlsWhoeverTheServerSaysItIs) {
  TlsIdentity identity;
  identity.use_certificate("other.example", true);
  Server server(identity.over_tls(remembering("200 OK")));
  Warmer warmer(io, told);
  WarmTarget target = standby(server.port(), {"/a", "/b"});
  target.warm.kind = ProbeKind::https;
  warmer.set_targets({target});
  ASSERT_TRUE(run_until([&] { return warmer.figures(7)->requests >= 4; }));
  EXPECT_EQ(warmer.figures(7)->failures, 0u);
  EXPECT_EQ(identity.server_name(), "www.example");
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(asked_[0], "GET /a");
  EXPECT_EQ(asked_[1], "GET /b");
  EXPECT_TRUE(with_host_);
}

TEST_F(WarmerTest, SendsEachPayloadOverAConnectionOfItsOwn) {
  Server server(echoing());
  Warmer warmer(io, told);
  warmer.set_targets({over_tcp(server.port(), {"PING\n", "hex:00ff"})});
  ASSERT_TRUE(run_until([&] { return warmer.figures(7)->requests >= 4; }));
  EXPECT_EQ(warmer.figures(7)->failures, 0u);
  EXPECT_GE(server.accepted(), 4);
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(asked_[i], i % 2 == 0 ? "PING\n" : std::string("\0\xff", 2)) << i;
}

TEST_F(WarmerTest, AnAnswerWithoutWhatIsExpectedIsAFailure) {
  Server server(echoing());
  Warmer warmer(io, told);
  warmer.set_targets({over_tcp(server.port(), {"PING\n", "QUIT\n"}, "PI")});
  ASSERT_TRUE(run_until([&] { return warmer.figures(7)->requests >= 4; }));
  const WarmFigures figures = *warmer.figures(7);
  EXPECT_EQ(figures.failures, figures.requests / 2) << "every other";
}

TEST_F(WarmerTest, SimulatedLoadIsOfTheSameKind) {
  TlsIdentity identity;
  Server secure(identity.over_tls(remembering("200 OK")));
  Server plain(echoing());
  Warmer warmer(io, told);
  std::vector<WarmTarget> targets = {standby(secure.port(), {"/"}), over_tcp(plain.port(), {"PING\n"}, "PING")};
  targets[0].warm.kind = ProbeKind::https;
  targets[1].id = 8;
  for (WarmTarget& target : targets) {
    target.warm.interval = 1h;
    target.warm.rate = 40;
    target.warm.response_time = 500ms;
  }
  warmer.set_targets(targets);
  ASSERT_TRUE(run_until([&] { return warmer.figures(7)->warmth > 0 && warmer.figures(8)->warmth > 0; }));
  EXPECT_EQ(warmer.figures(7)->failures, 0u);
  EXPECT_EQ(warmer.figures(8)->failures, 0u);
}

TEST_F(WarmerTest, ErrorsAreCountedAndItGoesOn) {
  Server server(remembering("500 Oh"));
  Warmer warmer(io, told);
  warmer.set_targets({standby(server.port(), {"/"})});
  ASSERT_TRUE(run_until([&] { return warmer.figures(7)->requests >= 3; }));
  EXPECT_EQ(warmer.figures(7)->failures, warmer.figures(7)->requests);
}

TEST_F(WarmerTest, ARemovedTargetIsAskedNoMore) {
  Server server(remembering("200 OK"));
  Warmer warmer(io, told);
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
  Warmer warmer(io, told);
  warmer.set_targets({standby(1, {})});
  EXPECT_FALSE(warmer.figures(7).has_value());
}

TEST_F(WarmerTest, SimulatedLoadMakesItWarm) {
  Server server(remembering("200 OK"));
  Warmer warmer(io, told);
  WarmTarget target = standby(server.port(), {"/a", "/b"});
  target.warm.interval = 1h;
  target.warm.rate = 40;
  target.warm.response_time = 500ms;
  target.warm.hold = 1s;
  warmer.set_targets({target});
  EXPECT_EQ(warmer.figures(7)->warmth, 0);
  ASSERT_TRUE(run_until([&] { return !news_.empty(); }, 40s)) << warmer.figures(7)->why;
  EXPECT_TRUE(news_.front().first);
  EXPECT_EQ(warmer.figures(7)->warmth, 1);
  const uint64_t requests = warmer.figures(7)->requests;
  EXPECT_GE(requests, 150u) << "4 + 8 + ... + 40";
  EXPECT_LE(requests, 300u);
  run_for(1500ms);
  EXPECT_LE(warmer.figures(7)->requests, requests + 2) << "then it rests";
}

TEST_F(WarmerTest, WhatCannotHoldTheRateDoesNotBecomeWarm) {
  Server server(remembering("503 Busy"));
  Warmer warmer(io, told);
  WarmTarget target = standby(server.port(), {"/"});
  target.warm.interval = 1h;
  target.warm.rate = 100;
  warmer.set_targets({target});
  run_for(2500ms);
  EXPECT_TRUE(news_.empty());
  EXPECT_EQ(warmer.figures(7)->warmth, 0);
  EXPECT_LE(warmer.figures(7)->requests, 10u + 5 + 3) << "the rate is halved";
}

TEST_F(WarmerTest, StandbysOfAPoolShareItsBudget) {
  Server server(remembering("200 OK"));
  Warmer warmer(io, told);
  std::vector<WarmTarget> targets;
  for (uint64_t id = 1; id <= 4; ++id) {
    targets.push_back(standby(server.port(), {"/"}));
    targets.back().id = id;
    targets.back().pool = "web";
    targets.back().warm.interval = 1h;
    targets.back().warm.rate = 200;
    targets.back().warm.budget = 30;
    targets.back().warmed = id == 1;  // would like half of its rate at once
  }
  warmer.set_targets(targets);
  run_for(2s);
  uint64_t requests = 0;
  for (uint64_t id = 1; id <= 4; ++id) requests += warmer.figures(id)->requests;
  EXPECT_GE(requests, 20u);
  EXPECT_LE(requests, 30u * 2 + 10);
}

}  // namespace
}  // namespace warmswap::health
