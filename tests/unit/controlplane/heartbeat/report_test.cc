// The form of a heartbeat, its MAC, and which ones are new.
#include <gtest/gtest.h>

#include <random>

#include "controlplane/heartbeat/window.h"
#include "dataplane/contract/agent_report_mac.h"

namespace warmswap::heartbeat {
namespace {

using contract::AgentReport;
using contract::AgentReportBytes;

AgentReport random_report(std::mt19937_64& random) {
  AgentReport report;
  report.address = contract::Be32(static_cast<uint32_t>(random()));
  report.ready = random() % 2 == 0;
  report.leaving = random() % 2 == 0;
  report.session = random();
  report.sequence = random();
  report.sent_ns = random();
  report.interval_us = static_cast<uint32_t>(random());
  for (auto* part :
       {&report.load.cpu, &report.load.memory, &report.load.disk, &report.load.network, &report.load.run_queue}) {
    if (random() % 2 == 0) *part = static_cast<uint16_t>(random());
  }
  if (random() % 2 == 0) report.load.connections = static_cast<uint32_t>(random());
  return report;
}

TEST(Report, ComesBackAsItWent) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 1000; ++i) {
    const AgentReport report = random_report(random);
    const AgentReportBytes bytes = contract::write_agent_report(report);
    ASSERT_EQ(contract::agent_report_form(bytes), contract::AgentReportFault::none);
    ASSERT_EQ(contract::read_agent_report(bytes), report);
  }
}

// Bytes worked out by hand from docs/heartbeat.md; the MAC by `openssl dgst -sha256 -mac HMAC -macopt hexkey:…`.
TEST(Report, IsTheDocumentedBytes) {
  AgentReport report;
  report.address = contract::Be32(0xc000020b);
  report.session = 0x0102030405060708;
  report.sequence = 9;
  report.sent_ns = 0x1112131415161718;
  report.interval_us = 50'000;
  report.load.cpu = 0x8000;
  report.load.connections = 258;
  AgentReportBytes bytes = contract::write_agent_report(report);
  contract::HashKey key;
  const unsigned char key_bytes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  std::memcpy(&key, key_bytes, sizeof(key));
  contract::AgentReportMac(key).sign(bytes);
  std::string hex;
  for (const std::byte byte : bytes) {
    char text[3];
    std::snprintf(text, sizeof(text), "%02x", std::to_integer<unsigned>(byte));
    hex += text;
  }
  EXPECT_EQ(hex,
            "5753484201010021"          // magic, version, ready, cpu and connections known
            "0102030405060708"          // session
            "0000000000000009"          // sequence
            "1112131415161718"          // sent
            "c000020b0000c350"          // 192.0.2.11, 50 ms
            "000001028000000000000000"  // 258 connections, half of the CPUs busy
            "00000000"                  // run queue unknown, reserved
            "55dc63178698f3e217f9dd261fd45030");
}

TEST(Mac, AnyBitThatChangesIsNoticed) {
  std::mt19937_64 random(4);
  contract::AgentReportMac mac({random(), random()});
  contract::AgentReportMac other({random(), random()});
  for (int i = 0; i < 20; ++i) {
    AgentReportBytes bytes = contract::write_agent_report(random_report(random));
    mac.sign(bytes);
    ASSERT_TRUE(mac.verify(bytes));
    ASSERT_FALSE(other.verify(bytes)) << "another key";
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      bytes[bit / 8] ^= std::byte{1} << bit % 8;
      ASSERT_FALSE(mac.verify(bytes)) << "bit " << bit;
      bytes[bit / 8] ^= std::byte{1} << bit % 8;
    }
  }
}

constexpr uint64_t kSecond = 1'000'000'000;

AgentReport numbered(uint64_t session, uint64_t sequence, uint64_t sent_ns) {
  AgentReport report;
  report.session = session;
  report.sequence = sequence;
  report.sent_ns = sent_ns;
  return report;
}

TEST(Window, WithinASessionTheNumberRises) {
  Window window;
  const uint64_t now = 1000 * kSecond;
  EXPECT_EQ(window.take(numbered(1, 5, now), now, kSecond), Freshness::fresh);
  EXPECT_EQ(window.take(numbered(1, 5, now), now, kSecond), Freshness::replayed);
  EXPECT_EQ(window.take(numbered(1, 4, now), now, kSecond), Freshness::replayed);
  EXPECT_EQ(window.take(numbered(1, 9, now), now, kSecond), Freshness::fresh) << "some may be lost on the way";
}

TEST(Window, AnOldSessionDoesNotComeBack) {
  Window window;
  const uint64_t now = 1000 * kSecond;
  window.take(numbered(1, 5, now), now, kSecond);
  EXPECT_EQ(window.take(numbered(2, 1, now + 1), now, kSecond), Freshness::fresh) << "the agent was started anew";
  EXPECT_EQ(window.take(numbered(1, 6, now), now, kSecond), Freshness::replayed);
  EXPECT_EQ(window.take(numbered(2, 2, now - 5), now, kSecond), Freshness::fresh) << "its clock was set back a little";
}

TEST(Window, WhatWasSentLongAgoOrInTheFutureIsNotBelieved) {
  Window window;
  const uint64_t now = 1000 * kSecond;
  EXPECT_EQ(window.take(numbered(1, 1, now - 2 * kSecond), now, kSecond), Freshness::clock_off);
  EXPECT_EQ(window.take(numbered(1, 1, now + 2 * kSecond), now, kSecond), Freshness::clock_off);
  EXPECT_EQ(window.take(numbered(1, 1, now - kSecond), now, kSecond), Freshness::fresh);
}

}  // namespace
}  // namespace warmswap::heartbeat
