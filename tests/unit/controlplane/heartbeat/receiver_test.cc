// A receiver on the loopback interface and datagrams of every kind.
#include "controlplane/heartbeat/receiver.h"

#include <gtest/gtest.h>

#include <boost/asio/ip/udp.hpp>
#include <random>
#include <thread>

#include "dataplane/contract/agent_report_mac.h"

namespace warmswap::heartbeat {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::udp;
using contract::AgentReport;
using contract::AgentReportBytes;

class ReceiverTest : public ::testing::Test {
 protected:
  ReceiverTest() {
    auto receiver = Receiver::open(
        io_, {.address = "127.0.0.1", .port = 0, .key = kKey, .max_clock_skew = 5s},
        {.on_changes = [this](const auto& changes) { changes_.insert(changes_.end(), changes.begin(), changes.end()); },
         .on_load = [this](uint64_t id, const contract::AgentLoad&) { loads_.push_back(id); }});
    if (!receiver) throw std::runtime_error(receiver.error());
    receiver_ = std::move(*receiver);
    receiver_->set_sources({{1, kHost, 3}, {2, kHost, 3}, {3, contract::Be32(0xc000020c), 3}});
    sender_.open(udp::v4());
  }

  AgentReport report() {
    AgentReport report;
    report.address = kHost;
    report.session = 42;
    report.sequence = ++sequence_;
    report.sent_ns = wall();
    report.interval_us = 20'000;
    return report;
  }
  static uint64_t wall() {
    return static_cast<uint64_t>(
        std::chrono::duration_cast<Nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
  }
  static AgentReportBytes signed_by(const AgentReport& report, const contract::HashKey& key) {
    AgentReportBytes bytes = contract::write_agent_report(report);
    contract::AgentReportMac(key).sign(bytes);
    return bytes;
  }
  template <typename Bytes>
  void send(const Bytes& bytes) {
    sender_.send_to(asio::buffer(bytes), {asio::ip::address_v4::loopback(), receiver_->port()});
  }
  void send(const AgentReport& report) { send(signed_by(report, kKey)); }
  uint64_t count(Verdict verdict) const { return receiver_->counts()[static_cast<size_t>(verdict)]; }
  void run_for(std::chrono::milliseconds time) {
    io_.restart();
    io_.run_for(time);
  }

  static constexpr contract::HashKey kKey{11, 22};
  static constexpr contract::Be32 kHost{0xc000020b};
  asio::io_context io_;
  std::unique_ptr<Receiver> receiver_;
  udp::socket sender_{io_};
  std::vector<Change> changes_;
  std::vector<uint64_t> loads_;
  uint64_t sequence_ = 0;
};

TEST_F(ReceiverTest, OneBeatCountsForEveryBackendOfTheHost) {
  send(report());
  run_for(10ms);
  EXPECT_EQ(count(Verdict::accepted), 1u);
  EXPECT_EQ(receiver_->pulse(1), Pulse::beating);
  EXPECT_EQ(receiver_->pulse(2), Pulse::beating);
  EXPECT_EQ(receiver_->pulse(3), Pulse::silent);
  EXPECT_EQ(loads_, (std::vector<uint64_t>{1, 2}));
}

TEST_F(ReceiverTest, SilenceIsNoticedInTime) {
  send(report());
  run_for(5ms);
  changes_.clear();
  run_for(120ms);
  ASSERT_EQ(changes_.size(), 4u) << "late and lost, for both";
  EXPECT_EQ(changes_[0].pulse, Pulse::late);
  EXPECT_EQ(changes_[3].pulse, Pulse::lost);
  EXPECT_GE(changes_[3].silence, 60ms);
}

TEST_F(ReceiverTest, ALoopThatWasHeldUpTakesNobodysSilenceForItsOwnPause) {
  send(report());
  run_for(5ms);
  changes_.clear();
  // Two thirds of a second in which this process does not look, and the agent beats on.
  for (int i = 0; i < 33; ++i) {
    std::this_thread::sleep_for(20ms);
    send(report());
  }
  run_for(1ms);
  EXPECT_TRUE(changes_.empty()) << "first change: " << static_cast<int>(changes_.front().pulse);
}

TEST_F(ReceiverTest, WhatIsNotAGoodNewReportIsCountedAndNothingElse) {
  send(report());
  run_for(5ms);
  const AgentReport replay = [&] {
    AgentReport old = report();
    old.sequence = 1;
    return old;
  }();
  send(replay);
  AgentReport off = report();
  off.sent_ns -= 60'000'000'000;
  send(off);
  AgentReport stranger = report();
  stranger.address = contract::Be32(0x0a000001);
  send(stranger);
  send(signed_by(report(), {1, 2}));
  AgentReportBytes version = signed_by(report(), kKey);
  version[4] = std::byte{2};
  send(version);
  send(std::string("hello"));
  send(std::string(73, 'x'));
  send(std::string(1400, 'W'));
  const size_t before = loads_.size();
  run_for(5ms);
  EXPECT_EQ(count(Verdict::accepted), 1u);
  EXPECT_EQ(count(Verdict::replayed), 1u);
  EXPECT_EQ(count(Verdict::clock_off), 1u);
  EXPECT_EQ(count(Verdict::unknown_backend), 1u);
  EXPECT_EQ(count(Verdict::forged), 1u);
  EXPECT_EQ(count(Verdict::version), 1u);
  EXPECT_EQ(count(Verdict::malformed), 3u);
  EXPECT_EQ(loads_.size(), before);
}

TEST_F(ReceiverTest, RandomBytesAndFlippedBitsAreNeverTaken) {
  std::mt19937_64 random(8);
  for (int i = 0; i < 2000; ++i) {
    AgentReportBytes bytes = signed_by(report(), kKey);
    if (i % 2 == 0) {
      bytes[random() % bytes.size()] ^= static_cast<std::byte>(1 + random() % 255);
      send(bytes);
    } else {
      std::string noise(random() % 200, '\0');
      for (char& c : noise) c = static_cast<char>(random());
      send(noise);
    }
    if (i % 100 == 0) run_for(1ms);
  }
  run_for(5ms);
  EXPECT_EQ(count(Verdict::accepted), 0u);
  EXPECT_TRUE(changes_.empty());
}

TEST_F(ReceiverTest, ARemovedBackendIsNotMissed) {
  send(report());
  run_for(5ms);
  changes_.clear();
  receiver_->set_sources({{2, kHost, 3}});
  run_for(100ms);
  for (const Change& change : changes_) EXPECT_EQ(change.id, 2u);
  EXPECT_FALSE(changes_.empty());
}

TEST(ReceiverOpen, SaysWhatIsWrongWithTheAddress) {
  asio::io_context io;
  const auto receiver = Receiver::open(io, {.address = "192.0.2.1", .port = 9101}, {});
  ASSERT_FALSE(receiver);
  EXPECT_NE(receiver.error().find("cannot listen for heartbeats on 192.0.2.1:9101"), std::string::npos);
}

}  // namespace
}  // namespace warmswap::heartbeat
