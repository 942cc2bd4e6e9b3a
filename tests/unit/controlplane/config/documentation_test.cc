// The files people start from must load, and the annotated one must name every key, at its default.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <sstream>

#include "config_fixture.h"

namespace warmswap::config {
namespace {

const std::filesystem::path kConfigDirectory = CONFIG_DIRECTORY;

std::string read(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

/// Loads a copy beside a fresh key, as the files' comments tell people to make one.
contract::Result<Loaded> load_beside_key(const std::string& text) {
  const TemporaryDirectory directory;
  directory.write("hash_key", kKeyText);
  return load_file(directory.write("warmswap.toml", text));
}

TEST(Documentation, everyFileLoadsWithoutErrorOrWarning) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kConfigDirectory)) {
    if (entry.path().extension() != ".toml") continue;
    ++files;
    const auto loaded = load_beside_key(read(entry.path()));
    ASSERT_TRUE(loaded) << entry.path() << "\n" << loaded.error();
    EXPECT_THAT(loaded->warnings, testing::IsEmpty()) << entry.path();
  }
  EXPECT_GE(files, 5u);
}

/// Sections and keys the text names, commented out or not: "pool.probe", "pool.probe.interval".
std::set<std::string> keys_named(const std::string& text) {
  const std::regex section(R"(^\[+([a-z_.]+)\]+$)");
  const std::regex key(R"(^(?:# )?([a-z_]+) = .*)");
  std::set<std::string> out;
  std::string current, line;
  std::smatch match;
  for (std::istringstream lines(text); std::getline(lines, line);) {
    if (std::regex_match(line, match, section)) {
      current = match[1];
      for (std::string prefix = current;; prefix.resize(prefix.rfind('.'))) {
        out.insert(prefix);
        if (prefix.find('.') == prefix.npos) break;
      }
    } else if (std::regex_match(line, match, key)) {
      out.insert(current + "." + match[1].str());
    }
  }
  return out;
}

TEST(Documentation, theAnnotatedFileNamesExactlyTheKnownKeys) {
  const std::vector<std::string> known = known_keys();
  std::set<std::string> expected(known.begin(), known.end());
  // A backend's probe takes the same keys as its pool's and shows a few.
  std::erase_if(expected, [](const std::string& key) { return key.starts_with("pool.backend.probe."); });
  std::set<std::string> named = keys_named(read(kConfigDirectory / "warmswap.toml"));
  std::erase_if(named, [](const std::string& key) { return key.starts_with("pool.backend.probe."); });
  EXPECT_EQ(named, expected);
  for (const std::string& key : known) {
    if (!key.starts_with("pool.backend.probe.")) continue;
    EXPECT_TRUE(expected.contains("pool.probe." + key.substr(key.rfind('.') + 1))) << key;
  }
}

TEST(Documentation, whatIsCommentedOutIsTheDefault) {
  const std::string text = read(kConfigDirectory / "warmswap.toml");
  // These have no default to show.
  const std::regex example(R"(# (hash_key|mtu|port) = [^\n]*\n)");
  const std::string rest = std::regex_replace(text, example, "");
  const std::string uncommented = std::regex_replace(rest, std::regex(R"(\n# ([a-z_]+ = ))"), "\n$1");
  ASSERT_NE(uncommented, rest);
  const auto as_written = load_beside_key(text);
  const auto spelt_out = load_beside_key(uncommented);
  ASSERT_TRUE(as_written && spelt_out) << as_written.error() << spelt_out.error();
  EXPECT_EQ(as_written->config, spelt_out->config);
}

}  // namespace
}  // namespace warmswap::config
