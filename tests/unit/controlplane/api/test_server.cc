#include "tests/unit/controlplane/api/test_server.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <filesystem>
#include <future>
#include <stdexcept>
#include <thread>

namespace warmswap::api {

namespace asio = boost::asio;

TemporaryFolder::TemporaryFolder() {
  std::string name = testing::TempDir() + "warmswap-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

struct TestServer::Loop {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard = asio::make_work_guard(context);
  std::unique_ptr<Server> server;
  std::thread thread;
};

TestServer::TestServer(Server::Handler handler, ServerOptions options)
    : socket_path_(folder_.path("control.sock")), loop_(std::make_unique<Loop>()) {
  options.socket_path = socket_path_;
  options.listen_address = "127.0.0.1";
  auto server = Server::start(loop_->context, options, std::move(handler));
  if (!server) throw std::runtime_error(server.error());
  loop_->server = std::move(server).value();
  tcp_port_ = loop_->server->tcp_port();
  loop_->thread = std::thread([this] { loop_->context.run(); });
}

TestServer::~TestServer() {
  stop();
  loop_->guard.reset();
  // Everything the server left in the loop must come to its end by itself.
  loop_->thread.join();
}

void TestServer::run(const std::function<void()>& function) {
  std::promise<void> done;
  asio::post(loop_->context, [&] {
    function();
    done.set_value();
  });
  done.get_future().get();
}

void TestServer::stop() {
  run([this] { loop_->server.reset(); });
}

}  // namespace warmswap::api
