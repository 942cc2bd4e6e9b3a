// What probing costs: the CPU time of the prober's thread with many targets on the loopback interface, answered by a
// process of its own. Also what a heartbeat costs, from the datagram in the kernel to the tracker.
//
//     prober_cost [TARGETS [SECONDS]]      10000 and 10 by default
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/config/text.h"
#include "controlplane/failover/engine.h"
#include "controlplane/health/prober.h"
#include "controlplane/heartbeat/receiver.h"
#include "dataplane/contract/agent_report_mac.h"

namespace {

using namespace warmswap;
using namespace std::chrono_literals;

struct Cpu {
  double user = 0;
  double system = 0;
};

Cpu thread_time() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return {seconds(usage.ru_utime), seconds(usage.ru_stime)};
}

double thread_seconds() {
  const Cpu now = thread_time();
  return now.user + now.system;
}

/// Accepts on every address of this host and closes; ends with its parent's signal.
[[noreturn]] void serve(int listener) {
  for (;;) {
    pollfd ready{.fd = listener, .events = POLLIN, .revents = 0};
    poll(&ready, 1, -1);
    for (;;) {
      const int client = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (client < 0) break;
      close(client);
    }
  }
}

uint16_t listen_everywhere(int& listener) {
  listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  socklen_t length = sizeof(address);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(listener, 4096) != 0 || getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    std::perror("listen");
    std::exit(1);
  }
  return ntohs(address.sin_port);
}

std::string name_of(uint32_t number) {
  char name[16];
  std::snprintf(name, sizeof(name), "b%05u", number);
  return name;
}

void measure_probes(config::ProbeKind kind, uint32_t count, int seconds) {
  int listener = -1;
  const uint16_t port = listen_everywhere(listener);
  const pid_t child = fork();
  if (child == 0) serve(listener);
  close(listener);

  config::PoolConfig pool{.name = "p"};
  pool.probe.kind = kind;
  pool.probe.port = port;
  for (uint32_t i = 0; i < count; ++i) {
    pool.backends.push_back({.name = name_of(i), .address = contract::Be32(0x7f010001 + i)});
  }
  failover::PoolState state = failover::start(pool, 1s).state;
  uint64_t good = 0, others = 0, steps = 0;
  boost::asio::io_context io(1);
  // As the controller does: what is found in one round of the loop is one step.
  std::vector<failover::Event> events;
  const auto step = [&] {
    ++steps;
    state = failover::step(pool, std::move(state), std::exchange(events, {}),
                           std::chrono::steady_clock::now().time_since_epoch())
                .state;
  };
  health::Prober prober(io, [&](const health::ProbeResult& result) {
    const bool is_good = result.outcome == health::Outcome::good;
    (is_good ? good : others) += 1;
    failover::ProbeResult found{pool.backends[result.id].name, is_good ? failover::Probe::good : failover::Probe::bad,
                                result.detail, result.finished.time_since_epoch()};
    if (failover::says_nothing_new(pool, state, found)) return;
    if (events.empty()) boost::asio::post(io, step);
    events.emplace_back(std::move(found));
  });
  std::vector<health::Target> targets;
  for (uint32_t i = 0; i < count; ++i) targets.push_back({i, pool.probe, pool.backends[i].address, port});
  prober.set_targets(targets);
  io.run_for(15s);  // everybody has been found healthy
  good = others = steps = 0;
  const Cpu begun = thread_time();
  io.run_for(std::chrono::seconds(seconds));
  const Cpu end = thread_time();
  const double user = end.user - begun.user, used = user + end.system - begun.system;
  kill(child, SIGTERM);
  waitpid(child, nullptr, 0);
  std::printf(
      "probes      %u %s targets at 1 s: %.0f results/s, %.1f %% of a core (%.1f %% user), %.1f us each; %lu not "
      "good, %lu engine "
      "steps\n",
      count, std::string(config::to_string(kind)).c_str(), static_cast<double>(good + others) / seconds,
      100 * used / seconds, 100 * user / seconds, 1e6 * used / static_cast<double>(good + others),
      static_cast<unsigned long>(others), static_cast<unsigned long>(steps));
}

void measure_heartbeats(uint32_t backends, uint32_t beats) {
  boost::asio::io_context io(1);
  const contract::HashKey key{1, 2};
  auto receiver =
      heartbeat::Receiver::open(io, {.address = "127.0.0.1", .port = 0, .key = key, .max_clock_skew = 1min},
                                {.on_changes = [](const auto&) {}, .on_load = [](uint64_t, const auto&) {}});
  if (!receiver) {
    std::fprintf(stderr, "%s\n", receiver.error().c_str());
    std::exit(1);
  }
  std::vector<heartbeat::Source> sources;
  for (uint32_t i = 0; i < backends; ++i) sources.push_back({i, contract::Be32(0x0a000000 + i), 3});
  (*receiver)->set_sources(sources);
  boost::asio::ip::udp::socket sender(io, boost::asio::ip::udp::v4());
  contract::AgentReportMac mac(key);
  double used = 0;
  for (uint32_t sent = 0; sent < beats;) {
    for (uint32_t i = 0; i < 2000; ++i, ++sent) {
      const auto now = std::chrono::system_clock::now().time_since_epoch();
      contract::AgentReport report{.address = contract::Be32(0x0a000000 + sent % backends)};
      report.session = 7;
      report.sequence = sent / backends + 1;
      report.sent_ns = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
      report.interval_us = 10'000'000;
      contract::AgentReportBytes bytes = contract::write_agent_report(report);
      mac.sign(bytes);
      sender.send_to(boost::asio::buffer(bytes), {boost::asio::ip::address_v4::loopback(), (*receiver)->port()});
    }
    const double begun = thread_seconds();
    io.restart();
    io.poll();
    used += thread_seconds() - begun;
  }
  const uint64_t accepted = (*receiver)->counts()[0];
  std::printf("heartbeats  %u backends: %.2f us each (%lu of %u accepted)\n", backends,
              1e6 * used / static_cast<double>(accepted), static_cast<unsigned long>(accepted), beats);
}

}  // namespace

int main(int argc, char** argv) {
  const auto targets = static_cast<uint32_t>(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10'000);
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 10;
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  measure_probes(config::ProbeKind::tcp, targets, seconds);
  measure_probes(config::ProbeKind::tcp_half_open, targets, seconds);
  measure_heartbeats(targets, 200'000);
  return 0;
}
