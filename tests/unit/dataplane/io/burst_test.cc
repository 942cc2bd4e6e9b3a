// Buffers and workers over DPDK's ring ports, in ordinary memory: what a worker does with a burst.
//
//      test ── ring0 ──► worker ──► ring1 ── test
#include <gtest/gtest.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "dataplane/io/eal.h"
#include "dataplane/io/mbuf_burst.h"
#include "dataplane/io/port.h"
#include "dataplane/io/worker.h"
#include "perf/micro/balancer.h"
#include "tests/unit/dataplane/packet/frames.h"

namespace warmswap::io {
namespace {

using contract::DropReason;
using test::Bytes;

constexpr uint32_t kVip = 0x0a000000;  // perf::vip_address(0)

Options ring_options() {
  Options options;
  options.instance = "test-" + std::to_string(getpid());
  options.cores = {allowed_cpus().back()};
  options.hugepages = Hugepages::off;
  options.memory_mib = 128;
  for (const char* name : {"net_ring0", "net_ring1"}) {
    PortOptions port;
    port.name = port.device = name;
    options.ports.push_back(port);
  }
  return options;
}

/// DPDK starts once in a process.
class Dpdk : public ::testing::Environment {
 public:
  void SetUp() override {
    const Options options = ring_options();
    auto started = start_eal(options, {});
    ASSERT_TRUE(started) << started.error();
    pool = *make_packet_pool(options);
    for (const PortOptions& port : options.ports) {
      auto id = find_port(port);
      ASSERT_TRUE(id) << id.error();
      auto open = Port::start(port, *id, static_cast<uint8_t>(ports.size()), 1, pool);
      ASSERT_TRUE(open) << open.error();
      ports.push_back(std::move(*open));
    }
  }
  void TearDown() override {
    ports.clear();
    const std::filesystem::path runtime = rte_eal_get_runtime_dir();
    stop_eal();
    // Named after this process: nobody would use it again.
    if (runtime.filename() == "warmswap-" + ring_options().instance) std::filesystem::remove_all(runtime);
  }

  rte_mempool* pool = nullptr;
  std::vector<std::unique_ptr<Port>> ports;
};
Dpdk* const dpdk = dynamic_cast<Dpdk*>(::testing::AddGlobalTestEnvironment(new Dpdk));

rte_mbuf* buffer_of(const Bytes& frame) {
  rte_mbuf* buffer = rte_pktmbuf_alloc(dpdk->pool);
  std::copy(frame.begin(), frame.end(),
            reinterpret_cast<uint8_t*>(rte_pktmbuf_append(buffer, static_cast<uint16_t>(frame.size()))));
  return buffer;
}

/// The frame in pieces of these lengths; the last one holds the rest.
rte_mbuf* chain_of(const Bytes& frame, const std::vector<size_t>& pieces) {
  rte_mbuf* first = nullptr;
  size_t at = 0;
  for (size_t i = 0; i <= pieces.size(); ++i) {
    const size_t end = i < pieces.size() ? at + pieces[i] : frame.size();
    rte_mbuf* piece = buffer_of(Bytes(frame.begin() + long(at), frame.begin() + long(end)));
    first == nullptr ? void(first = piece) : void(rte_pktmbuf_chain(first, piece));
    at = end;
  }
  return first;
}

Bytes bytes_of(const rte_mbuf* buffer) {
  Bytes bytes;
  for (; buffer != nullptr; buffer = buffer->next) {
    const uint8_t* data = rte_pktmbuf_mtod(buffer, const uint8_t*);
    bytes.insert(bytes.end(), data, data + buffer->data_len);
  }
  return bytes;
}

class BurstTest : public ::testing::Test {
 protected:
  BurstTest() : balancer_({.backends = 3, .ring_size = 251}) {}
  void SetUp() override { free_before_ = rte_mempool_avail_count(dpdk->pool); }
  void TearDown() override {
    EXPECT_EQ(rte_mempool_avail_count(dpdk->pool), free_before_) << "every buffer was given back";
  }

  static Bytes frame_to_vip(uint16_t source_port, uint32_t padding = 0) {
    return test::make_frame({.destination = kVip, .source_port = source_port, .padding = padding});
  }
  uint64_t drops(DropReason reason) const { return balancer_.worker().drops[static_cast<size_t>(reason)].get(); }
  /// Lets a worker have `frames` until they are all decided; `egress` says whether port 0 is there.
  void forward(const std::vector<Bytes>& frames, bool egress) {
    std::vector<rte_mbuf*> buffers;
    buffers.reserve(frames.size());
    for (const Bytes& frame : frames) buffers.push_back(buffer_of(frame));
    ASSERT_EQ(rte_eth_tx_burst(dpdk->ports[0]->id(), 0, buffers.data(), static_cast<uint16_t>(buffers.size())),
              buffers.size());
    WorkerSetup setup;
    setup.idle = Idle::backoff;
    setup.from_wire = {{.port = dpdk->ports[0]->id(), .queue = 0, .index = 0}};
    setup.egress[0] = {.present = egress, .has_kernel = false, .wire = dpdk->ports[1]->transmit_queue(0), .kernel = {}};
    const uint64_t before = balancer_.worker().totals.received_packets.get();
    Worker worker(setup, balancer_.dataplane());
    std::thread thread([&worker] { worker.run(); });
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (balancer_.worker().totals.idle_loops.get() == idle_seen_ ||
           balancer_.worker().totals.received_packets.get() < before + frames.size()) {
      ASSERT_LT(std::chrono::steady_clock::now(), until);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    worker.stop();
    thread.join();
    idle_seen_ = balancer_.worker().totals.idle_loops.get();
  }
  /// What has left by ring1.
  static std::vector<Bytes> sent() {
    std::vector<Bytes> frames;
    for (rte_mbuf* buffer = nullptr; rte_eth_rx_burst(dpdk->ports[1]->id(), 0, &buffer, 1) == 1;) {
      frames.push_back(bytes_of(buffer));
      rte_pktmbuf_free(buffer);
    }
    return frames;
  }

  perf::Balancer balancer_;
  unsigned free_before_ = 0;
  uint64_t idle_seen_ = 0;
};

TEST_F(BurstTest, LeavesEncapsulatedInItsOrder) {
  std::vector<Bytes> frames;
  for (uint16_t port = 1000; port < 1040; ++port) frames.push_back(frame_to_vip(port));
  forward(frames, true);
  const std::vector<Bytes> out = sent();
  ASSERT_EQ(out.size(), frames.size());
  for (size_t i = 0; i < out.size(); ++i) {
    ASSERT_EQ(out[i].size(), frames[i].size() + 20);
    EXPECT_EQ(out[i][14 + 9], 4) << "IP in IP";
    EXPECT_TRUE(std::equal(out[i].begin() + 54, out[i].end(), frames[i].begin() + 34)) << "TCP as it came";
  }
}

TEST_F(BurstTest, IsDroppedAndCountedWhereThePortIsNotThere) {
  std::vector<Bytes> frames;
  for (uint16_t port = 1000; port < 1010; ++port) frames.push_back(frame_to_vip(port));
  forward(frames, false);
  EXPECT_EQ(drops(DropReason::next_hop_unresolved), 10u);
  EXPECT_TRUE(sent().empty());
}

TEST_F(BurstTest, WithOthersAmongItGoesItsWays) {
  std::vector<Bytes> frames;
  for (uint16_t port = 1000; port < 1010; ++port) {
    frames.push_back(frame_to_vip(port));
    frames.push_back(test::make_frame({.destination = 0xc0000209}));  // nobody's
  }
  frames.push_back(Bytes(10, 0xff));  // no frame
  forward(frames, true);
  EXPECT_EQ(sent().size(), 10u);
  EXPECT_EQ(drops(DropReason::no_exception_port), 10u);
  EXPECT_EQ(drops(DropReason::truncated), 1u);
  forward(frames, false);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(drops(DropReason::next_hop_unresolved), 10u);
}

TEST_F(BurstTest, ThatTheDeviceHasNoRoomForIsCounted) {
  constexpr size_t kFrames = 40;
  std::vector<Bytes> frames;
  for (uint16_t port = 1000; port < 1000 + kFrames; ++port) frames.push_back(frame_to_vip(port));
  size_t in_the_ring = 0;
  while (drops(DropReason::transmit_queue_full) == 0) {
    forward(frames, true);
    in_the_ring += kFrames;
    ASSERT_LT(in_the_ring, 10'000u);
  }
  EXPECT_EQ(sent().size() + drops(DropReason::transmit_queue_full), in_the_ring);
}

/// A frame with a trailer, in pieces cut everywhere: as many buffers as the packet needs remain, and no trailer.
TEST_F(BurstTest, APacketInPiecesLosesItsTrailerWhereverItIsCut) {
  const Bytes frame = frame_to_vip(1000, 60);  // 54 bytes of packet
  const size_t packet = frame.size() - 60;
  const ProcessMbufs process = process_mbufs_at(balance::VectorLevel::baseline);
  const balance::SnapshotView view = balancer_.view();
  Bytes expected;
  for (size_t first = packet; first < frame.size(); first += 7) {
    for (size_t second = 1; first + second < frame.size(); second += 13) {
      for (const auto& pieces :
           {std::vector<size_t>{first}, {first, second}, {first, second / 2, second - second / 2}}) {
        rte_mbuf* buffer = chain_of(frame, pieces);
        const balance::Outcome outcome = process(view, {&buffer, 1}, balancer_.ledger());
        ASSERT_EQ(outcome.forwarded, 1u);
        const Bytes out = bytes_of(buffer);
        EXPECT_EQ(out.size(), packet + 20);
        EXPECT_EQ(buffer->pkt_len, out.size());
        EXPECT_EQ(buffer->nb_segs, 1);
        EXPECT_EQ(buffer->next, nullptr);
        if (expected.empty()) expected = out;
        EXPECT_EQ(out, expected);
        rte_pktmbuf_free(buffer);
      }
    }
  }
}

TEST_F(BurstTest, APayloadInPiecesStaysWhole) {
  Bytes frame = test::make_frame({.destination = kVip, .payload = 300, .padding = 40});
  const size_t packet = frame.size() - 40;
  for (size_t i = 54; i < packet; ++i) frame[i] = static_cast<uint8_t>(i);
  for (const auto& pieces : {std::vector<size_t>{60}, {60, 100}, {60, 100, 194}, {60, 100, 194, 10}}) {
    rte_mbuf* buffer = chain_of(frame, pieces);
    process_mbufs_at(balance::VectorLevel::baseline)(balancer_.view(), {&buffer, 1}, balancer_.ledger());
    const Bytes out = bytes_of(buffer);
    ASSERT_EQ(out.size(), packet + 20);
    EXPECT_TRUE(std::equal(out.begin() + 54, out.end(), frame.begin() + 34)) << "from the TCP header on";
    EXPECT_EQ(buffer->pkt_len, out.size());
    EXPECT_EQ(buffer->nb_segs, std::min<size_t>(pieces.size() + 1, 3));
    rte_pktmbuf_free(buffer);
  }
}

}  // namespace
}  // namespace warmswap::io
