#include "controlplane/cli/save.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace warmswap::cli {
namespace {

namespace fs = std::filesystem;

class ReplaceFile : public testing::Test {
 protected:
  ReplaceFile() {
    std::string pattern = (fs::temp_directory_path() / "warmswap-save-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    directory = pattern;
    file = directory / "w.toml";
    std::ofstream(file) << "before";
  }
  ~ReplaceFile() override { fs::remove_all(directory); }

  static std::string text_in(const fs::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string failure_of(const std::string& path, const std::string& before) {
    try {
      replace_file(path, before, "after");
      return "";
    } catch (const Failure& failure) {
      return failure.what();
    }
  }
  size_t files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
  }

  fs::path directory;
  fs::path file;
};

TEST_F(ReplaceFile, KeepsTheMode) {
  ::chmod(file.c_str(), 0640);
  replace_file(file, "before", "after");
  EXPECT_EQ(text_in(file), "after");
  struct stat now {};
  ASSERT_EQ(::stat(file.c_str(), &now), 0);
  EXPECT_EQ(now.st_mode & 07777, 0640u);
  EXPECT_EQ(files(), 1u) << "no draft is left";
}

TEST_F(ReplaceFile, WritesThroughASymbolicLink) {
  fs::create_symlink(file, directory / "link.toml");
  replace_file(directory / "link.toml", "before", "after");
  EXPECT_TRUE(fs::is_symlink(directory / "link.toml"));
  EXPECT_EQ(text_in(file), "after");
}

TEST_F(ReplaceFile, LeavesAFileAloneThatIsAnotherOne) {
  EXPECT_NE(failure_of(file, "another").find("is not what the control plane read"), std::string::npos);
  EXPECT_EQ(text_in(file), "before");
  EXPECT_EQ(files(), 1u);
}

TEST_F(ReplaceFile, SaysWhatIsWrong) {
  EXPECT_EQ(failure_of(directory / "none.toml", "before"),
            "cannot find " + (directory / "none.toml").string() + ": No such file or directory; nothing was changed");
}

TEST_F(ReplaceFile, ANewFileIsLikeTheOther) {
  ::chmod(file.c_str(), 0640);
  const fs::path fresh = directory / "w.toml.d" / "90-saved.toml";
  create_file(fresh, file, "new");
  EXPECT_EQ(text_in(fresh), "new");
  struct stat now {};
  ASSERT_EQ(::stat(fresh.c_str(), &now), 0);
  EXPECT_EQ(now.st_mode & 07777, 0640u);
  EXPECT_THROW(create_file(fresh, file, "newer"), Failure) << "somebody made it meanwhile";
  EXPECT_EQ(text_in(fresh), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(directory / "w.toml.d"), fs::directory_iterator()), 1)
      << "no draft is left";
}

}  // namespace
}  // namespace warmswap::cli
