#include "controlplane/config/save.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <sstream>

#include "tests/unit/controlplane/config/config_fixture.h"

namespace warmswap::config {
namespace {

const std::string kAnnotated = kHead + R"(
# The shop.
[[pool]]
name = "web"   # as in the ticket
[pool.probe]
kind = "http"
path = "/health"

# The first one, in rack a.
[[pool.backend]]
name = "b1"
address = "192.0.2.11"
weight = 100     # measured in May

# The second one.
[[pool.backend]]
name = 'b2'
address = "192.0.2.12"
[pool.backend.probe]
port = 8080      # its own port

# Stands by.
[[pool.backend]]
name = "warm1"
address = "192.0.2.21"
role = "warm"
# enabled = false

# What clients see.
[[vip]]
name = "http"
address = "198.51.100.10"
port = 80
pool = "web"
)";

Config config_of(const std::string& text) {
  auto loaded = load_text(text, "w.toml");
  if (!loaded) throw std::runtime_error(loaded.error());
  return std::move(loaded->config);
}

std::set<std::string> lines_of(const std::string& text) {
  std::set<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.insert(line);
  return lines;
}

/// The file, and a drop-in of that name that gives b1 another weight.
std::vector<Source> with_drop_in(const std::string& name) {
  return {{"w.toml", kAnnotated}, {name, "[[pool]]\nname = \"web\"\n[[pool.backend]]\nname = \"b1\"\nweight = 20\n"}};
}

class Save : public testing::Test {
 protected:
  BackendConfig& backend(const std::string& name) {
    auto& backends = running.pools[0].backends;
    return *std::find_if(backends.begin(), backends.end(), [&](const auto& b) { return b.name == name; });
  }
  Edited edited() {
    const auto result = edit({{"w.toml", kAnnotated}}, file, running);
    EXPECT_TRUE(result.ok()) << result.error();
    return result.ok() ? *result : Edited{};
  }

  const Config file = config_of(kAnnotated);
  Config running = file;
};

TEST_F(Save, WithoutAChangeTheFileStaysAsItIs) {
  EXPECT_EQ(edited().text, kAnnotated);
  EXPECT_TRUE(edited().changes.empty());
}

TEST_F(Save, OnlyTheLineThatMustChangeDoes) {
  backend("b1").weight = 50;
  EXPECT_EQ(edited().text, replaced(kAnnotated, "weight = 100     # measured", "weight = 50     # measured"));
  EXPECT_EQ(edited().changes, std::vector<std::string>{"weight web/b1 50"});
}

TEST_F(Save, AKeyThatIsNotThereIsAddedBehindTheOthers) {
  backend("b2").enabled = false;
  backend("warm1").enabled = false;
  EXPECT_EQ(edited().text, replaced(replaced(kAnnotated, "address = \"192.0.2.12\"\n", "+enabled = false\n"),
                                    "role = \"warm\"\n", "+enabled = false\n"));
}

TEST_F(Save, ARemovedBackendGoesWithItsCommentAndItsTables) {
  auto& backends = running.pools[0].backends;
  backends.erase(backends.begin() + 1);
  EXPECT_EQ(edited().text, replaced(kAnnotated,
                                    "# The second one.\n[[pool.backend]]\nname = 'b2'\naddress = \"192.0.2.12\"\n"
                                    "[pool.backend.probe]\nport = 8080      # its own port\n\n",
                                    ""));
}

TEST_F(Save, AnAddedOneStandsBehindTheOthersOfItsPool) {
  BackendConfig added{.name = "b3", .address = *parse_address("192.0.2.13"), .weight = 7};
  added.domain = "rack-c";
  added.probe = running.pools[0].probe;
  added.probe->kind = ProbeKind::grpc;
  added.probe->tls = true;
  added.probe->expect = "say \"ok\"\\\n";
  running.pools[0].backends.insert(running.pools[0].backends.begin() + 2, added);
  EXPECT_EQ(edited().text, replaced(kAnnotated, "role = \"warm\"\n",
                                    "+\n[[pool.backend]]\nname = \"b3\"\naddress = \"192.0.2.13\"\nweight = 7\n"
                                    "domain = \"rack-c\"\n\n[pool.backend.probe]\nkind = \"grpc\"\ntls = true\nexpect "
                                    "= \"say \\\"ok\\\"\\\\\\u000a\"\n"));
}

TEST_F(Save, AnotherFormIsRefusedAndNotGuessedAt) {
  const std::string inline_form = kHead +
                                  "[[pool]]\nname = \"web\"\nbackend = [{name = \"b1\", address = \"192.0.2.11\"}]\n"
                                  "[[vip]]\nname = \"http\"\naddress = \"198.51.100.10\"\nport = 80\npool = \"web\"\n";
  const Config before = config_of(inline_form);
  Config after = before;
  after.pools[0].backends[0].weight = 5;
  const auto result = edit({{"w.toml", inline_form}}, before, after);
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().find("w.toml: backend web/b1 is not written in this file as [[pool.backend]]"),
            std::string::npos)
      << result.error();
}

TEST_F(Save, WhatTheChangesCannotSayIsRefused) {
  running.pools[0].hold_down = std::chrono::seconds(77);
  const auto result = edit({{"w.toml", kAnnotated}}, file, running);
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().find("could not be edited so that it says what runs"), std::string::npos) << result.error();
}

TEST_F(Save, DropInsStayAsTheyAreAndAreNotContradicted) {
  const std::vector<Source> sources = with_drop_in("w.toml.d/a.toml");
  const Config before = load_sources(sources)->config;
  Config after = before;
  after.pools[0].backends[1].weight = 30;
  const auto saved = edit(sources, before, after);
  ASSERT_TRUE(saved.ok()) << saved.error();
  EXPECT_EQ(saved->text, replaced(kAnnotated, "address = \"192.0.2.12\"\n", "+weight = 30\n"));
  after.pools[0].backends[0].weight = 21;
  const auto refused = edit(sources, before, after);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error(),
            "a drop-in file in w.toml.d says otherwise than w.toml would: change it there by hand, and reload");
}

TEST_F(Save, ADropInSaysOnlyWhatTheOtherFilesDoNot) {
  std::vector<Source> sources = with_drop_in("w.toml.d/50.toml");
  const Config before = load_sources(sources)->config;
  Config after = before;
  after.pools[0].backends[0].weight = 30;
  after.pools[0].backends.erase(after.pools[0].backends.begin() + 1);
  after.pools[0].backends.push_back({.name = "x", .address = Be32(0xc0000263)});
  const auto first = write_drop_in(sources, before, after);
  ASSERT_TRUE(first.ok()) << first.error();
  EXPECT_EQ(first->text,
            "# Written by `warmswapctl save --drop-in`, which writes it anew each time.\n"
            "\n[[pool]]\nname = \"web\"\n"
            "\n[[pool.backend]]\nname = \"b1\"\nweight = 30\n"
            "\n[[pool.backend]]\nname = \"b2\"\nremoved = true\n"
            "\n[[pool.backend]]\nname = \"x\"\naddress = \"192.0.2.99\"\n");
  EXPECT_EQ(first->changes, (std::vector<std::string>{"weight web/b1 30", "remove web/b2", "add web/x"}));
  // The next one starts from the file and the other drop-ins, not from the last one.
  sources.push_back({"w.toml.d/90-saved.toml", first->text});
  ASSERT_EQ(load_sources(sources)->config.pools, after.pools);
  Config later = after;
  later.pools[0].backends[0].weight = 20;
  const auto second = write_drop_in(sources, after, later);
  ASSERT_TRUE(second.ok()) << second.error();
  EXPECT_EQ(second->text.find("b1"), std::string::npos) << "another drop-in says that: " << second->text;
  EXPECT_EQ(second->changes, (std::vector<std::string>{"weight web/b1 20"}));
}

TEST_F(Save, ADropInCannotSayWhatALaterOneContradicts) {
  const std::vector<Source> sources = with_drop_in("w.toml.d/99.toml");
  const Config before = load_sources(sources)->config;
  Config after = before;
  after.pools[0].backends[0].weight = 30;
  const auto refused = write_drop_in(sources, before, after);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error(),
            "w.toml.d/90-saved.toml cannot say what runs: a drop-in file that is read after it says otherwise");
}

TEST_F(Save, RandomChangesSaveExactlyAndLeaveTheOtherLinesAlone) {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    Config target = file;
    auto& backends = target.pools[0].backends;
    for (auto change = random() % 4 + 1; change > 0; --change) {
      const size_t i = random() % backends.size();
      switch (random() % 4) {
        case 0:
          backends[i].weight = static_cast<uint32_t>(random() % 200);
          break;
        case 1:
          backends[i].enabled = !backends[i].enabled;
          break;
        case 2:
          if (backends[i].role == Role::hot && backends.size() > 2)
            backends.erase(backends.begin() + static_cast<ptrdiff_t>(i));
          break;
        default: {
          const auto last = static_cast<uint32_t>(random() % 150 + 30);
          BackendConfig added{.name = "n" + std::to_string(last), .address = Be32(0xc0000200 + last)};
          if (target.pools[0].find_backend(added.name) != nullptr) break;
          if (random() % 2 == 0) {
            added.probe = target.pools[0].probe;
            added.probe->interval = std::chrono::milliseconds(200 + random() % 100);
            added.probe->timeout = std::chrono::milliseconds(20 + random() % 100);
          }
          backends.push_back(added);
          std::ranges::sort(backends, {}, &BackendConfig::name);
        }
      }
    }
    const auto result = edit({{"w.toml", kAnnotated}}, file, target);
    ASSERT_TRUE(result.ok()) << result.error();
    ASSERT_EQ(config_of(result->text).pools, target.pools);
    const std::set<std::string> kept = lines_of(result->text);
    for (const char* line : {"# The shop.", "name = \"web\"   # as in the ticket", "# Stands by.", "# enabled = false",
                             "# What clients see."}) {
      ASSERT_TRUE(kept.contains(line)) << line;
    }
    const auto drop_in = write_drop_in({{"w.toml", kAnnotated}}, file, target);
    ASSERT_TRUE(drop_in.ok()) << drop_in.error();
    ASSERT_EQ(load_sources({{"w.toml", kAnnotated}, {"w.toml.d/90-saved.toml", drop_in->text}})->config.pools,
              target.pools);
    ASSERT_EQ(drop_in->changes, result->changes);
    // Saving what was saved changes nothing.
    ASSERT_EQ(edit({{"w.toml", result->text}}, target, target)->text, result->text);
  }
}

}  // namespace
}  // namespace warmswap::config
