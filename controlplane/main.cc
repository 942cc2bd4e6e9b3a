// warmswap-controlplane: wires configuration, controller, next hops and the control interface together.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

#include "controlplane/api/router.h"
#include "controlplane/api/server.h"
#include "controlplane/config/describe.h"
#include "controlplane/config/load.h"
#include "controlplane/controller.h"
#include "controlplane/nexthop/resolver.h"

namespace {

using namespace warmswap;

int check(const std::string& file, const config::Loaded& loaded) {
  for (const std::string& warning : loaded.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  std::printf("%s%s: good\n", config::describe(loaded.config).c_str(), file.c_str());
  return 0;
}

std::string socket_path(const config::Config& config) {
  return config.instance.run_dir + "/" + config.instance.name + ".sock";
}

/// Reloads on SIGHUP, ends the loop on SIGTERM and SIGINT.
void wait_for_signal(boost::asio::io_context& context, boost::asio::signal_set& signals,
                     controlplane::Controller& controller, api::Server& server) {
  signals.async_wait([&](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal != SIGHUP) {
      spdlog::info("signal {}: stopping; the dataplane goes on with the last snapshot", signal);
      server.stop();
      controller.stop();
      context.stop();
      return;
    }
    const api::ApplyResult result = controller.reload({});
    if (!result.ok()) spdlog::error("reload refused, nothing changed:\n{}", result.error);
    for (const std::string& line : result.notes) spdlog::warn("{}", line);
    wait_for_signal(context, signals, controller, server);
  });
}

int serve(const std::string& file, config::Config config) {
  boost::asio::io_context context(1);
  boost::asio::signal_set signals(context, SIGHUP, SIGTERM, SIGINT);  // first: a reload may be asked for at once
  std::error_code error;
  std::filesystem::create_directories(config.instance.run_dir, error);
  if (error) {
    spdlog::error("cannot make instance.run_dir {}: {}", config.instance.run_dir, error.message());
    return 1;
  }
  controlplane::Controller* controller_at = nullptr;
  auto resolver = nexthop::Resolver::open(context, {.on_change =
                                                        [&controller_at] {
                                                          if (controller_at != nullptr)
                                                            controller_at->on_routes_changed();
                                                        },
                                                    .log = [](const std::string& line) { spdlog::warn("{}", line); }});
  if (!resolver) {
    spdlog::error("{}", resolver.error());
    return 1;
  }
  const std::string path = socket_path(config);
  const api::ServerOptions options{.socket_path = path,
                                   .group = config.instance.group,
                                   .listen_address = config.controlplane.listen_address,
                                   .listen_port = config.controlplane.listen_port};
  const std::string listen =
      config.controlplane.listen_address.empty()
          ? std::string()
          : ", http://" + config.controlplane.listen_address + ":" + std::to_string(config.controlplane.listen_port);
  controlplane::Controller controller(context, file, std::move(config), std::move(*resolver));
  const api::Router router(controller, path);
  auto server =
      api::Server::start(context, options, [&router](const api::Request& request) { return router.handle(request); });
  if (!server) {
    spdlog::error("{}", server.error());
    return 1;
  }
  controller_at = &controller;
  controller.start();
  wait_for_signal(context, signals, controller, **server);
  std::printf("ready: control socket %s%s\n", path.c_str(), listen.c_str());
  std::fflush(stdout);
  // Whatever a handler throws costs that one event, never the process that keeps the tables right.
  for (;;) {
    try {
      context.run();
      return 0;
    } catch (const std::exception& failure) {
      spdlog::critical("an event was given up: {}", failure.what());
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"warmswap-controlplane: watches backends, decides failover, publishes tables to the dataplane"};
  std::string file = "/etc/warmswap/warmswap.toml";
  bool only_check = false;
  app.add_option("-c,--config", file, "configuration")->capture_default_str();
  app.add_flag("--check", only_check, "check the configuration, say what it means and exit");
  std::string positional;
  app.add_option("FILE", positional, "the same as --config FILE");
  app.set_version_flag("--version", "warmswap-controlplane " WARMSWAP_VERSION);
  app.footer("SIGHUP reloads the configuration; a bad file changes nothing. SIGTERM stops; the dataplane forwards on.");
  CLI11_PARSE(app, argc, argv);
  if (!positional.empty()) file = positional;

  spdlog::set_default_logger(spdlog::stderr_logger_st("controlplane"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %n %l: %v");
  auto loaded = config::load_file(file);
  if (!loaded) {
    std::fprintf(stderr, "%s\n", loaded.error().c_str());
    return 2;
  }
  if (only_check) return check(file, *loaded);
  spdlog::set_level(spdlog::level::from_str(loaded->config.controlplane.log_level));
  for (const std::string& warning : loaded->warnings) spdlog::warn("{}", warning);
  return serve(file, std::move(loaded->config));
}
