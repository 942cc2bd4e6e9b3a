// Runs tests/golden/pipeline.golden, which scapy and the Python flow hash made, through the pipeline.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "dataplane/balance/columns.h"
#include "dataplane/balance/pipeline.h"
#include "dataplane/contract/seat.h"
#include "tests/unit/dataplane/balance/test_snapshot.h"
#include "tests/unit/dataplane/packet/frames.h"

namespace warmswap::balance {
namespace {

using contract::Be16;
using contract::Be32;
using packet::Packet;
using packet::Verdict;
using test::Bytes;

struct GoldenCase {
  std::string name, snapshot;
  uint32_t headroom = 0;
  size_t contiguous = 0;
  std::string verdict, reason, port;
  Bytes frame, output;
};

struct Golden {
  contract::HashKey key;
  uint8_t entropy_bits = 0;
  std::vector<contract::VipPlacement> vips;
  std::vector<test::TestPool> pools;
  std::vector<GoldenCase> cases;
};

Bytes from_hex(const std::string& text) {
  Bytes bytes;
  if (text == "-") return bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

Be32 address_of(const std::string& text) {
  std::istringstream in(text);
  uint32_t address = 0;
  for (std::string octet; std::getline(in, octet, '.');)
    address = address << 8 | static_cast<uint32_t>(std::stoul(octet));
  return Be32(address);
}

contract::MacAddress mac_of(const std::string& text) {
  contract::MacAddress mac{};
  for (size_t i = 0; i < mac.size(); ++i) {
    mac[i] = static_cast<uint8_t>(std::stoul(text.substr(3 * i, 2), nullptr, 16));
  }
  return mac;
}

contract::Seat read_seat(std::istream& in, uint8_t entropy_bits) {
  uint32_t backend, port, mtu;
  std::string source_mac, next_hop, source, destination;
  in >> backend >> port >> mtu >> source_mac >> next_hop >> source >> destination;
  contract::SeatParameters parameters;
  parameters.backend = static_cast<uint16_t>(backend);
  parameters.port = static_cast<uint8_t>(port);
  parameters.mtu = static_cast<uint16_t>(mtu);
  parameters.source_mac = mac_of(source_mac);
  if (next_hop != "-") parameters.next_hop_mac = mac_of(next_hop);
  parameters.outer_source = address_of(source);
  parameters.outer_destination = address_of(destination);
  parameters.entropy_mask = contract::entropy_mask(entropy_bits);
  return contract::make_ipip_seat(parameters);
}

GoldenCase read_case(std::istream& in) {
  GoldenCase one;
  std::string frame, output;
  in >> one.name >> one.snapshot >> one.headroom >> one.contiguous >> one.verdict >> one.reason >> one.port >> frame >>
      output;
  one.frame = from_hex(frame);
  one.output = from_hex(output);
  return one;
}

void read_line(const std::string& line, Golden& golden) {
  std::istringstream in(line);
  std::string what;
  in >> what;
  if (what == "hash_key") {
    std::string hex;
    in >> hex;
    const Bytes key = from_hex(hex);
    golden.key = {contract::load<uint64_t>(&key[0]), contract::load<uint64_t>(&key[8])};
  } else if (what == "entropy_bits") {
    uint32_t bits;
    in >> bits;
    golden.entropy_bits = static_cast<uint8_t>(bits);
  } else if (what == "vip") {
    std::string address;
    uint32_t protocol, port, id, pool;
    in >> address >> protocol >> port >> id >> pool;
    golden.vips.push_back(
        {{address_of(address), Be16(static_cast<uint16_t>(port)), static_cast<uint8_t>(protocol)}, id, pool});
  } else if (what == "ring") {
    size_t pool;
    in >> pool;
    golden.pools.resize(std::max(golden.pools.size(), pool + 1));
    for (uint16_t seat; in >> seat;) golden.pools[pool].ring.push_back(seat);
  } else if (what == "seat") {
    size_t pool;
    in >> pool;
    golden.pools.at(pool).seats.push_back(read_seat(in, golden.entropy_bits));
  } else if (what == "case") {
    golden.cases.push_back(read_case(in));
    EXPECT_TRUE(in) << line;
  }
}

const Golden& golden() {
  static const Golden read = [] {
    Golden result;
    std::ifstream in(WARMSWAP_GOLDEN_FILE);
    EXPECT_TRUE(in) << "cannot open " WARMSWAP_GOLDEN_FILE;
    for (std::string line; std::getline(in, line);) read_line(line, result);
    return result;
  }();
  return read;
}

std::string name_of(Verdict verdict) {
  return verdict == Verdict::forward ? "forward" : verdict == Verdict::pass ? "pass" : "drop";
}

void expect_outcome(const GoldenCase& one, const Packet& packet) {
  ASSERT_EQ(name_of(packet.verdict), one.verdict) << one.name << ": " << int(packet.reason);
  if (packet.verdict == Verdict::forward) {
    EXPECT_EQ(Bytes(packet.frame, packet.frame + packet.length), one.output) << one.name;
    EXPECT_EQ(std::to_string(packet.port), one.port) << one.name;
  } else {
    EXPECT_EQ(contract::kDropReasons[static_cast<size_t>(packet.reason)].name, one.reason) << one.name;
    EXPECT_EQ(packet.length, one.frame.size()) << one.name;
    EXPECT_EQ(Bytes(packet.frame, packet.frame + packet.contiguous),
              Bytes(one.frame.begin(), one.frame.begin() + static_cast<long>(one.contiguous)))
        << one.name << ": a frame that is not forwarded must stay as it came";
  }
}

class GoldenPipeline : public test::AtEveryLevel {};
INSTANTIATE_TEST_SUITE_P(Level, GoldenPipeline, ::testing::ValuesIn(test::runnable_levels()), test::level_name);

TEST_P(GoldenPipeline, EveryCaseAlone) {
  ASSERT_GT(golden().cases.size(), 150u);
  const test::TestSnapshot snapshot(golden().key, golden().vips, golden().pools, golden().entropy_bits);
  for (const GoldenCase& one : golden().cases) {
    test::TestCounters counters;
    test::ExactBuffer buffer(one.frame, one.headroom, one.contiguous);
    const SnapshotView view = one.snapshot == "yes" ? snapshot.view() : SnapshotView();
    process_burst(view, {&buffer.packet(), 1}, counters.ledger());
    expect_outcome(one, buffer.packet());
    EXPECT_EQ(counters.region().totals.forwarded_packets.get(), one.verdict == "forward" ? 1u : 0u) << one.name;
    EXPECT_EQ(counters.region().totals.passed_packets.get(), one.verdict == "pass" ? 1u : 0u) << one.name;
    EXPECT_EQ(counters.all_drops(), one.verdict == "drop" ? 1u : 0u) << one.name;
    if (one.verdict != "drop") continue;
    EXPECT_EQ(counters.drops(buffer.packet().reason), 1u) << one.name;
  }
}

TEST_P(GoldenPipeline, AllCasesInOneSpanDoNotDisturbEachOther) {
  const test::TestSnapshot snapshot(golden().key, golden().vips, golden().pools, golden().entropy_bits);
  test::TestCounters counters;
  std::vector<const GoldenCase*> cases;
  std::vector<test::ExactBuffer> buffers;
  for (const GoldenCase& one : golden().cases) {
    if (one.snapshot != "yes") continue;
    cases.push_back(&one);
    buffers.emplace_back(one.frame, one.headroom, one.contiguous);
  }
  std::vector<Packet> packets;
  packets.reserve(buffers.size());
  for (test::ExactBuffer& buffer : buffers) packets.push_back(buffer.packet());
  ASSERT_GT(packets.size(), 2 * kBurstPackets);
  process_burst(snapshot.view(), packets, counters.ledger());
  for (size_t i = 0; i < packets.size(); ++i) expect_outcome(*cases[i], packets[i]);
}

TEST(GoldenFile, CoversEveryReasonThePipelineCanGive) {
  std::set<std::string> seen;
  for (const GoldenCase& one : golden().cases) seen.insert(one.reason);
  for (const contract::DropReasonText& reason : contract::kDropReasons) {
    if (reason.name == "exception_queue_full" || reason.name == "transmit_queue_full") continue;  // io's
    EXPECT_TRUE(seen.contains(std::string(reason.name))) << reason.name;
  }
}

}  // namespace
}  // namespace warmswap::balance
