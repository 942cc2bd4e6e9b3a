#include "perf/gen/output_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace warmswap::gen {
namespace {

namespace fs = std::filesystem;

class OutputFilesTest : public ::testing::Test {
 protected:
  OutputFilesTest() { fs::create_directories(directory_); }
  ~OutputFilesTest() override { fs::remove_all(directory_); }
  std::string path(const char* name) const { return directory_ / name; }
  static std::string contents(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  size_t entries() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(directory_), fs::directory_iterator()));
  }

  fs::path directory_ = fs::temp_directory_path() / ("warmswap-output-" + std::to_string(getpid()));
};

TEST_F(OutputFilesTest, AppearWhenTheyAreComplete) {
  auto file = OutputFile::open(path("r.json"));
  ASSERT_TRUE(file) << file.error();
  EXPECT_FALSE(fs::exists(path("r.json")));
  ASSERT_TRUE(file->complete("{}\n"));
  EXPECT_EQ(contents(path("r.json")), "{}\n");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(OutputFilesTest, LeaveWhatWasThereWhenNothingComesOfIt) {
  std::ofstream(path("r.json")) << "before";
  {
    auto file = OutputFile::open(path("r.json"));
    ASSERT_TRUE(file);
  }
  EXPECT_EQ(contents(path("r.json")), "before");
  EXPECT_EQ(entries(), 1u) << "nothing half written is left";
}

TEST_F(OutputFilesTest, SayAtOnceWhatCannotBeWritten) {
  const auto missing = OutputFile::open(path("no/r.json"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error(), path("no/r.json") + ": cannot be written: No such file or directory");
  const auto directory = OutputFile::open(directory_);
  ASSERT_FALSE(directory);
  EXPECT_NE(directory.error().find("Is a directory"), std::string::npos) << directory.error();
}

TEST_F(OutputFilesTest, ADeviceIsWrittenToNotReplaced) {
  auto file = OutputFile::open("/dev/null");
  ASSERT_TRUE(file) << file.error();
  EXPECT_TRUE(file->complete("text"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

}  // namespace
}  // namespace warmswap::gen
