// The XDP program run by the kernel on made-up frames (BPF_PROG_TEST_RUN), and the loader in a network namespace.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/contract/wire.h"
#include "dataplane/steer/steer.skel.h"
#include "dataplane/steer/steer_layout.h"
#include "dataplane/steer/steering.h"

namespace warmswap::steer {
namespace {

using contract::Be16;
using contract::Be32;

constexpr uint32_t kVip = 0xc633640a;    // 198.51.100.10
constexpr uint32_t kOther = 0xc633640b;  // 198.51.100.11

struct Frame {
  std::vector<uint16_t> tags;  // EtherTypes of the tags, outermost first
  uint16_t ether_type = contract::kEtherTypeIpv4;
  uint32_t destination = kVip;
  uint8_t protocol = contract::kProtoTcp;
  uint16_t port = 80;
  uint16_t fragment = 0;
  uint8_t option_words = 0;
  size_t cut = 0;          // bytes missing at the end
  uint8_t first_byte = 2;  // of the destination MAC

  std::vector<uint8_t> bytes() const {
    std::vector<uint8_t> out(12);
    out[0] = first_byte;
    const auto put16 = [&out](uint16_t v) {
      out.insert(out.end(), {static_cast<uint8_t>(v >> 8), static_cast<uint8_t>(v)});
    };
    for (const uint16_t tag : tags) {
      put16(tag);
      put16(7);
    }
    put16(ether_type);
    out.push_back(static_cast<uint8_t>(0x45 + option_words));
    out.push_back(0);
    put16(static_cast<uint16_t>(40 + 4 * option_words));
    put16(1);
    put16(fragment);
    out.insert(out.end(), {64, protocol, 0, 0, 203, 0, 113, 9});
    put16(static_cast<uint16_t>(destination >> 16));
    put16(static_cast<uint16_t>(destination));
    out.insert(out.end(), 4 * option_words, 1);
    put16(40000);
    put16(port);
    out.resize(out.size() + 16);
    out.resize(out.size() - cut);
    return out;
  }
};

class SteerProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "loading XDP programs needs root";
    libbpf_set_print(nullptr);
    skeleton_.reset(steer_bpf::open_and_load());
    ASSERT_NE(skeleton_, nullptr) << "the kernel refused the program";
    add(kVip, contract::kProtoTcp, 80);
    add(kVip, 0, 0);
  }
  void add(uint32_t address, uint8_t protocol, uint16_t port) {
    const steer_key key{Be32(address).raw(), Be16(port).raw(), protocol, 0};
    const uint8_t present = 1;
    ASSERT_EQ(bpf_map_update_elem(bpf_map__fd(skeleton_->maps.steer_vips), &key, &present, BPF_ANY), 0);
  }
  uint64_t no_socket() {
    const uint32_t which = STEER_NO_SOCKET;
    std::vector<uint64_t> values(static_cast<size_t>(libbpf_num_possible_cpus()));
    bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.steer_counters), &which, values.data());
    uint64_t sum = 0;
    for (const uint64_t value : values) sum += value;
    return sum;
  }
  /// No socket is bound in a test run, so "to a worker" shows as a counted drop.
  bool steered(const Frame& frame) {
    std::vector<uint8_t> bytes = frame.bytes();
    bytes.resize(std::max<size_t>(bytes.size(), 14));
    bpf_test_run_opts run{};
    run.sz = sizeof(run);
    run.data_in = bytes.data();
    run.data_size_in = static_cast<uint32_t>(bytes.size());
    const uint64_t before = no_socket();
    EXPECT_EQ(bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.warmswap_steer), &run), 0);
    const bool counted = no_socket() == before + 1;
    EXPECT_EQ(run.retval, counted ? static_cast<uint32_t>(XDP_DROP) : static_cast<uint32_t>(XDP_PASS));
    return counted;
  }
  struct Destroy {
    void operator()(steer_bpf* skeleton) const { steer_bpf::destroy(skeleton); }
  };
  std::unique_ptr<steer_bpf, Destroy> skeleton_;
};

TEST_F(SteerProgram, TakesTheVipAndNothingElse) {
  EXPECT_TRUE(steered({}));
  EXPECT_FALSE(steered({.destination = kOther}));
  EXPECT_FALSE(steered({.port = 81})) << "another port of the address is the kernel's";
  EXPECT_FALSE(steered({.protocol = contract::kProtoUdp}));
  EXPECT_FALSE(steered({.ether_type = contract::kEtherTypeArp}));
  EXPECT_FALSE(steered({.ether_type = contract::kEtherTypeIpv6}));
  EXPECT_FALSE(steered({.protocol = 47})) << "GRE to the address";
  EXPECT_FALSE(steered({.first_byte = 0xff})) << "broadcast";
}

TEST_F(SteerProgram, AnyPortVip) {
  add(kOther, contract::kProtoUdp, 0);
  EXPECT_TRUE(steered({.destination = kOther, .protocol = contract::kProtoUdp, .port = 9999}));
  EXPECT_FALSE(steered({.destination = kOther, .port = 9999}));
}

TEST_F(SteerProgram, ReadsBehindTagsAndOptions) {
  EXPECT_TRUE(steered({.tags = {contract::kEtherTypeVlan}}));
  EXPECT_TRUE(steered({.tags = {contract::kEtherTypeQinQ, contract::kEtherTypeVlan}}));
  EXPECT_TRUE(steered({.option_words = 10}));
  EXPECT_TRUE(steered({.tags = {contract::kEtherTypeVlan}, .option_words = 3}));
}

TEST_F(SteerProgram, IcmpAndFragmentsOfAVipAddressGoToTheWorkers) {
  EXPECT_TRUE(steered({.protocol = contract::kProtoIcmp}));
  EXPECT_TRUE(steered({.port = 1234, .fragment = contract::kIpv4MoreFragments}));
  EXPECT_TRUE(steered({.port = 1234, .fragment = 185}));
  EXPECT_TRUE(steered({.fragment = contract::kIpv4DontFragment}));
  EXPECT_FALSE(steered({.destination = kOther, .protocol = contract::kProtoIcmp}));
  EXPECT_FALSE(steered({.destination = kOther, .fragment = 185}));
}

TEST_F(SteerProgram, EveryTruncationPassesOrIsRead) {
  const size_t whole = Frame{}.bytes().size();
  for (size_t cut = 0; cut + 14 <= whole; ++cut) {
    EXPECT_EQ(steered({.cut = cut}), whole - cut >= 14 + 20 + 4) << cut << " bytes missing";
  }
}

class SteeringLoader : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "network namespaces and XDP need root";
    libbpf_set_print(nullptr);
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
    ASSERT_EQ(std::system("ip link add ws0 type veth peer name ws1 && ip link set ws0 up && ip link set ws1 up"), 0);
  }
  /// Attaches the program the way the AF_XDP driver does: from the file.
  static void attach(bpf_object*& object) {
    auto file = ProgramFile::open();
    ASSERT_TRUE(file) << file.error();
    object = bpf_object__open_file(file->path().c_str(), nullptr);
    ASSERT_NE(object, nullptr);
    ASSERT_EQ(bpf_object__load(object), 0);
    bpf_program* program = bpf_object__next_program(object, nullptr);
    ASSERT_EQ(
        bpf_xdp_attach(static_cast<int>(if_nametoindex("ws0")), bpf_program__fd(program), XDP_FLAGS_DRV_MODE, nullptr),
        0);
  }
};

TEST_F(SteeringLoader, FindsItsMapsAndKeepsThemEqualToTheSnapshot) {
  bpf_object* object = nullptr;
  attach(object);
  auto steering = Steering::attach("ws0");
  ASSERT_TRUE(steering) << steering.error();

  // A snapshot of two buckets laid out by hand.
  struct alignas(64) {
    contract::SnapshotRoot root{};
    contract::VipBucket buckets[2]{};
  } memory;
  for (auto& bucket : memory.buckets) {
    for (auto& entry : bucket.entries) entry.pool = contract::kNoPool;
  }
  memory.root.vip_index = sizeof(contract::SnapshotRoot);
  memory.root.vip_bucket_mask = 1;
  memory.buckets[0].entries[1] = {Be32(kVip), Be16(80), contract::kProtoTcp, 0, 0, 0};
  memory.buckets[1].entries[0] = {Be32(kVip), Be16(0), 0, 0, 0, 0};
  const auto* base = reinterpret_cast<const std::byte*>(&memory);

  const int vips = bpf_map__fd(bpf_object__find_map_by_name(object, "steer_vips"));
  const auto has = [vips](uint32_t address, uint8_t protocol, uint16_t port) {
    const steer_key key{Be32(address).raw(), Be16(port).raw(), protocol, 0};
    uint8_t value = 0;
    return bpf_map_lookup_elem(vips, &key, &value) == 0;
  };
  ASSERT_TRUE(steering->sync(base, &memory.root));
  EXPECT_TRUE(has(kVip, contract::kProtoTcp, 80));
  EXPECT_TRUE(has(kVip, 0, 0));
  EXPECT_FALSE(has(0, 0, 0)) << "empty entries are not vips";
  memory.buckets[0].entries[1] = {Be32(kOther), Be16(443), contract::kProtoTcp, 0, 1, 0};
  ASSERT_TRUE(steering->sync(base, &memory.root));
  EXPECT_TRUE(has(kOther, contract::kProtoTcp, 443));
  EXPECT_FALSE(has(kVip, contract::kProtoTcp, 80));
  ASSERT_TRUE(steering->sync(base, nullptr));
  EXPECT_FALSE(has(kOther, contract::kProtoTcp, 443));
  auto counters = steering->counters();
  ASSERT_TRUE(counters);
  EXPECT_EQ(counters->no_socket, 0u);
  bpf_object__close(object);
}

TEST_F(SteeringLoader, RemovesALeftoverOfOursAndRefusesAStrangersProgram) {
  EXPECT_NE(prepare_interface("nosuch0").error().find("no network interface"), std::string::npos);
  EXPECT_TRUE(prepare_interface("ws0")) << "nothing attached is fine";
  bpf_object* object = nullptr;
  attach(object);
  bpf_object__close(object);  // the attachment keeps the program alive, as after a crash
  EXPECT_TRUE(prepare_interface("ws0"));
  EXPECT_NE(Steering::attach("ws0").error().find("carries no XDP program"), std::string::npos);

  const bpf_insn pass[] = {{0xb7, 0, 0, 0, XDP_PASS}, {0x95, 0, 0, 0, 0}};  // r0 = XDP_PASS; exit
  const int stranger = bpf_prog_load(BPF_PROG_TYPE_XDP, "stranger", "GPL", pass, 2, nullptr);
  ASSERT_GE(stranger, 0);
  ASSERT_EQ(bpf_xdp_attach(static_cast<int>(if_nametoindex("ws0")), stranger, XDP_FLAGS_DRV_MODE, nullptr), 0);
  const auto refused = prepare_interface("ws0");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find("\"stranger\""), std::string::npos) << refused.error();
  close(stranger);
}

}  // namespace
}  // namespace warmswap::steer
