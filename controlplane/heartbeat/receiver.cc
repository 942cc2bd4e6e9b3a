#include "controlplane/heartbeat/receiver.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <unordered_map>

#include "controlplane/heartbeat/window.h"
#include "dataplane/contract/agent_report_mac.h"

namespace warmswap::heartbeat {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;
using contract::AgentReport;
using contract::Error;
using contract::Result;

constexpr size_t kBatch = 64;
/// Room for what 10 000 backends send in 200 ms, at about 800 bytes of kernel memory a datagram.
constexpr int kReceiveBuffer = 8 << 20;
/// An interval outside is taken for the nearer end: a check is due at most every millisecond.
constexpr uint32_t kLeastIntervalUs = 1'000, kMostIntervalUs = 60'000'000;

Nanoseconds steady_now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

uint64_t wall_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<Nanoseconds>(now).count());
}

class UdpReceiver final : public Receiver {
 public:
  UdpReceiver(asio::io_context& io, udp::socket socket, const ReceiverOptions& options, Callbacks callbacks)
      : socket_(std::move(socket)),
        timer_(io),
        mac_(options.key),
        skew_ns_(static_cast<uint64_t>(options.max_clock_skew.count())),
        callbacks_(std::move(callbacks)) {
    for (size_t i = 0; i < kBatch; ++i) {
      vectors_[i] = {.iov_base = datagrams_[i].data(), .iov_len = datagrams_[i].size()};
      messages_[i].msg_hdr.msg_iov = &vectors_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
    wait_for_datagrams();
  }

  void set_sources(const std::vector<Source>& sources) override {
    std::unordered_map<uint32_t, Host> hosts;
    std::unordered_map<uint64_t, bool> kept;
    for (const Source& source : sources) {
      Host& host = hosts[source.address.host()];
      if (const auto before = hosts_.find(source.address.host()); host.ids.empty() && before != hosts_.end()) {
        host.window = before->second.window;
      }
      host.ids.push_back(source.id);
      kept[source.id] = true;
      tracker_.set_missed(source.id, source.missed);
    }
    for (const auto& [address, host] : hosts_) {
      for (const uint64_t id : host.ids) {
        if (!kept.contains(id)) tracker_.forget(id);
      }
    }
    hosts_ = std::move(hosts);
  }

  void stop() override {
    boost::system::error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
  }

  Pulse pulse(uint64_t id) const override { return tracker_.pulse(id); }
  std::array<uint64_t, kVerdicts> counts() const override { return counts_; }
  uint16_t port() const override { return socket_.local_endpoint().port(); }

 private:
  struct Host {
    std::vector<uint64_t> ids;
    Window window;
  };

  void wait_for_datagrams() {
    socket_.async_wait(udp::socket::wait_read, [this](const boost::system::error_code& error) {
      if (error) return;
      drain();
      wait_for_datagrams();
    });
  }

  void drain() {
    std::vector<Change> changes;
    for (;;) {
      const int count = recvmmsg(socket_.native_handle(), messages_.data(), kBatch, MSG_DONTWAIT | MSG_TRUNC, nullptr);
      for (int i = 0; i < count; ++i) {
        // MSG_TRUNC: the length is the datagram's own, however little of it was wanted.
        const size_t length = messages_[i].msg_len;
        ++counts_[static_cast<size_t>(take(datagrams_[i], length, changes))];
      }
      if (count < static_cast<int>(kBatch)) break;
    }
    if (!changes.empty()) callbacks_.on_changes(changes);
    arm_timer();
  }

  Verdict take(const contract::AgentReportBytes& bytes, size_t length, std::vector<Change>& changes) {
    if (length != contract::kAgentReportBytes) return Verdict::malformed;
    switch (contract::agent_report_form(bytes)) {
      case contract::AgentReportFault::none:
        break;
      case contract::AgentReportFault::version:
        return Verdict::version;
      default:
        return Verdict::malformed;
    }
    const AgentReport report = contract::read_agent_report(bytes);
    const auto host = hosts_.find(report.address.host());
    if (host == hosts_.end()) return Verdict::unknown_backend;
    if (!mac_.verify(bytes)) return Verdict::forged;
    switch (host->second.window.take(report, wall_ns(), skew_ns_)) {
      case Freshness::replayed:
        return Verdict::replayed;
      case Freshness::clock_off:
        return Verdict::clock_off;
      case Freshness::fresh:
        break;
    }
    const Nanoseconds now = steady_now();
    const auto interval = std::chrono::microseconds(std::clamp(report.interval_us, kLeastIntervalUs, kMostIntervalUs));
    for (const uint64_t id : host->second.ids) {
      const auto change =
          tracker_.on_beat(id, {.interval = interval, .ready = report.ready, .leaving = report.leaving}, now);
      if (change) changes.push_back(*change);
      if (!report.leaving) callbacks_.on_load(id, report.load);
    }
    return Verdict::accepted;
  }

  void arm_timer() {
    const std::optional<Nanoseconds> next = tracker_.next_check();
    if (!next || (armed_ && *armed_ <= *next)) return;
    armed_ = next;
    timer_.expires_at(asio::steady_timer::time_point(*next));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      armed_.reset();
      drain();
      if (const std::vector<Change> changes = tracker_.check(steady_now()); !changes.empty()) {
        callbacks_.on_changes(changes);
      }
      armed_.reset();
      arm_timer();
    });
  }

  udp::socket socket_;
  asio::steady_timer timer_;
  contract::AgentReportMac mac_;
  const uint64_t skew_ns_;
  const Callbacks callbacks_;
  std::unordered_map<uint32_t, Host> hosts_;  // by address, host byte order
  Tracker tracker_;
  std::optional<Nanoseconds> armed_;
  std::array<uint64_t, kVerdicts> counts_{};
  std::array<contract::AgentReportBytes, kBatch> datagrams_{};
  std::array<iovec, kBatch> vectors_{};
  std::array<mmsghdr, kBatch> messages_{};
};

}  // namespace

std::string_view to_string(Verdict verdict) noexcept {
  static constexpr std::array<std::string_view, kVerdicts> kNames = {
      "accepted", "malformed", "version", "unknown_backend", "forged", "replayed", "clock_off",
  };
  return kNames[static_cast<size_t>(verdict)];
}

Result<std::unique_ptr<Receiver>> Receiver::open(asio::io_context& io, const ReceiverOptions& options,
                                                 Callbacks callbacks) {
  boost::system::error_code error;
  const asio::ip::address_v4 address = asio::ip::make_address_v4(options.address, error);
  udp::socket socket(io);
  if (!error) socket.open(udp::v4(), error);
  // So that a burst while the loop is busy is kept; the kernel gives what it allows.
  boost::system::error_code ignored;
  if (!error) socket.set_option(asio::socket_base::receive_buffer_size(kReceiveBuffer), ignored);
  if (!error) socket.non_blocking(true, error);
  if (!error) socket.bind({address, options.port}, error);
  if (error) {
    return Error{"cannot listen for heartbeats on " + options.address + ":" + std::to_string(options.port) + ": " +
                 error.message()};
  }
  return std::unique_ptr<Receiver>(std::make_unique<UdpReceiver>(io, std::move(socket), options, std::move(callbacks)));
}

}  // namespace warmswap::heartbeat
