#include "controlplane/api/server.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <random>
#include <thread>

#include "controlplane/api/listen.h"
#include "tests/unit/controlplane/api/fake_service.h"
#include "tests/unit/controlplane/api/json_reader.h"
#include "tests/unit/controlplane/api/raw_client.h"
#include "tests/unit/controlplane/api/test_server.h"

namespace warmswap::api {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// Serves a FakeService through the real router; knobs small enough to reach.
class ServerTest : public testing::Test {
 protected:
  static ServerOptions options() {
    ServerOptions small;
    small.max_connections = 8;
    small.idle_timeout = 2000ms;
    small.header_timeout = 300ms;
    small.body_timeout = 300ms;
    small.linger_timeout = 1500ms;
    return small;
  }
  RawClient unix_client() { return RawClient::unix_socket(server.socket_path()); }
  RawClient tcp_client() { return RawClient::tcp(server.tcp_port()); }
  bool still_serves() { return unix_client().get("/v1/version").status == 200; }

  static std::string error_of(const RawResponse& response) {
    const auto body = read_json(response.body);
    EXPECT_TRUE(body.is_object() && body.as_object().contains("error")) << response.body;
    return std::string(body.at("error").as_string());
  }

  FakeService service;
  Router router{service, "control.sock"};
  TestServer server{[this](const Request& request) { return router.handle(request); }, options()};
};

const std::string kChange = R"({"changes":[{"op":"weight","pool":"web","backend":"web1","weight":5}]})";

std::string post(const std::string& target, const std::string& body, const std::string& headers = "") {
  return "POST " + target + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         headers + "\r\n" + body;
}

TEST_F(ServerTest, ServesBothListeners) {
  for (const bool by_tcp : {false, true}) {
    RawClient client = by_tcp ? tcp_client() : unix_client();
    const RawResponse response = client.get("/v1/version");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.headers.at("content-type"), "application/json");
    EXPECT_EQ(response.headers.at("cache-control"), "no-store");
    EXPECT_EQ(read_json(response.body).at("version"), "0.1.0");
  }
}

TEST_F(ServerTest, KeepsAConnectionForManyRequests) {
  RawClient client = unix_client();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(client.get("/v1/status").status, 200);
}

TEST_F(ServerTest, HeadHasTheLengthAndNoBody) {
  RawClient client = tcp_client();
  client.send("HEAD /v1/version HTTP/1.1\r\nHost: x\r\n\r\n");
  const RawResponse head = client.receive(false);
  const RawResponse get = client.get("/v1/version");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(get.status, 200) << "nothing of the body stood in between";
  EXPECT_EQ(head.headers.at("content-length"), std::to_string(get.body.size()));
}

TEST_F(ServerTest, Http10ClosesUnlessAsked) {
  RawClient client = unix_client();
  client.send("GET /v1/version HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_TRUE(client.closed());
}

TEST_F(ServerTest, ConnectionCloseIsHonoured) {
  RawClient client = unix_client();
  client.send("GET /v1/version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const RawResponse response = client.receive();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.at("connection"), "close");
  EXPECT_TRUE(client.closed());
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  RawClient client = unix_client();
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += "GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n" + post("/v1/changes", kChange) +
           "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  std::thread sender([&] { client.send(all); });
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(client.receive().status, 200);
    EXPECT_EQ(client.receive().status, 200);
    EXPECT_EQ(client.receive().status, 404);
  }
  sender.join();
  server.run([&] { EXPECT_EQ(service.applied.size(), 50u); });
}

TEST_F(ServerTest, AHalfClosedClientGetsItsAnswer) {
  RawClient client = unix_client();
  client.send(post("/v1/changes", kChange));
  client.finish_sending();
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_TRUE(client.closed());
}

TEST_F(ServerTest, ARequestCutShortIsAFault) {
  for (const std::string part : {"GET /v1/version HT", "POST /v1/changes HTTP/1.1\r\nContent-Length: 10\r\n\r\n{"}) {
    RawClient client = tcp_client();
    client.send(part);
    client.finish_sending();
    const RawResponse response = client.receive();
    EXPECT_TRUE(response.status == 400 || response.status == 405) << response.status;
    EXPECT_TRUE(client.closed());
  }
}

TEST_F(ServerTest, ABodyByLengthBeyondTheLimitIsToldSo) {
  for (const bool by_tcp : {false, true}) {
    RawClient client = by_tcp ? tcp_client() : unix_client();
    const std::string body(kMaxBodyBytes + 1, 'x');
    client.send(post("/v1/changes", body));
    const RawResponse response = client.receive();
    EXPECT_EQ(response.status, 413);
    EXPECT_EQ(error_of(response), "the body is larger than 1048576 bytes");
    EXPECT_TRUE(client.closed());
  }
}

TEST_F(ServerTest, AHugeBodySentWholeIsToldSo) {
  RawClient client = unix_client();
  const std::string chunk(1 << 20, 'x');
  client.send("POST /v1/changes HTTP/1.1\r\nContent-Length: 33554432\r\n\r\n");
  bool taken = true;
  for (int i = 0; i < 32 && taken; ++i) taken = client.send(chunk);
  EXPECT_TRUE(taken) << "a client that sends before it reads must not be cut off at once";
  EXPECT_EQ(client.receive().status, 413);
}

TEST_F(ServerTest, AChunkedBodyBeyondTheLimitIsToldSo) {
  RawClient client = unix_client();
  client.send("POST /v1/changes HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  for (int i = 0; i < 20; ++i) client.send(chunk);
  EXPECT_EQ(client.receive().status, 413);
}

TEST_F(ServerTest, TheLargestBodyPasses) {
  RawClient client = unix_client();
  std::string body = kChange;
  body.append(kMaxBodyBytes - body.size(), ' ');
  client.send(post("/v1/changes", body));
  EXPECT_EQ(client.receive().status, 200);
}

TEST_F(ServerTest, AChunkedBodyIsRead) {
  RawClient client = unix_client();
  client.send("POST /v1/reload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n");
  EXPECT_EQ(client.receive().status, 200);
}

TEST_F(ServerTest, ExpectContinueIsAnswered) {
  RawClient client = unix_client();
  const std::string request = post("/v1/changes", kChange, "Expect: 100-continue\r\n");
  const size_t body = request.find("\r\n\r\n") + 4;
  client.send(request.substr(0, body));
  EXPECT_EQ(client.receive(false).status, 100);
  client.send(request.substr(body));
  EXPECT_EQ(client.receive().status, 200);

  RawClient large = unix_client();
  large.send("POST /v1/changes HTTP/1.1\r\nContent-Length: 9999999\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(large.receive().status, 413) << "refused before it is sent";
}

TEST_F(ServerTest, LongHeadersAreToldSo) {
  const std::string long_line = "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n\r\n";
  std::string many = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 2000; ++i) many += "X-Header: value\r\n";
  for (const std::string& request : {long_line, many + "\r\n", std::string(200000, 'G')}) {
    RawClient client = tcp_client();
    client.send(request);
    const RawResponse response = client.receive();
    EXPECT_TRUE(response.status == 431 || response.status == 400) << response.status;
    EXPECT_TRUE(client.closed());
  }
}

TEST_F(ServerTest, GarbageGetsAnErrorAndNeverHarms) {
  std::mt19937 random(5);
  const std::string seeds[] = {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                               "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                               "GET\r\n\r\n",
                               "GET / HTTP/9.9\r\n\r\n",
                               "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                               "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                               "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
                               "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y",
                               std::string("GET /\0 HTTP/1.1\r\n\r\n", 20),
                               "\r\n\r\n\r\n"};
  for (int round = 0; round < 200; ++round) {
    std::string bytes = seeds[static_cast<size_t>(round) % std::size(seeds)];
    if (round >= 20) {
      for (int i = 0; i < 4; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    RawClient client = round % 2 == 0 ? tcp_client() : unix_client();
    client.send(bytes);
    client.finish_sending();
    const RawResponse response = client.receive();
    EXPECT_TRUE(response.status == 0 || response.status >= 200) << response.status;
  }
  EXPECT_TRUE(still_serves());
  EXPECT_TRUE(service.applied.empty());
}

/// How long the server keeps a connection that sends one byte at a time.
std::chrono::milliseconds drip(RawClient client, const std::string& start) {
  const auto begin = Clock::now();
  client.send(start);
  while (Clock::now() - begin < 8s && client.send("a")) std::this_thread::sleep_for(20ms);
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
}

TEST_F(ServerTest, SlowHeadersAreCutOff) {
  EXPECT_LT(drip(tcp_client(), "GET /"), 3000ms);
  EXPECT_TRUE(still_serves());
}

TEST_F(ServerTest, SlowBodiesAreCutOff) {
  EXPECT_LT(drip(unix_client(), "POST /v1/changes HTTP/1.1\r\nContent-Length: 100000\r\n\r\n{"), 3000ms);
  EXPECT_TRUE(still_serves());
}

TEST_F(ServerTest, SilenceIsCutOff) {
  RawClient client = tcp_client();
  const auto begin = Clock::now();
  EXPECT_TRUE(client.closed());
  EXPECT_GT(Clock::now() - begin, 1s) << "between requests a client may take its time";
  EXPECT_LT(Clock::now() - begin, 5s);
}

TEST_F(ServerTest, TooManyConnectionsAreToldSo) {
  std::vector<RawClient> held;
  for (size_t i = 0; i < options().max_connections; ++i) {
    held.push_back(tcp_client());
    ASSERT_EQ(held.back().get("/v1/version").status, 200);
  }
  for (int i = 0; i < 4; ++i) {
    RawClient client = tcp_client();
    const RawResponse response = client.get("/v1/version");
    EXPECT_EQ(response.status, 503);
    EXPECT_NE(error_of(response).find("8 connections"), std::string::npos);
    EXPECT_TRUE(client.closed());
  }
  EXPECT_TRUE(still_serves()) << "the control socket has places of its own";
  held.clear();
  const auto deadline = Clock::now() + 5s;
  int status = 0;
  while (status != 200 && Clock::now() < deadline) status = tcp_client().get("/v1/version").status;
  EXPECT_EQ(status, 200) << "places are given back";
}

TEST_F(ServerTest, AFloodOfConnectionsIsBounded) {
  std::vector<RawClient> flood;
  for (int i = 0; i < 100; ++i) {
    flood.push_back(tcp_client());
    flood.back().send("GET /v1/");
  }
  size_t descriptors = 0;
  server.run([&] {
    DIR* folder = opendir("/proc/self/fd");
    while (readdir(folder) != nullptr) ++descriptors;
    closedir(folder);
  });
  EXPECT_LT(descriptors, 100 + 2 * options().max_connections + 40);
  EXPECT_TRUE(still_serves());
}

TEST_F(ServerTest, TheReadOnlyListenerRefusesAChangeAtOnce) {
  RawClient client = tcp_client();
  client.send("POST /v1/changes HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{");
  const RawResponse response = client.receive();
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.at("allow"), "GET, HEAD");
  EXPECT_NE(error_of(response).find("control.sock"), std::string::npos);
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(service.applied.empty());
}

TEST_F(ServerTest, OnlyTheControlSocketExplains) {
  const std::string flow =
      "/v1/explain?source=203.0.113.7&source_port=40000&destination=198.51.100.10&destination_port=80";
  EXPECT_EQ(unix_client().get(flow).status, 200);
  RawClient client = tcp_client();
  const RawResponse response = client.get(flow);
  EXPECT_EQ(response.status, 403);
  EXPECT_NE(error_of(response).find("control.sock"), std::string::npos);
  EXPECT_EQ(client.get("/v1/status").status, 200) << "the connection goes on";
}

TEST_F(ServerTest, AClientThatLeavesWithoutReadingHarmsNobody) {
  for (int i = 0; i < 50; ++i) unix_client().send("GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(still_serves());
}

TEST_F(ServerTest, StopClosesEverythingAndRemovesTheSocket) {
  RawClient idle = unix_client();
  ASSERT_EQ(idle.get("/v1/version").status, 200);
  RawClient midway = tcp_client();
  midway.send("GET /v1");
  server.stop();
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(midway.closed());
  struct stat found {};
  EXPECT_NE(lstat(server.socket_path().c_str(), &found), 0);
  EXPECT_THROW(tcp_client(), std::runtime_error);
}

TEST(ServerStart, AFailureLeavesNothingBehind) {
  const TemporaryFolder folder;
  const auto busy = listen_tcp("127.0.0.1", 0);
  ASSERT_TRUE(busy.ok());
  boost::asio::io_context context;
  const ServerOptions options{
      .socket_path = folder.path("s"), .listen_address = "127.0.0.1", .listen_port = bound_port(busy->get())};
  const auto server = Server::start(context, options, [](const Request&) { return Response{}; });
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.error().find(std::to_string(options.listen_port)), std::string::npos) << server.error();
  struct stat found {};
  EXPECT_NE(lstat(options.socket_path.c_str(), &found), 0);
}

TEST(ServerStart, TheLoopMayEndWithConnectionsOpen) {
  const TemporaryFolder folder;
  int answered = 0;
  boost::asio::io_context context;
  auto server = Server::start(context, {.socket_path = folder.path("s")}, [&](const Request&) {
    ++answered;
    return Response{};
  });
  ASSERT_TRUE(server.ok()) << server.error();
  EXPECT_EQ((*server)->tcp_port(), 0);
  const RawClient idle = RawClient::unix_socket(folder.path("s"));
  const RawClient asking = RawClient::unix_socket(folder.path("s"));
  asking.send("GET /v1/version HTTP/1.1\r\n\r\n");
  context.run_for(50ms);
  EXPECT_EQ(answered, 1);
  asking.send("GET /v1/version HTTP/1.1\r\n\r\n");
  server->reset();
  context.poll();
  EXPECT_EQ(answered, 1) << "no call after the end";
}

}  // namespace
}  // namespace warmswap::api
