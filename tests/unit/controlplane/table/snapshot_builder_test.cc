#include "controlplane/table/snapshot_builder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "dataplane/contract/snapshot_reader.h"
#include "dataplane/contract/verify.h"
#include "tests/unit/dataplane/contract/segment_fixture.h"

namespace warmswap::table {
namespace {

using contract::Be16;
using contract::Be32;

constexpr uint32_t kRingSize = 4099;

class SnapshotBuilderTest : public contract::SegmentFixture {
 protected:
  void SetUp() override {
    auto dataplane = contract::Segment::create_or_adopt(create_options());
    ASSERT_TRUE(dataplane);
    dataplane_ = std::make_unique<contract::Segment>(std::move(*dataplane));
    auto control = contract::Segment::attach(attach_options());
    ASSERT_TRUE(control);
    control_ = std::make_unique<contract::Segment>(std::move(*control));
    publisher_ = std::move(*contract::Publisher::start(*control_));
    builder_ = std::make_unique<SnapshotBuilder>(*publisher_);
  }

  /// Three hot backends a, b, c in their seats and a standby w, all routed through port 1.
  static SnapshotRows rows() {
    SnapshotRows rows;
    rows.hash_key = {1, 2};
    rows.outer_source = Be32(0xc6120000);
    rows.entropy_bits = 16;
    PoolRow pool;
    pool.name = "web";
    pool.ring = std::make_shared<PoolRing>(
        PoolRing(), kRingSize, std::vector<OwnedSeat>{{"a", 100}, {"b", 100}, {"c", 100}}, std::vector<Opening>(3));
    pool.holders = {0, 1, 2};
    pool.owners = {0, 1, 2};
    for (uint16_t b = 0; b < 4; ++b) {
      contract::BackendInfo info{};
      info.name[0] = "abcw"[b];
      info.address = Be32(0xc000020bu + b);
      info.id = static_cast<uint16_t>(7 + b);
      pool.backends.push_back(info);
      pool.routes.push_back(
          Route{1, {2, 0, 0, 0, 0, 9}, contract::MacAddress{2, 0, 0, 0, 1, static_cast<uint8_t>(b)}, 1600});
    }
    rows.pools.push_back(std::make_shared<PoolRow>(pool));
    VipRow vip;
    vip.info.name[0] = 'v';
    vip.info.address = Be32(0xc633640a);
    vip.info.port = Be16(80);
    vip.info.protocol = contract::kProtoTcp;
    vip.info.id = 3;
    rows.vips.push_back(vip);
    return rows;
  }
  /// A new row in the place of the only one, to be changed: those that were published are not touched any more.
  static PoolRow& edit(SnapshotRows& rows) {
    auto copy = std::make_shared<PoolRow>(*rows.pools[0]);
    PoolRow& row = *copy;
    rows.pools[0] = std::move(copy);
    return row;
  }
  const contract::SnapshotRoot& root() const { return *publisher_->current(); }
  const contract::PoolRecord& pool() const { return *at<contract::PoolRecord>(root().pools); }
  const contract::Seat& seat(size_t index) const { return at<contract::Seat>(pool().seats)[index]; }
  template <typename T>
  const T* at(contract::Offset offset) const {
    return reinterpret_cast<const T*>(control_->base() + offset);
  }

  std::unique_ptr<contract::Segment> dataplane_;
  std::unique_ptr<contract::Segment> control_;
  std::unique_ptr<contract::Publisher> publisher_;
  std::unique_ptr<SnapshotBuilder> builder_;
};

TEST_F(SnapshotBuilderTest, WritesWhatTheRowsSay) {
  SnapshotRows input = rows();
  input.overlay = "[]";
  ASSERT_TRUE(builder_->publish(input));
  EXPECT_TRUE(contract::verify_snapshot(control_->base(), control_->header().control.root.load()));
  EXPECT_EQ(pool().ring_size, kRingSize);
  EXPECT_TRUE(
      std::equal(input.pools[0]->ring->ring().begin(), input.pools[0]->ring->ring().end(), at<uint16_t>(pool().ring)));
  const auto* buckets = at<contract::VipBucket>(root().vip_index);
  const contract::VipKey key{Be32(0xc633640a), Be16(80), contract::kProtoTcp};
  const auto* vip = contract::find_vip(buckets, root().vip_bucket_mask,
                                       contract::vip_home(root().hash_key, key, root().vip_bucket_mask), key);
  ASSERT_NE(vip, nullptr);
  EXPECT_EQ(vip->vip, 3u);
  EXPECT_EQ(vip->pool, 0u);
  for (size_t s = 0; s < 3; ++s) {
    EXPECT_EQ(seat(s).backend, 7 + s);
    EXPECT_EQ(seat(s).port, 1);
    EXPECT_EQ(seat(s).header[5], s) << "the destination MAC of that backend";
    EXPECT_EQ(seat(s).flags & contract::kSeatResolved, contract::kSeatResolved);
  }
  EXPECT_EQ(pool().port, 1) << "all seats' port";
  EXPECT_EQ(pool().least_mtu, seat(0).mtu) << "all seats have the same";
  EXPECT_EQ(std::string(at<char>(root().overlay), 2), "[]");
}

TEST_F(SnapshotBuilderTest, AStandbyTakingASeatWritesNoRingAndNoVipIndex) {
  SnapshotRows input = rows();
  ASSERT_TRUE(builder_->publish(input));
  const contract::Offset ring = pool().ring;
  const contract::Offset index = root().vip_index;
  const contract::Offset seats = pool().seats;
  const uint64_t free = publisher_->free_bytes();
  edit(input).holders[1] = 3;
  ASSERT_TRUE(builder_->publish(input));
  EXPECT_EQ(pool().ring, ring) << "the ring block is shared";
  EXPECT_EQ(root().vip_index, index);
  EXPECT_NE(pool().seats, seats);
  EXPECT_EQ(seat(0).backend, 7);
  EXPECT_EQ(seat(1).backend, 10);
  EXPECT_EQ(seat(2).backend, 9);
  EXPECT_NEAR(static_cast<double>(free), static_cast<double>(publisher_->free_bytes()), 2048)
      << "a failover must cost a few cache lines";
}

TEST_F(SnapshotBuilderTest, APublishSharesTheBlocksOfPoolsItDoesNotTouch) {
  SnapshotRows input = rows();
  PoolRow other = *input.pools[0];
  other.name = "mail";
  input.pools.push_back(std::make_shared<PoolRow>(other));
  ASSERT_TRUE(builder_->publish(input));
  const contract::PoolRecord mail = at<contract::PoolRecord>(root().pools)[1];
  edit(input).holders[1] = 3;
  ASSERT_TRUE(builder_->publish(input));
  const auto* records = at<contract::PoolRecord>(root().pools);
  EXPECT_EQ(std::memcmp(&records[1], &mail, sizeof(mail)), 0);
  EXPECT_EQ(seat(1).backend, 10);
  EXPECT_TRUE(contract::verify_snapshot(control_->base(), control_->header().control.root.load()));
  EXPECT_EQ(root().fingerprint, fingerprint(input)) << "also when a part of it was taken over";

  std::swap(input.pools[0], input.pools[1]);
  ASSERT_TRUE(builder_->publish(input));
  EXPECT_EQ(std::memcmp(at<contract::PoolRecord>(root().pools), &mail, sizeof(mail)), 0)
      << "a pool is known by its name";
  EXPECT_EQ(root().fingerprint, fingerprint(input));
}

TEST_F(SnapshotBuilderTest, RowsThatAreTheSameAreWrittenAnewForAnotherInstance) {
  SnapshotRows input = rows();
  ASSERT_TRUE(builder_->publish(input));
  const uint64_t fingerprint_before = root().fingerprint;
  input.outer_source = Be32(0xc6130000);
  ASSERT_TRUE(builder_->publish(input));
  EXPECT_EQ(seat(0).header[14 + 13], 0x13) << "the second byte of the outer source";
  EXPECT_NE(root().fingerprint, fingerprint_before);
  input.hash_key = {3, 4};
  ASSERT_TRUE(builder_->publish(input));
  EXPECT_EQ(root().fingerprint, fingerprint(input));
}

TEST_F(SnapshotBuilderTest, SeatsWithNobodyOrWithoutARouteSayWhy) {
  SnapshotRows input = rows();
  edit(input).holders[0] = kNobody;
  edit(input).routes[1].reset();
  edit(input).routes[2]->next_hop_mac.reset();
  ASSERT_TRUE(builder_->publish(input));
  EXPECT_EQ(seat(0).backend, contract::kNoBackend);
  EXPECT_EQ(seat(1).backend, 8);
  EXPECT_EQ(seat(1).flags & contract::kSeatResolved, 0);
  EXPECT_EQ(seat(2).flags & contract::kSeatResolved, 0);
}

TEST_F(SnapshotBuilderTest, RefusedPublishLeavesTheOldSnapshotAndWorksAgainWhenSmaller) {
  SnapshotRows input = rows();
  ASSERT_TRUE(builder_->publish(input));
  SnapshotRows huge = rows();
  edit(huge).ring = std::make_shared<PoolRing>(
      PoolRing(), 15'485'863, std::vector<OwnedSeat>{{"a", 100}, {"b", 100}, {"c", 100}}, std::vector<Opening>(3));
  const auto refused = builder_->publish(huge);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find("arena full"), std::string::npos) << refused.error();
  EXPECT_EQ(root().generation, 1u);
  EXPECT_EQ(pool().ring_size, kRingSize);
  EXPECT_TRUE(builder_->publish(input));
}

TEST_F(SnapshotBuilderTest, FingerprintIsOfWhatForwardsAndNothingElse) {
  const uint64_t reference = fingerprint(rows());
  SnapshotRows same = rows();
  edit(same).backends[0].id = 99;
  edit(same).backends[0].failures = 5;
  edit(same).routes[0]->next_hop_mac->at(5) = 77;
  same.vips[0].info.base_packets = 4;
  EXPECT_EQ(fingerprint(same), reference) << "host-specific details must not matter";
  SnapshotRows other = rows();
  edit(other).holders[1] = 3;
  EXPECT_NE(fingerprint(other), reference);
  other = rows();
  other.hash_key.k0 = 9;
  EXPECT_NE(fingerprint(other), reference);
  other = rows();
  other.vips[0].info.port = Be16(81);
  EXPECT_NE(fingerprint(other), reference);
  other = rows();
  edit(other).holders[1] = kNobody;
  EXPECT_NE(fingerprint(other), reference);
}

TEST(SlotsMoved, CountsBackendsNotSeats) {
  const std::vector<OwnedSeat> seats{{"a", 100}, {"b", 100}, {"c", 100}};
  const PoolRing whole(PoolRing(), kRingSize, seats, std::vector<Opening>(3));
  const std::vector<std::string> home{"a", "b", "c"};
  const std::vector<std::string> with_standby{"a", "w", "c"};
  const auto taken = slots_moved({whole, home}, {whole, with_standby});
  EXPECT_EQ(taken.total, whole.slots()[1]);
  EXPECT_EQ(taken.of_survivors, 0u);

  const PoolRing without_b(whole, kRingSize, seats, {{}, Opening::closed(), {}});
  const auto dealt = slots_moved({whole, home}, {without_b, {"a", "", "c"}});
  EXPECT_EQ(dealt.total, whole.slots()[1]);
  EXPECT_EQ(dealt.of_survivors, 0u);

  const std::vector<OwnedSeat> heavier{{"a", 100}, {"b", 300}, {"c", 100}};
  const PoolRing weighted(whole, kRingSize, heavier, std::vector<Opening>(3));
  const auto weight = slots_moved({whole, home}, {weighted, home});
  EXPECT_GE(weight.of_survivors, weighted.slots()[1] - whole.slots()[1]);

  const std::vector<OwnedSeat> more{{"a", 100}, {"aa", 100}, {"b", 100}, {"c", 100}};
  const PoolRing grown(whole, kRingSize, more, std::vector<Opening>(4));
  const auto added = slots_moved({whole, home}, {grown, {"a", "aa", "b", "c"}});
  EXPECT_GE(added.total, grown.slots()[1]) << "seats are compared by name, not by number";
  EXPECT_LT(added.total, kRingSize / 2);
}

}  // namespace
}  // namespace warmswap::table
