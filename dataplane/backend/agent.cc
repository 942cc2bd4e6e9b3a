#include "dataplane/backend/agent.h"

#include <fmt/format.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

#include "dataplane/backend/host_check.h"
#include "dataplane/backend/interface_lock.h"
#include "dataplane/backend/interface_monitor.h"
#include "dataplane/backend/netlink.h"
#include "dataplane/contract/descriptor.h"

namespace warmswap::backend {
namespace {

using contract::Descriptor;
using contract::Error;

/// How often the agent looks whether its program is still in place.
constexpr std::chrono::milliseconds kCheckInterval{1000};

/// Between the goodbye and the end of decapsulation: the balancers send elsewhere a millisecond after they hear it.
constexpr std::chrono::milliseconds kLeaveTime{100};

/// The program finds the outer header behind 14 bytes of Ethernet.
Result<void> require_ethernet(const std::string& interface) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  interface.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
  if (ioctl(socket.get(), SIOCGIFHWADDR, &request) != 0)
    return Error{fmt::format("cannot read the type of interface {}: {}", interface, std::strerror(errno))};
  if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
    return Error{
        fmt::format("interface {} is not Ethernet (ARPHRD type {}): attach to the one the balancer's packets "
                    "arrive on",
                    interface, request.ifr_hwaddr.sa_family)};
  return {};
}

Result<Descriptor> open_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  Descriptor signals(signalfd(-1, &set, SFD_CLOEXEC));
  if (signals.get() < 0) return Error{fmt::format("cannot wait for signals: {}", std::strerror(errno))};
  return signals;
}

/// The outer destinations to accept. An empty list is not an error: the interface may get its address later.
Result<std::vector<Be32>> addresses_to_serve(const AgentOptions& options, int ifindex) {
  if (!options.addresses.empty()) return options.addresses;
  Result<std::vector<Be32>> addresses = interface_addresses(ifindex);
  if (!addresses) return addresses;
  std::erase_if(addresses.value(), [&](Be32 address) {
    return std::find(options.vips.begin(), options.vips.end(), address) != options.vips.end();
  });
  if (addresses->empty())
    fmt::print(stderr,
               "warning: {} has no IPv4 address of its own, so no balancer can reach it: ip address add "
               "ADDRESS/LENGTH dev {}\n",
               options.interface, options.interface);
  return addresses;
}

/// Puts the program back when something (a network manager, an operator's `tc qdisc del`) took it away.
Result<void> keep_attached(DecapProgram& program, const std::string& interface, int ifindex) {
  Result<std::optional<AttachedProgram>> found = find_attached(ifindex);
  if (!found) return Error{found.error()};
  if (found->has_value() && (*found)->id == program.id()) return {};
  Result<void> attached = program.attach(ifindex);
  if (!attached)
    return Error{
        fmt::format("something took the program off {} and it cannot come back: {}", interface, attached.error())};
  fmt::print(stderr, "warning: something took the program off {}; attached it again\n", interface);
  return {};
}

bool exists(int ifindex) {
  char name[IF_NAMESIZE];
  return if_indextoname(static_cast<unsigned>(ifindex), name) != nullptr;
}

Result<void> follow_addresses(DecapProgram& program, const AgentOptions& options, int ifindex) {
  Result<std::vector<Be32>> addresses = addresses_to_serve(options, ifindex);
  if (!addresses) return Error{addresses.error()};
  return program.set_addresses(*addresses);
}

/// Until a signal asks to end.
Result<void> serve(DecapProgram& program, const AgentOptions& options, int ifindex, InterfaceMonitor& monitor,
                   const Descriptor& signals) {
  std::string complaint;  // the last one printed, so that a lasting fault is not told every second
  bool addresses_changed = false;
  for (;;) {
    std::array<pollfd, 2> ready = {
        {{.fd = signals.get(), .events = POLLIN, .revents = 0}, {.fd = monitor.fd(), .events = POLLIN, .revents = 0}}};
    const int events = poll(ready.data(), ready.size(), static_cast<int>(kCheckInterval.count()));
    if (events < 0 && errno != EINTR) return Error{fmt::format("cannot wait for events: {}", std::strerror(errno))};
    if (ready[0].revents != 0) return {};
    addresses_changed |= ready[1].revents != 0 && monitor.drain();
    Result<void> followed, kept;
    // A dying interface first loses its addresses; that is not worth a word of its own.
    if (exists(ifindex) && addresses_changed) followed = follow_addresses(program, options, ifindex);
    if (exists(ifindex)) kept = keep_attached(program, options.interface, ifindex);
    if (!exists(ifindex)) return Error{fmt::format("interface {} is gone, and the program with it", options.interface)};
    // Whatever failed may be over at the next look, and until then the attached program goes on working.
    addresses_changed = !followed;
    const std::string fault = !followed ? followed.error() : !kept ? kept.error() : std::string();
    if (!fault.empty() && fault != complaint) fmt::print(stderr, "warning: {}; trying on\n", fault);
    complaint = fault;
  }
}

}  // namespace

Result<void> run_agent(const AgentOptions& options) {
  Result<int> ifindex = index_of(options.interface);
  if (!ifindex) return Error{ifindex.error()};
  Result<void> ethernet = require_ethernet(options.interface);
  if (!ethernet) return ethernet;
  Result<InterfaceLock> lock = InterfaceLock::take(options.interface, *ifindex);
  if (!lock) return Error{lock.error()};
  Result<Descriptor> signals = open_signals();
  if (!signals) return Error{signals.error()};
  // Opened before the addresses are read, so that no change between the two is missed.
  Result<InterfaceMonitor> monitor = InterfaceMonitor::open(*ifindex);
  if (!monitor) return Error{monitor.error()};
  Result<std::vector<Be32>> addresses = addresses_to_serve(options, *ifindex);
  if (!addresses) return Error{addresses.error()};
  Result<DecapProgram> program =
      DecapProgram::load({.vips = options.vips, .addresses = *addresses, .sources = options.sources});
  if (!program) return Error{program.error()};
  if (std::any_of(options.sources.begin(), options.sources.end(),
                  [](SourcePrefix source) { return source.length == 0; }))
    fmt::print(stderr,
               "warning: --allow-source 0.0.0.0/0 lets every host that reaches {} forge clients' packets to the vips: "
               "name the balancers' outer_source instead\n",
               options.interface);
  for (const std::string& warning : host_warnings(options.interface, *ifindex, options.vips))
    fmt::print(stderr, "warning: {}\n", warning);
  Result<void> attached = program->attach(*ifindex);
  if (!attached) return attached;
  fmt::print("ready: decapsulating IPIP for {} vip{} on {}\n", options.vips.size(), options.vips.size() == 1 ? "" : "s",
             options.interface);
  std::fflush(stdout);
  // After the signals are blocked, which its thread inherits.
  Result<std::unique_ptr<Reporter>> reporter(std::unique_ptr<Reporter>{});
  if (!options.report.targets.empty()) reporter = Reporter::start(options.report);
  if (!reporter) return Error{reporter.error()};
  Result<void> served = serve(*program, options, *ifindex, *monitor, *signals);
  if (!served) return served;
  if (*reporter) {
    reporter->reset();
    std::this_thread::sleep_for(kLeaveTime);
  }
  return detach(*ifindex);
}

Result<void> detach_leftover(const std::string& interface) {
  Result<int> ifindex = index_of(interface);
  if (!ifindex) return Error{ifindex.error()};
  Result<InterfaceLock> lock = InterfaceLock::take(interface, *ifindex);
  if (!lock) return Error{lock.error()};
  return detach(*ifindex);
}

}  // namespace warmswap::backend
