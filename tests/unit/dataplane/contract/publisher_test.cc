#include "dataplane/contract/publisher.h"

#include <array>
#include <atomic>
#include <thread>

#include "dataplane/contract/seat.h"
#include "dataplane/contract/snapshot_reader.h"
#include "dataplane/contract/verify.h"
#include "tests/unit/dataplane/contract/segment_fixture.h"

namespace warmswap::contract {
namespace {

class PublisherTest : public SegmentFixture {
 protected:
  void open() {
    dataplane_ = Segment::create_or_adopt(create_options());
    ASSERT_TRUE(dataplane_) << dataplane_.error();
    attach();
  }
  void attach() {
    publisher_.reset();
    control_ = Error{"closed"};
    control_ = Segment::attach(attach_options());
    ASSERT_TRUE(control_) << control_.error();
    auto started = Publisher::start(*control_);
    ASSERT_TRUE(started) << started.error();
    publisher_ = std::move(*started);
  }
  SnapshotReader reader(uint32_t worker) {
    return SnapshotReader(dataplane_->base(), dataplane_->header(), dataplane_->worker(worker).quiescence);
  }
  Result<Published> publish(uint16_t backend, uint32_t ring_size = 31) {
    auto snapshot = SmallSnapshot::build(*publisher_, backend, ring_size);
    if (!snapshot) return Error{snapshot.error()};
    return publisher_->publish(snapshot->root, std::move(snapshot->blocks));
  }

  Result<Segment> dataplane_{Error{"closed"}};
  Result<Segment> control_{Error{"closed"}};
  std::unique_ptr<Publisher> publisher_;
};

TEST_F(PublisherTest, GenerationsCountUpAndReadersSeeTheNewest) {
  open();
  SnapshotReader worker = reader(0);
  worker.online();
  bool changed = false;
  EXPECT_EQ(worker.acquire(changed), nullptr);
  for (uint64_t generation = 1; generation <= 5; ++generation) {
    auto published = publish(static_cast<uint16_t>(generation));
    ASSERT_TRUE(published) << published.error();
    EXPECT_EQ(published->generation, generation);
    EXPECT_FALSE(publisher_->acknowledged(generation).complete);
    ASSERT_NE(worker.acquire(changed), nullptr);
    EXPECT_TRUE(changed);
    EXPECT_EQ(worker.acquire(changed)->generation, generation);
    EXPECT_FALSE(changed);
    const Acknowledgement seen = publisher_->acknowledged(generation);
    EXPECT_TRUE(seen.complete);
    EXPECT_EQ(seen.workers, 1u);
    EXPECT_GE(seen.last_seen_ns, published->stored_ns - 1'000'000);
  }
}

TEST_F(PublisherTest, AStuckWorkerHoldsMemoryAndIsNamedAndTheOldSnapshotStays) {
  open();
  SnapshotReader quick = reader(0);
  SnapshotReader stuck = reader(3);
  quick.online();
  stuck.online();
  bool changed = false;
  ASSERT_TRUE(publish(1, 200'001));
  stuck.acquire(changed);
  Result<Published> last = publish(2, 200'001);
  uint64_t newest = 0;
  while (last) {
    newest = last->generation;
    quick.acquire(changed);
    ASSERT_LT(newest, 100u) << "the arena never filled up";
    last = publish(3, 200'001);
  }
  EXPECT_NE(last.error().find("arena full"), std::string::npos) << last.error();
  EXPECT_NE(last.error().find("worker 3"), std::string::npos) << last.error();
  EXPECT_EQ(publisher_->held_by(), std::optional<uint32_t>(3));
  EXPECT_EQ(publisher_->generation(), newest);
  EXPECT_TRUE(verify_snapshot(control_->base(), control_->header().control.root.load()));
  stuck.acquire(changed);
  EXPECT_TRUE(publish(4, 200'001)) << "once the worker moves on, changes are accepted again";
}

TEST_F(PublisherTest, ADeadDataplaneHoldsNothing) {
  open();
  SnapshotReader worker = reader(0);
  worker.online();
  bool changed = false;
  ASSERT_TRUE(publish(1));
  worker.acquire(changed);
  dataplane_ = Error{"killed"};
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(publish(2, 200'001)) << i;
}

TEST_F(PublisherTest, RefusedChangesLeaveNoGarbage) {
  open();
  ASSERT_TRUE(publish(1));
  publisher_->reclaim();
  const uint64_t free = publisher_->free_bytes();
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(publish(1, 10'000'000));
    EXPECT_EQ(publisher_->free_bytes(), free);
  }
}

/// Gives a snapshot whose only seat can be sent to, and says so in its pool.
Seat& usable_seat(SmallSnapshot& snapshot, std::byte* base) {
  snapshot.root.entropy_mask = entropy_mask(12);
  auto& pool = *reinterpret_cast<PoolRecord*>(base + snapshot.root.pools);
  auto& seat = *reinterpret_cast<Seat*>(base + pool.seats);
  seat = make_ipip_seat({.backend = 1,
                         .port = 2,
                         .mtu = 1500,
                         .next_hop_mac = MacAddress{2, 0, 0, 0, 0, 1},
                         .outer_source = Be32(0xac10ffff),
                         .entropy_mask = snapshot.root.entropy_mask});
  pool.least_mtu = 1500;
  pool.port = 2;
  return seat;
}

TEST_F(PublisherTest, AUsableSeatIsPublished) {
  open();
  auto snapshot = SmallSnapshot::build(*publisher_, 1);
  ASSERT_TRUE(snapshot);
  usable_seat(*snapshot, control_->base());
  const auto published = publisher_->publish(snapshot->root, std::move(snapshot->blocks));
  EXPECT_TRUE(published) << published.error();
}

TEST_F(PublisherTest, MoreOfABlockThanWasReadIsReadBeforeItIsUsed) {
  open();
  constexpr uint32_t kSlots = 62;
  auto first = SmallSnapshot::build(*publisher_, 1, kSlots);
  ASSERT_TRUE(first);
  const auto pool_of = [&](const SmallSnapshot& s) -> PoolRecord& {
    return *reinterpret_cast<PoolRecord*>(control_->base() + s.root.pools);
  };
  pool_of(*first).ring_size = kSlots / 2;
  reinterpret_cast<uint16_t*>(control_->base() + pool_of(*first).ring)[kSlots - 1] = 9;  // no such seat, out of use
  auto second = SmallSnapshot::build(*publisher_, 1, kSlots);
  ASSERT_TRUE(second);
  pool_of(*second).ring = pool_of(*first).ring;
  second->blocks.insert(second->blocks.end(), first->blocks.begin(), first->blocks.end());
  const auto published = publisher_->publish(first->root, std::move(first->blocks));
  ASSERT_TRUE(published) << published.error();
  const auto refused = publisher_->publish(second->root, std::move(second->blocks));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find("names a seat beyond"), std::string::npos) << refused.error();
}

TEST_F(PublisherTest, UnsoundSnapshotsAreNotPublished) {
  open();
  ASSERT_TRUE(publish(1));
  using Spoil = void (*)(SmallSnapshot&, Publisher&, std::byte*);
  const std::pair<const char*, Spoil> cases[] = {
      {"outside the arena", [](SmallSnapshot& s, Publisher&, std::byte*) { s.root.pools = 128; }},
      {"expected a pool table", [](SmallSnapshot& s, Publisher&, std::byte*) { s.root.pools = s.root.vip_index; }},
      {"holds 64 bytes", [](SmallSnapshot& s, Publisher&, std::byte*) { s.root.pool_count = 2; }},
      {"entropy mask", [](SmallSnapshot& s, Publisher&, std::byte*) { s.root.entropy_mask = Be32(0xfe); }},
      {"entropy mask", [](SmallSnapshot& s, Publisher&, std::byte*) { s.root.entropy_mask = Be32(0x1ffffff); }},
      {"power of two", [](SmallSnapshot& s, Publisher&, std::byte*) { s.root.vip_bucket_mask = 2; }},
      {"names a seat beyond",
       [](SmallSnapshot& s, Publisher&, std::byte* base) {
         auto& pool = *reinterpret_cast<PoolRecord*>(base + s.root.pools);
         reinterpret_cast<uint16_t*>(base + pool.ring)[7] = 1;
       }},
      {"out of range",
       [](SmallSnapshot& s, Publisher&, std::byte* base) {
         auto& pool = *reinterpret_cast<PoolRecord*>(base + s.root.pools);
         reinterpret_cast<Seat*>(base + pool.seats)->backend = 16;
       }},
      {"refers to pool",
       [](SmallSnapshot& s, Publisher&, std::byte* base) {
         reinterpret_cast<VipBucket*>(base + s.root.vip_index)->entries[0].pool = 1;
       }},
      {"refers to pool",
       [](SmallSnapshot& s, Publisher&, std::byte* base) {
         reinterpret_cast<VipBucket*>(base + s.root.vip_index)->entries[0].protocol =
             kProtoTcp;  // a key without a pool
       }},
      {"expected 0",
       [](SmallSnapshot& s, Publisher&, std::byte* base) {
         auto& pool = *reinterpret_cast<PoolRecord*>(base + s.root.pools);
         reinterpret_cast<Seat*>(base + pool.seats)->mtu = 1500;  // of a next hop that is not resolved
       }},
      {"says of all its seats MTU 1500, port 2: they have 0, 0",
       [](SmallSnapshot& s, Publisher&, std::byte* base) {
         auto& pool = *reinterpret_cast<PoolRecord*>(base + s.root.pools);
         pool.least_mtu = 1500;  // a worker would not look at the seat, which is not resolved
         pool.port = 2;
       }},
      {"the pipeline cannot complete",
       [](SmallSnapshot& s, Publisher&, std::byte* base) { usable_seat(s, base).header_sum ^= 1; }},
      {"the pipeline cannot complete",
       [](SmallSnapshot& s, Publisher&, std::byte* base) { usable_seat(s, base).encapsulation = Encapsulation::none; }},
      {"the pipeline cannot complete",
       [](SmallSnapshot& s, Publisher&, std::byte* base) {
         usable_seat(s, base);
         s.root.entropy_mask = entropy_mask(13);  // the seat left 12 bits free
       }},
      {"without an empty entry",
       [](SmallSnapshot& s, Publisher&, std::byte* base) {
         for (VipEntry& entry : reinterpret_cast<VipBucket*>(base + s.root.vip_index)->entries) entry.pool = 0;
       }},
  };
  for (const auto& [expected, spoil] : cases) {
    auto snapshot = SmallSnapshot::build(*publisher_, 1);
    ASSERT_TRUE(snapshot);
    spoil(*snapshot, *publisher_, control_->base());
    auto published = publisher_->publish(snapshot->root, std::move(snapshot->blocks));
    ASSERT_FALSE(published) << expected;
    EXPECT_NE(published.error().find(expected), std::string::npos) << published.error();
    EXPECT_EQ(publisher_->generation(), 1u);
  }
}

TEST_F(PublisherTest, ARestartedControlPlaneAdoptsAndOverwritesNothingThatIsRead) {
  open();
  SnapshotReader worker = reader(0);
  worker.online();
  bool changed = false;
  ASSERT_TRUE(publish(1));
  const SnapshotRoot* read = worker.acquire(changed);
  ASSERT_TRUE(publish(2));  // the worker has not seen it when the control plane dies
  attach();
  EXPECT_EQ(publisher_->generation(), 2u);
  for (int i = 0; i < 100; ++i) {
    if (!publish(3, 50'001)) break;
  }
  EXPECT_EQ(read->generation, 1u) << "the snapshot a worker reads was overwritten by the new control plane";
  EXPECT_TRUE(verify_snapshot(dataplane_->base(),
                              static_cast<Offset>(reinterpret_cast<const std::byte*>(read) - dataplane_->base())));
  worker.acquire(changed);
  EXPECT_TRUE(publish(4, 50'001));
  EXPECT_GT(publisher_->generation(), 2u);
}

TEST_F(PublisherTest, StoppingTheControlPlaneLeavesTheCurrentSnapshotSound) {
  open();
  ASSERT_TRUE(publish(5));
  publisher_.reset();
  EXPECT_TRUE(verify_snapshot(dataplane_->base(), dataplane_->header().control.root.load()));
}

// The reader checks that everything it can reach belongs to one generation: the writer puts the generation's low bits
// into the seat and the ring size. A reused block would show another generation's value or a freed kind.
TEST_F(PublisherTest, ReadersRacing100000PublishesNeverSeeAMixedGeneration) {
  open();
  constexpr uint64_t kPublishes = 100'000;
  constexpr uint32_t kReaders = 3;
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> mixed{0};
  std::array<std::atomic<uint64_t>, kReaders> seen{};
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kReaders; ++i) {
    threads.emplace_back([&, i] {
      SnapshotReader worker = reader(i);
      worker.online();
      const std::byte* base = dataplane_->base();
      bool changed = false;
      for (uint64_t loop = 0; !stop.load(std::memory_order_relaxed); ++loop) {
        const SnapshotRoot* root = worker.acquire(changed);
        if (root == nullptr) continue;
        if (changed) seen[i].fetch_add(1, std::memory_order_relaxed);
        const auto& pool = *reinterpret_cast<const PoolRecord*>(base + root->pools);
        const uint16_t slot = reinterpret_cast<const uint16_t*>(base + pool.ring)[root->generation % pool.ring_size];
        const auto& seat = reinterpret_cast<const Seat*>(base + pool.seats)[slot];
        const uint64_t expected = root->generation % 16;
        if (seat.backend != expected || pool.ring_size != 31 + expected || root->fingerprint != root->generation * 3) {
          mixed.fetch_add(1, std::memory_order_relaxed);
        }
        if (loop % 64 == 0) std::this_thread::yield();
      }
      worker.offline();
    });
  }
  for (uint64_t generation = 1; generation <= kPublishes;) {
    auto snapshot = SmallSnapshot::build(*publisher_, static_cast<uint16_t>(generation % 16), 31 + generation % 16);
    if (snapshot) {
      snapshot->root.fingerprint = generation * 3;
      auto published = publisher_->publish(snapshot->root, std::move(snapshot->blocks));
      if (published) {
        ASSERT_EQ(published->generation, generation);
        ++generation;
        continue;
      }
    }
    std::this_thread::yield();  // a descheduled reader holds the arena: wait for it, as the control plane does
  }
  stop.store(true);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(mixed.load(), 0u);
  for (const auto& count : seen) EXPECT_GT(count.load(), 10u) << "a reader saw too few generations to prove anything";
}

}  // namespace
}  // namespace warmswap::contract
