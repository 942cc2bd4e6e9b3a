// The files people start from must load, and the annotated one must name every key, at its default.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "tests/unit/controlplane/config/config_fixture.h"

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

/// Clients send packets of 1500 bytes; the port must take them with the outer header.
TEST(Documentation, everyPortHasRoomForTheOuterHeader) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kConfigDirectory)) {
    if (entry.path().extension() != ".toml") continue;
    const std::string text = read(entry.path());
    const auto loaded = load_beside_key(text);
    ASSERT_TRUE(loaded) << entry.path() << "\n" << loaded.error();
    for (const PortConfig& port : loaded->config.dataplane.ports) {
      if (port.driver == PortDriver::af_xdp) {
        EXPECT_THAT(text, testing::HasSubstr("ip link set dev " + port.interface + " mtu 1520")) << entry.path();
      } else {
        EXPECT_GE(port.mtu, 1520) << entry.path();
      }
    }
  }
}

constexpr std::string_view kNameCharacters = "abcdefghijklmnopqrstuvwxyz_";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::string line;
  for (std::istringstream lines(text); std::getline(lines, line);) out.push_back(line);
  return out;
}

/// "interval" for `interval = "1s"` and for `# interval = "1s"`; empty for prose.
std::string key_of(std::string_view line) {
  if (line.starts_with("# ")) line.remove_prefix(2);
  const std::string_view key = line.substr(0, line.find(" = "));
  return key.size() < line.size() && key.find_first_not_of(kNameCharacters) == key.npos ? std::string(key)
                                                                                        : std::string();
}

/// "pool.probe" for `[pool.probe]` and `[[pool.probe]]`; empty for other lines.
std::string section_of(std::string_view line) {
  const size_t begin = line.find_first_not_of('[');
  const size_t end = line.find(']');
  return begin == 0 || begin == line.npos || end == line.npos ? std::string()
                                                              : std::string(line.substr(begin, end - begin));
}

/// Sections and keys the text names, commented out or not: "pool.probe", "pool.probe.interval".
std::set<std::string> keys_named(const std::string& text) {
  std::set<std::string> out;
  std::string current;
  for (const std::string& line : lines_of(text)) {
    if (const std::string section = section_of(line); !section.empty()) {
      current = section;
      out.insert(section.substr(0, section.find('.')));
      out.insert(section);
    } else if (const std::string key = key_of(line); !key.empty()) {
      out.insert(current + "." + key);
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
  const std::set<std::string> without_default{"hash_key", "heartbeat_key", "heartbeat_key_file", "port"};
  std::string uncommented;
  size_t found = 0;
  for (std::string line : lines_of(text)) {
    if (line.starts_with("# ") && !key_of(line).empty() && !without_default.contains(key_of(line))) {
      line.erase(0, 2);
      ++found;
    }
    uncommented += line + "\n";
  }
  ASSERT_GT(found, 20u);
  const auto as_written = load_beside_key(text);
  const auto spelt_out = load_beside_key(uncommented);
  ASSERT_TRUE(as_written && spelt_out) << as_written.error() << spelt_out.error();
  EXPECT_EQ(as_written->config, spelt_out->config);
}

}  // namespace
}  // namespace warmswap::config
