// What probing costs: the CPU time of the prober's thread with many targets at one probe a second each, as tcp and as
// tcp_half_open. Also what a heartbeat costs, from the datagram in the kernel to the tracker. Prints JSON.
//
//     prober_cost [TARGETS [SECONDS [ADDRESS PORT]]]      10000 and 10 by default
//
// The targets have ADDRESS and those after it. Without one they are on the loopback interface, answered by a process of
// its own; the kernel's work for that side is then done in the prober's system calls and counted with it.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
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

double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
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

/// A process that accepts on every address of this host, for the length of the object.
class Server {
 public:
  Server() : port_(listen_everywhere(listener_)), child_(fork()) {
    if (child_ == 0) serve(listener_);
    close(listener_);
  }
  ~Server() {
    kill(child_, SIGTERM);
    waitpid(child_, nullptr, 0);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  uint16_t port() const { return port_; }

 private:
  int listener_ = -1;
  const uint16_t port_;
  const pid_t child_;
};

struct Asked {
  config::ProbeKind kind = config::ProbeKind::tcp;
  uint32_t targets = 0;
  uint32_t first = 0;  // address; the others follow
  uint16_t port = 0;
};

/// Prints the part of a core that each second took, as a JSON object.
void measure_probes(const Asked& asked, int seconds) {
  config::PoolConfig pool{.name = "p"};
  pool.probe.kind = asked.kind;
  pool.probe.port = asked.port;
  std::vector<health::Target> targets;
  for (uint32_t i = 0; i < asked.targets; ++i) {
    const contract::Be32 address(asked.first + i);
    pool.backends.push_back({.name = name_of(i), .address = address});
    targets.push_back({i, pool.probe, address, asked.port});
  }
  failover::PoolState state = failover::start(pool, 1s).state;
  uint64_t good = 0, others = 0;
  boost::asio::io_context io(1);
  // As the controller does: what is found in one round of the loop is one step.
  std::vector<failover::Event> events;
  const auto step = [&] {
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
  prober.set_targets(targets);
  const auto all_serve = [&] {
    return std::all_of(state.backends.begin(), state.backends.end(),
                       [](const failover::BackendState& backend) { return backend.state == failover::State::serving; });
  };
  for (int waited = 0; waited < 30 && !all_serve(); ++waited) io.run_for(1s);
  io.run_for(3s);  // and nothing that is found is news
  good = others = 0;
  std::printf("{\"kind\":\"%s\",\"targets\":%u,\"core\":[", std::string(config::to_string(asked.kind)).c_str(),
              asked.targets);
  for (int second = 0; second < seconds; ++second) {
    const double before = thread_seconds();
    const auto begun = std::chrono::steady_clock::now();
    io.run_for(1s);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    std::printf("%s%.5f", second == 0 ? "" : ",", (thread_seconds() - before) / took.count());
  }
  std::printf("],\"per_s\":%.1f,\"not_good\":%lu}", static_cast<double>(good + others) / seconds,
              static_cast<unsigned long>(others));
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
  std::printf("{\"backends\":%u,\"us\":%.3f,\"accepted\":%lu,\"sent\":%u}", backends,
              1e6 * used / static_cast<double>(accepted), static_cast<unsigned long>(accepted), beats);
}

}  // namespace

int main(int argc, char** argv) {
  Asked asked;
  asked.targets = static_cast<uint32_t>(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10'000);
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 10;
  if (asked.targets == 0 || seconds <= 0 || argc == 4 || argc > 5) {
    std::fprintf(stderr, "usage: prober_cost [TARGETS [SECONDS [ADDRESS PORT]]]\n");
    return 2;
  }
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  std::optional<Server> server;
  if (argc == 5) {
    asked.first = ntohl(inet_addr(argv[3]));
    asked.port = static_cast<uint16_t>(std::strtoul(argv[4], nullptr, 10));
  } else {
    server.emplace();
    asked.first = 0x7f010001;
    asked.port = server->port();
  }
  std::printf("{\"probes\":[");
  measure_probes(asked, seconds);
  std::printf(",");
  asked.kind = config::ProbeKind::tcp_half_open;
  measure_probes(asked, seconds);
  std::printf("],\"heartbeats\":");
  measure_heartbeats(asked.targets, 200'000);
  std::printf("}\n");
  return 0;
}
