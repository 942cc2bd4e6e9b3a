#include "controlplane/api/listen.h"

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>
#include <vector>

#include "tests/unit/controlplane/api/raw_client.h"
#include "tests/unit/controlplane/api/test_server.h"

namespace warmswap::api {
namespace {

bool exists(const std::string& path) {
  struct stat found {};
  return lstat(path.c_str(), &found) == 0;
}

TEST(ListenUnix, MakesASocketForOwnerAndGroup) {
  const TemporaryFolder folder;
  const std::string path = folder.path("s");
  {
    const auto listener = listen_unix(path, "");
    ASSERT_TRUE(listener.ok()) << listener.error();
    struct stat made {};
    ASSERT_EQ(lstat(path.c_str(), &made), 0);
    EXPECT_TRUE(S_ISSOCK(made.st_mode));
    EXPECT_EQ(made.st_mode & 07777, 0660u);
    RawClient::unix_socket(path);
  }
  EXPECT_FALSE(exists(path)) << "goes away with the listener";
}

TEST(ListenUnix, GivesItToTheGroup) {
  const TemporaryFolder folder;
  const group* own = getgrgid(getegid());
  ASSERT_NE(own, nullptr);
  const auto listener = listen_unix(folder.path("s"), own->gr_name);
  ASSERT_TRUE(listener.ok()) << listener.error();
  struct stat made {};
  ASSERT_EQ(lstat(folder.path("s").c_str(), &made), 0);
  EXPECT_EQ(made.st_gid, getegid());
}

TEST(ListenUnix, RefusesAnUnknownGroupAndLeavesNothing) {
  const TemporaryFolder folder;
  const auto listener = listen_unix(folder.path("s"), "no-such-group-here");
  ASSERT_FALSE(listener.ok());
  EXPECT_NE(listener.error().find("no-such-group-here"), std::string::npos);
  EXPECT_FALSE(exists(folder.path("s")));
}

TEST(ListenUnix, ReplacesTheSocketOfACrashedProcess) {
  const TemporaryFolder folder;
  const std::string path = folder.path("s");
  auto crashed = listen_unix(path, "");
  ASSERT_TRUE(crashed.ok());
  close(crashed->descriptor.release());
  ASSERT_TRUE(exists(path));
  // Change times come from a clock that ticks every few milliseconds.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto next = listen_unix(path, "");
  ASSERT_TRUE(next.ok()) << next.error();
  RawClient::unix_socket(path);
  crashed->file.remove();
  EXPECT_TRUE(exists(path)) << "the old owner must not remove the new owner's socket";
}

TEST(ListenUnix, RefusesALiveSocket) {
  const TemporaryFolder folder;
  const auto first = listen_unix(folder.path("s"), "");
  ASSERT_TRUE(first.ok());
  const auto second = listen_unix(folder.path("s"), "");
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().find("another process answers"), std::string::npos) << second.error();
  RawClient::unix_socket(folder.path("s"));
}

TEST(ListenUnix, RefusesALiveSocketWithAFullQueue) {
  const TemporaryFolder folder;
  const auto first = listen_unix(folder.path("s"), "");
  ASSERT_TRUE(first.ok());
  ASSERT_EQ(listen(first->descriptor.get(), 0), 0);
  const RawClient waiting = RawClient::unix_socket(folder.path("s"));
  EXPECT_FALSE(listen_unix(folder.path("s"), "").ok());
}

TEST(ListenUnix, OfManyStartersOneWins) {
  const TemporaryFolder folder;
  const std::string path = folder.path("s");
  { close(listen_unix(path, "")->descriptor.release()); }
  for (int round = 0; round < 20; ++round) {
    {
      auto stale = listen_unix(path, "");
      ASSERT_TRUE(stale.ok());
      close(stale->descriptor.release());
      std::vector<contract::Result<UnixListener>> results;
      results.reserve(4);
      for (int i = 0; i < 4; ++i) results.emplace_back(contract::Error{"not run"});
      std::vector<std::thread> starters;
      for (auto& result : results) starters.emplace_back([&] { result = listen_unix(path, ""); });
      for (auto& starter : starters) starter.join();
      int winners = 0;
      for (const auto& result : results) winners += result.ok() ? 1 : 0;
      EXPECT_EQ(winners, 1);
    }
  }
}

TEST(ListenUnix, LeavesOtherFilesAlone) {
  const TemporaryFolder folder;
  std::ofstream(folder.path("file")) << "precious";
  EXPECT_FALSE(listen_unix(folder.path("file"), "").ok());
  EXPECT_TRUE(exists(folder.path("file")));
  ASSERT_EQ(symlink("file", folder.path("link").c_str()), 0);
  EXPECT_FALSE(listen_unix(folder.path("link"), "").ok());
}

TEST(ListenUnix, ChecksThePath) {
  const TemporaryFolder folder;
  EXPECT_FALSE(listen_unix("", "").ok());
  EXPECT_FALSE(listen_unix(folder.path(std::string(200, 'x')), "").ok());
  const auto missing = listen_unix(folder.path("no/such/folder/s"), "");
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().find("no/such/folder"), std::string::npos);
}

TEST(ListenTcp, SaysWhatIsWrong) {
  const auto first = listen_tcp("127.0.0.1", 0);
  ASSERT_TRUE(first.ok());
  const uint16_t port = bound_port(first->get());
  EXPECT_NE(port, 0);
  const auto second = listen_tcp("127.0.0.1", port);
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().find(std::to_string(port)), std::string::npos);
  EXPECT_FALSE(listen_tcp("localhost", 0).ok()) << "numeric addresses only: no resolver at start-up";
  EXPECT_FALSE(listen_tcp("192.0.2.1", 0).ok()) << "not an address of this machine";
}

}  // namespace
}  // namespace warmswap::api
