#include "dataplane/backend/reporter.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <thread>

#include "dataplane/backend/address.h"
#include "dataplane/backend/load_sampler.h"
#include "dataplane/contract/agent_report_mac.h"
#include "dataplane/contract/descriptor.h"

namespace warmswap::backend {
namespace {

using contract::Descriptor;
using contract::Error;
using contract::Result;
using std::chrono::microseconds;

constexpr microseconds kSampleInterval{1'000'000};
/// A beat that waits for the CPU says the wrong thing; without the permission it waits like everybody.
constexpr int kNice = -10;

uint64_t realtime_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

sockaddr_in socket_address(const ReportTarget& target) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(target.address.host());
  address.sin_port = htons(target.port);
  return address;
}

/// The address that packets to the target leave from; 0 while there is no route.
Be32 source_towards(const ReportTarget& target) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_in to = socket_address(target);
  sockaddr_in from{};
  socklen_t length = sizeof(from);
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) return {};
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&from), &length) != 0) return {};
  return Be32(ntohl(from.sin_addr.s_addr));
}

class UdpReporter final : public Reporter {
 public:
  UdpReporter(const ReporterOptions& options, uint64_t session, Descriptor socket, Descriptor timer, Descriptor stop)
      : options_(options),
        session_(session),
        socket_(std::move(socket)),
        timer_(std::move(timer)),
        stop_(std::move(stop)),
        mac_(options.key),
        sampler_(options.interface, options.link_mbps) {
    thread_ = std::thread([this] { run(); });
  }

  ~UdpReporter() override {
    const uint64_t one = 1;
    if (write(stop_.get(), &one, sizeof(one)) == sizeof(one)) thread_.join();
  }

 private:
  void run() {
    setpriority(PRIO_PROCESS, 0, kNice);  // of this thread, on Linux
    load_ = sampler_.sample();
    microseconds since_sample{0};
    send(false);
    for (;;) {
      std::array<pollfd, 2> ready = {
          {{.fd = stop_.get(), .events = POLLIN, .revents = 0}, {.fd = timer_.get(), .events = POLLIN, .revents = 0}}};
      if (poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return;
      if (ready[0].revents != 0) return send(true);
      uint64_t expirations = 0;
      if (ready[1].revents == 0 || read(timer_.get(), &expirations, sizeof(expirations)) != sizeof(expirations)) {
        continue;
      }
      // Beats that were due while this thread did not run are not made up for: they would say that it did.
      send(false);
      since_sample += options_.interval * expirations;
      if (since_sample < kSampleInterval) continue;
      since_sample = microseconds(0);
      load_ = sampler_.sample();
    }
  }

  void send(bool leaving) {
    contract::AgentReport report;
    report.leaving = leaving;
    report.ready = options_.not_ready_file.empty() || access(options_.not_ready_file.c_str(), F_OK) != 0;
    report.session = session_;
    report.sequence = ++sequence_;
    report.interval_us = static_cast<uint32_t>(options_.interval.count());
    report.load = load_;
    for (const ReportTarget& target : options_.targets) {
      report.address = options_.address.host() != 0 ? options_.address : source_towards(target);
      report.sent_ns = realtime_ns();
      contract::AgentReportBytes bytes = contract::write_agent_report(report);
      mac_.sign(bytes);
      const sockaddr_in to = socket_address(target);
      // Nobody to tell an error to: the receiver notices what does not arrive.
      [[maybe_unused]] const ssize_t sent = sendto(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT,
                                                   reinterpret_cast<const sockaddr*>(&to), sizeof(to));
    }
  }

  const ReporterOptions options_;
  const uint64_t session_;
  Descriptor socket_;
  Descriptor timer_;
  Descriptor stop_;
  contract::AgentReportMac mac_;
  LoadSampler sampler_;
  contract::AgentLoad load_;
  uint64_t sequence_ = 0;
  std::thread thread_;
};

Error failed(const char* what) {
  return Error{fmt::format("cannot {}: {}", what, std::strerror(errno))};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<contract::HashKey> read_report_key(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat about {};
  if (file.get() < 0 || fstat(file.get(), &about) != 0)
    return Error{fmt::format("cannot read {}: {}", path, std::strerror(errno))};
  if ((about.st_mode & S_IRWXO) != 0)
    return Error{
        fmt::format("{} is open to all users: expected a file for its owner and group only (chmod 0640)", path)};
  std::array<char, 256> text{};
  const ssize_t length = read(file.get(), text.data(), text.size());
  std::string_view digits(text.data(), static_cast<size_t>(std::max<ssize_t>(length, 0)));
  while (!digits.empty() && std::strchr(" \t\r\n", digits.back()) != nullptr) digits.remove_suffix(1);
  const auto wrong = Error{fmt::format("{} holds no key: expected 32 hexadecimal digits", path)};
  if (digits.size() != 32) return wrong;
  std::array<unsigned char, sizeof(contract::HashKey)> bytes{};
  for (size_t i = 0; i < digits.size(); ++i) {
    const int digit = hex_digit(digits[i]);
    if (digit < 0) return wrong;
    bytes[i / 2] = static_cast<unsigned char>(bytes[i / 2] << 4 | digit);
  }
  return std::bit_cast<contract::HashKey>(bytes);
}

Result<std::unique_ptr<Reporter>> Reporter::start(const ReporterOptions& options) {
  uint64_t session = 0;
  if (getrandom(&session, sizeof(session), 0) != sizeof(session)) return failed("draw a session number");
  Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return failed("open a socket for heartbeats");
  Descriptor timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options.interval);
  const timespec interval{.tv_sec = seconds.count(), .tv_nsec = (options.interval - seconds).count() * 1000};
  const itimerspec every{.it_interval = interval, .it_value = interval};
  if (timer.get() < 0 || timerfd_settime(timer.get(), 0, &every, nullptr) != 0)
    return failed("set a timer for heartbeats");
  Descriptor stop(eventfd(0, EFD_CLOEXEC));
  if (stop.get() < 0) return failed("make an eventfd");
  return std::unique_ptr<Reporter>(
      std::make_unique<UdpReporter>(options, session, std::move(socket), std::move(timer), std::move(stop)));
}

}  // namespace warmswap::backend
