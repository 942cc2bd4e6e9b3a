// Documents and values the config tests start from.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "controlplane/config/load.h"
#include "controlplane/config/text.h"

namespace warmswap::config {

inline constexpr std::string_view kKeyText = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// Line numbers matter to the tests: sections are appended, never inserted.
inline const std::string kHead =
    "[instance]\n"                                       // 1
    "hash_key = \"0f1e2d3c4b5a69788796a5b4c3d2e1f0\"\n"  // 2
    "[dataplane]\n"                                      // 3
    "cores = [1]\n"                                      // 4
    "[[dataplane.port]]\n"                               // 5
    "name = \"uplink\"\n"                                // 6
    "driver = \"af_xdp\"\n"                              // 7
    "interface = \"eth0\"\n";                            // 8

inline const std::string kServices =
    "[[pool]]\n"                     // 9
    "name = \"web\"\n"               // 10
    "[[pool.backend]]\n"             // 11
    "name = \"b1\"\n"                // 12
    "address = \"192.0.2.11\"\n"     // 13
    "[[pool.backend]]\n"             // 14
    "name = \"warm1\"\n"             // 15
    "address = \"192.0.2.21\"\n"     // 16
    "role = \"warm\"\n"              // 17
    "[[vip]]\n"                      // 18
    "name = \"http\"\n"              // 19
    "address = \"198.51.100.10\"\n"  // 20
    "port = 80\n"                    // 21
    "pool = \"web\"\n";              // 22

/// `text` with `to` instead of `from`; with a + in front, `to` stands after `from`.
inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  if (at == text.npos) throw std::logic_error("the test's text is not in its document: " + std::string(from));
  if (to.starts_with('+')) return text.insert(at + from.size(), to.substr(1));
  return text.replace(at, from.size(), to);
}

/// A directory that goes away with its object.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "warmswap-config-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::filesystem::path write(const std::string& name, std::string_view text, int mode = 0640) const {
    auto path = path_ / name;
    std::ofstream(path) << text;
    std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
    return path;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace warmswap::config
