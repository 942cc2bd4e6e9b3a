#include "dataplane/contract/segment.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "tests/unit/dataplane/contract/segment_fixture.h"

namespace warmswap::contract {
namespace {

using SegmentTest = SegmentFixture;

/// Overwrites bytes of the file as a broken disk or another program would.
template <typename T>
void poke(const std::filesystem::path& path, size_t offset, const T& value) {
  const int fd = ::open(path.c_str(), O_RDWR);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(pwrite(fd, &value, sizeof(value), static_cast<off_t>(offset)), static_cast<ssize_t>(sizeof(value)));
  ::close(fd);
}

TEST_F(SegmentTest, CreatedFileIsPrivateToOwnerAndGroup) {
  auto segment = Segment::create_or_adopt(create_options());
  ASSERT_TRUE(segment) << segment.error();
  struct stat status {};
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660u);
  EXPECT_FALSE(segment->adopted());
  EXPECT_STREQ(segment->header().instance, "t");
}

TEST_F(SegmentTest, ControlPlaneBeforeDataplaneIsToldWhatIsMissing) {
  auto segment = Segment::attach(attach_options());
  ASSERT_FALSE(segment);
  EXPECT_NE(segment.error().find("is warmswap-dataplane running?"), std::string::npos) << segment.error();
}

TEST_F(SegmentTest, BothSidesSeeTheSameMemory) {
  auto dataplane = Segment::create_or_adopt(create_options());
  ASSERT_TRUE(dataplane) << dataplane.error();
  auto control = Segment::attach(attach_options());
  ASSERT_TRUE(control) << control.error();
  dataplane->worker(2).totals.received_packets.add(7);
  EXPECT_EQ(control->worker(2).totals.received_packets.get(), 7u);
  control->renew_lease(std::chrono::seconds(1));
  EXPECT_GT(dataplane->header().control.lease_until_ns.load(), monotonic_ns());
  EXPECT_EQ(dataplane->header().control.epoch.load(), 1u);
}

TEST_F(SegmentTest, EachSideSeesWhetherTheOtherLives) {
  auto dataplane = Segment::create_or_adopt(create_options());
  ASSERT_TRUE(dataplane);
  EXPECT_FALSE(dataplane->alive(Side::controlplane));
  {
    auto control = Segment::attach(attach_options());
    ASSERT_TRUE(control);
    EXPECT_TRUE(dataplane->alive(Side::controlplane));
    EXPECT_TRUE(control->alive(Side::dataplane));
    dataplane = Error{"gone"};
    EXPECT_FALSE(control->alive(Side::dataplane));
  }
}

TEST_F(SegmentTest, SecondDataplaneAndSecondControlPlaneAreRefused) {
  auto dataplane = Segment::create_or_adopt(create_options());
  ASSERT_TRUE(dataplane);
  auto second = Segment::create_or_adopt(create_options());
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().find("another dataplane already serves"), std::string::npos) << second.error();
  auto control = Segment::attach(attach_options());
  ASSERT_TRUE(control);
  auto rival = Segment::attach(attach_options());
  ASSERT_FALSE(rival);
  EXPECT_NE(rival.error().find("another control plane"), std::string::npos) << rival.error();
}

TEST_F(SegmentTest, RestartedDataplaneAdoptsAndItsDeadWorkersHoldNothing) {
  {
    auto first = Segment::create_or_adopt(create_options());
    ASSERT_TRUE(first);
    first->worker(0).totals.received_packets.add(3);
    first->worker(0).quiescence.state.store(static_cast<uint32_t>(ReaderState::online));
  }
  auto again = Segment::create_or_adopt(create_options());
  ASSERT_TRUE(again) << again.error();
  EXPECT_TRUE(again->adopted());
  EXPECT_EQ(again->worker(0).totals.received_packets.get(), 3u);
  EXPECT_EQ(again->worker(0).quiescence.state.load(), static_cast<uint32_t>(ReaderState::offline));
}

TEST_F(SegmentTest, OtherGeometryReplacesTheFileAndTheControlPlaneNotices) {
  { ASSERT_TRUE(Segment::create_or_adopt(create_options())); }
  auto control = Segment::attach(attach_options());
  ASSERT_TRUE(control);
  EXPECT_TRUE(control->current());
  auto options = create_options();
  options.geometry.vip_capacity = 32;
  auto dataplane = Segment::create_or_adopt(options);
  ASSERT_TRUE(dataplane) << dataplane.error();
  EXPECT_FALSE(dataplane->adopted());
  EXPECT_NE(dataplane->notice().find("other limits"), std::string::npos);
  EXPECT_FALSE(control->current());
}

TEST_F(SegmentTest, AttachAcrossVersionsNamesBoth) {
  { ASSERT_TRUE(Segment::create_or_adopt(create_options())); }
  poke(path(), offsetof(SegmentHeader, abi_version), uint32_t{77});
  auto control = Segment::attach(attach_options());
  ASSERT_FALSE(control);
  EXPECT_NE(control.error().find("ABI version 77"), std::string::npos) << control.error();
  EXPECT_NE(control.error().find("version " + std::to_string(kAbiVersion)), std::string::npos) << control.error();
  auto dataplane = Segment::create_or_adopt(create_options());
  ASSERT_TRUE(dataplane) << dataplane.error();
  EXPECT_NE(dataplane->notice().find("ABI version 77"), std::string::npos) << dataplane->notice();
  EXPECT_TRUE(Segment::attach(attach_options()));
}

TEST_F(SegmentTest, WrongMagicIsRefusedByBothSides) {
  { ASSERT_TRUE(Segment::create_or_adopt(create_options())); }
  poke(path(), 0, 'X');
  for (const std::string& error :
       {Segment::attach(attach_options()).error(), Segment::create_or_adopt(create_options()).error()}) {
    EXPECT_NE(error.find("wrong magic"), std::string::npos) << error;
  }
}

TEST_F(SegmentTest, TruncatedFileIsRefused) {
  { ASSERT_TRUE(Segment::create_or_adopt(create_options())); }
  for (const uintmax_t bytes : {uintmax_t{0}, uintmax_t{100}, uintmax_t{kRegionAlignment}, uintmax_t{5} << 20}) {
    std::filesystem::resize_file(path(), bytes);
    auto control = Segment::attach(attach_options());
    ASSERT_FALSE(control) << bytes;
    const bool named = control.error().find("truncated") != std::string::npos ||
                       control.error().find("wrong magic") != std::string::npos;  // the header is zeros after growing
    EXPECT_TRUE(named) << control.error();
  }
}

TEST_F(SegmentTest, DamagedRegionOffsetsAreRefused) {
  { ASSERT_TRUE(Segment::create_or_adopt(create_options())); }
  poke(path(), offsetof(SegmentHeader, arena), uint64_t{64});
  auto control = Segment::attach(attach_options());
  ASSERT_FALSE(control);
  EXPECT_NE(control.error().find("damaged header"), std::string::npos) << control.error();
}

TEST_F(SegmentTest, FileOfAnotherOwnerOrWritableByAllIsRefused) {
  { ASSERT_TRUE(Segment::create_or_adopt(create_options())); }
  ASSERT_EQ(chmod(path().c_str(), 0666), 0);
  EXPECT_NE(Segment::attach(attach_options()).error().find("writable by everyone"), std::string::npos);
  ASSERT_EQ(chmod(path().c_str(), 0660), 0);
  if (geteuid() != 0) GTEST_SKIP() << "changing a file's owner needs root";
  ASSERT_EQ(chown(path().c_str(), 12345, 12345), 0);
  EXPECT_NE(Segment::attach(attach_options()).error().find("belongs to uid 12345"), std::string::npos);
}

TEST_F(SegmentTest, SymbolicLinkIsNotFollowed) {
  { ASSERT_TRUE(Segment::create_or_adopt(create_options())); }
  std::filesystem::rename(path(), path().string() + ".real");
  std::filesystem::create_symlink(path().string() + ".real", path());
  EXPECT_FALSE(Segment::attach(attach_options()));
}

/// Runs `attempt` in a child and tells the signal that ended it, 0 for none.
template <typename Attempt>
int signal_of(Attempt attempt) {
  const pid_t child = fork();
  if (child == 0) {
    for (const int number : {SIGSEGV, SIGBUS}) signal(number, SIG_DFL);
    attempt();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST_F(SegmentTest, EachSideCanWriteOnlyItsOwnRegions) {
  auto dataplane = Segment::create_or_adopt(create_options());
  ASSERT_TRUE(dataplane);
  auto control = Segment::attach(attach_options());
  ASSERT_TRUE(control);
  const auto write = [](std::byte* at) { *reinterpret_cast<volatile char*>(at) = 1; };
  const uint64_t arena = dataplane->header().arena;
  const uint64_t workers = dataplane->header().workers;
  EXPECT_NE(signal_of([&] { write(dataplane->base() + arena); }), 0);
  EXPECT_NE(signal_of([&] { write(control->base() + workers); }), 0);
  EXPECT_EQ(signal_of([&] { write(dataplane->base() + workers); }), 0);
  EXPECT_EQ(signal_of([&] { write(control->base() + arena); }), 0);
}

TEST_F(SegmentTest, DataplaneReplacesASegmentWhoseSnapshotIsDamaged) {
  {
    auto dataplane = Segment::create_or_adopt(create_options());
    auto control = Segment::attach(attach_options());
    ASSERT_TRUE(control);
    control->header().control.root.store(control->header().arena + 4096);
  }
  auto dataplane = Segment::create_or_adopt(create_options());
  ASSERT_TRUE(dataplane) << dataplane.error();
  EXPECT_FALSE(dataplane->adopted());
  EXPECT_NE(dataplane->notice().find("damaged"), std::string::npos) << dataplane->notice();
}

TEST_F(SegmentTest, UnknownGroupIsNamed) {
  auto options = create_options();
  options.group = "no-such-group";
  auto dataplane = Segment::create_or_adopt(options);
  ASSERT_FALSE(dataplane);
  EXPECT_NE(dataplane.error().find("no-such-group"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(directory_)) << "a failed creation leaves no file behind";
}

}  // namespace
}  // namespace warmswap::contract
