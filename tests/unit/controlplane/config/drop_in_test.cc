// Drop-in files: what they say over what the file says, and that messages name the right one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/config/findings.h"
#include "tests/unit/controlplane/config/config_fixture.h"

namespace warmswap::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DropInTest : public testing::Test {
 protected:
  DropInTest() {
    file_ = directory_.write("warmswap.toml", kHead + kServices);
    std::filesystem::create_directory(drop_in_directory(file_));
  }
  void drop_in(const std::string& name, std::string_view text, int mode = 0640) {
    directory_.write("warmswap.toml.d/" + name, text, mode);
  }
  const PoolConfig& web() {
    auto loaded = load_file(file_);
    EXPECT_TRUE(loaded) << loaded.error();
    if (loaded) config_ = loaded->config;
    return config_.pools.at(0);
  }
  std::string error() { return load_file(file_).error(); }

  TemporaryDirectory directory_;
  std::filesystem::path file_;
  Config config_;
};

std::string backend(std::string_view keys) {
  return "[[pool]]\nname = \"web\"\n[[pool.backend]]\n" + std::string(keys);
}

TEST_F(DropInTest, laterFilesOverrideSingleKeys) {
  drop_in("20-b.toml", backend("name = \"b1\"\nweight = 30\n"));
  drop_in("10-a.toml", backend("name = \"b1\"\nweight = 20\ncapacity = 7\n") + "[pool.probe]\nfall = 9\n");
  const PoolConfig& pool = web();
  ASSERT_EQ(pool.backends.size(), 2u);
  EXPECT_EQ(pool.backends[0].weight, 30u);
  EXPECT_EQ(pool.backends[0].capacity, 7u);
  EXPECT_EQ(format_address(pool.backends[0].address), "192.0.2.11");
  EXPECT_EQ(pool.probe.fall, 9u);
}

TEST_F(DropInTest, addAndRemove) {
  drop_in("a.toml",
          backend("name = \"a1\"\naddress = \"192.0.2.1\"\n[[pool.backend]]\nname = \"b1\"\nremoved = true\n") +
              "[[vip]]\nname = \"https\"\naddress = \"198.51.100.10\"\nport = 443\npool = \"web\"\n");
  EXPECT_THAT(names_of(web().backends), ElementsAre("a1", "warm1"));
  EXPECT_EQ(config_.vips.size(), 2u);
}

TEST_F(DropInTest, whatIsRemovedNeedsNothingElse) {
  drop_in("a.toml", backend("name = \"long_gone\"\nremoved = true\n"));
  EXPECT_EQ(web().backends.size(), 2u);
}

TEST_F(DropInTest, otherFilesAreLeftAlone) {
  drop_in("a.toml.bak", "nonsense");
  drop_in(".a.toml", "nonsense");
  EXPECT_EQ(web().backends.size(), 2u);
}

TEST_F(DropInTest, sourcesAreTheFilesInOrder) {
  drop_in("b.toml", "# b\n");
  drop_in("a.toml", "# a\n");
  const auto loaded = load_file(file_);
  ASSERT_TRUE(loaded) << loaded.error();
  ASSERT_EQ(loaded->sources.size(), 3u);
  EXPECT_EQ(loaded->sources[0].name, file_.string());
  EXPECT_EQ(loaded->sources[1].text, "# a\n");
  EXPECT_EQ(loaded->sources[2].name, file_.string() + ".d/b.toml");
}

TEST_F(DropInTest, errorsNameFileAndLine) {
  drop_in("a.toml", backend("name = \"b1\"\nweight = -1\nweihgt = 3\n"));
  EXPECT_THAT(error(), HasSubstr("warmswap.toml.d/a.toml:5: pool.web.backend.b1.weight = -1: expected"));
  EXPECT_THAT(error(), HasSubstr("warmswap.toml.d/a.toml:6: pool.web.backend.b1.weihgt: unknown key"));
  drop_in("a.toml", "pool = [\n");
  EXPECT_THAT(error(), HasSubstr("warmswap.toml.d/a.toml:"));
}

TEST_F(DropInTest, aRuleBrokenByTheFileIsToldOfTheFile) {
  drop_in("a.toml", backend("name = \"b2\"\naddress = \"192.0.2.11\"\n"));
  EXPECT_THAT(error(), HasSubstr("a.toml:5: pool.web.backend.b2.address"));
}

TEST_F(DropInTest, aNameUsedTwiceInOneFileIsAnError) {
  drop_in("a.toml", backend("name = \"b1\"\nweight = 2\n[[pool.backend]]\nname = \"b1\"\nweight = 3\n"));
  EXPECT_THAT(error(), HasSubstr("a.toml:7: pool.web.backend.b1.name = \"b1\": expected a name used once, and line 4"));
}

TEST_F(DropInTest, anUnreadableOneIsAnError) {
  std::filesystem::create_directory(drop_in_directory(file_) / "x.toml");
  EXPECT_THAT(error(), HasSubstr("x.toml\": expected a regular file"));
}

TEST_F(DropInTest, aKeyIsWarnedOfInTheFileThatIsOpen) {
  drop_in("a.toml", "[instance]\nname = \"edge\"\n", 0644);
  EXPECT_THAT(load_file(file_)->warnings, ElementsAre());
  drop_in("a.toml", "[instance]\nhash_key = \"" + std::string(kKeyText) + "\"\n", 0644);
  EXPECT_THAT(load_file(file_)->warnings, ElementsAre(HasSubstr("a.toml:2: instance.hash_key")));
}

TEST_F(DropInTest, theDataplaneReadsThemToo) {
  drop_in("a.toml", "[dataplane]\ncores = [3]\n");
  const auto loaded = load_dataplane_part(file_);
  ASSERT_TRUE(loaded) << loaded.error();
  EXPECT_THAT(loaded->config.dataplane.cores, ElementsAre(3u));
}

}  // namespace
}  // namespace warmswap::config
