// The hash key: where it may come from, who may read it, and that no message ever contains it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "controlplane/config/describe.h"
#include "tests/unit/controlplane/config/config_fixture.h"

namespace warmswap::config {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kInline = "hash_key = \"0f1e2d3c4b5a69788796a5b4c3d2e1f0\"\n";

std::string document_with(const std::string& key_lines) {
  return replaced(kHead + kServices, kInline, key_lines);
}

/// True when `text` shows eight digits of the key in a row.
bool leaks(std::string_view text) {
  for (size_t at = 0; at + 8 <= kKeyText.size(); ++at) {
    if (text.find(kKeyText.substr(at, 8)) != text.npos) return true;
  }
  return false;
}

TEST(HashKey, isRequiredAndTheMessageSaysHowToMakeOne) {
  const auto loaded = load_text(document_with(""), "w.toml");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error(), HasSubstr("w.toml:1: instance.hash_key is missing"));
  EXPECT_THAT(loaded.error(), HasSubstr("openssl rand -hex 16"));
}

TEST(HashKey, comesFromOnePlaceOnly) {
  const auto loaded = load_text(document_with(kInline + "hash_key_file = \"k\"\n"), "w.toml");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error(),
            "w.toml:2: instance.hash_key: expected either hash_key or hash_key_file, and both are there");
}

TEST(HashKey, fileIsRelativeToTheConfiguration) {
  const TemporaryDirectory directory;
  directory.write("key", "  " + std::string(kKeyText) + "\n");
  const auto file = directory.write("w.toml", document_with("hash_key_file = \"key\"\n"));
  const auto loaded = load_file(file);
  ASSERT_TRUE(loaded) << loaded.error();
  EXPECT_EQ(loaded->config.instance.hash_key, parse_hash_key(kKeyText));
  EXPECT_TRUE(loaded->warnings.empty());
  const auto absolute =
      load_text(document_with("hash_key_file = \"" + (directory.path() / "key").string() + "\"\n"), "elsewhere/w.toml");
  EXPECT_TRUE(absolute);
}

TEST(HashKey, fileMustBeClosedToOtherUsers) {
  const TemporaryDirectory directory;
  const auto file = directory.write("w.toml", document_with("hash_key_file = \"key\"\n"));
  for (const int mode : {0644, 0642, 0641}) {
    directory.write("key", kKeyText, mode);
    const auto loaded = load_file(file);
    ASSERT_FALSE(loaded) << mode;
    EXPECT_THAT(loaded.error(), HasSubstr("is open to all users: expected a file for its owner and group only"));
  }
  directory.write("key", kKeyText, 0400);
  EXPECT_TRUE(load_file(file));
}

TEST(HashKey, unusableFilesAreNamedAndNotShown) {
  const TemporaryDirectory directory;
  const auto file = directory.write("w.toml", document_with("hash_key_file = \"key\"\n"));
  EXPECT_THAT(load_file(file).error(), HasSubstr("No such file or directory"));
  for (const std::string& text : {std::string(), std::string(kKeyText.substr(1)), std::string(kKeyText) + "0",
                                  std::string(kKeyText) + "\n" + std::string(kKeyText), std::string("\n \n")}) {
    directory.write("key", text);
    const auto loaded = load_file(file);
    ASSERT_FALSE(loaded) << text;
    EXPECT_THAT(loaded.error(), HasSubstr("expected 32 hexadecimal digits"));
    EXPECT_FALSE(leaks(loaded.error())) << loaded.error();
  }
  std::filesystem::remove(directory.path() / "key");
  std::filesystem::create_directory(directory.path() / "key");
  EXPECT_THAT(load_file(file).error(), HasSubstr("expected a regular file"));
}

TEST(HashKey, inAFileOpenToOthersIsAWarning) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(load_file(directory.write("a.toml", kHead + kServices, 0640))->warnings.empty());
  const auto open = load_file(directory.write("b.toml", kHead + kServices, 0644));
  ASSERT_EQ(open->warnings.size(), 1u);
  EXPECT_THAT(open->warnings[0], HasSubstr("b.toml:2: instance.hash_key: every user may read this file"));
  EXPECT_FALSE(leaks(open->warnings[0]));
}

TEST(HashKey, isNotShownWhereverItIsPutByMistake) {
  const std::string key(kKeyText);
  const std::string quoted = '"' + key + '"';
  for (const std::string& lines :
       {"hash_key = \"" + key.substr(1) + "\"\n", "hash_key = " + quoted + "0\n", "hash_key = " + key + "\n",
        "hash_key = [" + quoted + "]\n", "hash_kye = " + quoted + "\n", "hash_key_file = " + quoted + "\n",
        "hash_key_file = \"" + key.substr(1) + "\"\n", "hash_key = \"" + key + "\n", key + "\n", quoted + "\n",
        key + " = 1\n", "hash_key = \"" + key + "\\q\"\n", "hash_key = '''" + key + "\n", kInline + kInline,
        kInline + "name = " + quoted + "\nrun_dir = \"x\"\n", "hash_key = {k = " + quoted + "}\n",
        "group = \"" + key + "/\"\n", "hash_key." + key + " = 1\n", "[" + key + "]\n[" + key + "]\n"}) {
    const auto loaded = load_text(document_with(lines), "w.toml");
    ASSERT_FALSE(loaded) << lines;
    EXPECT_FALSE(leaks(loaded.error())) << loaded.error();
  }
}

TEST(HashKey, staysSecretUnderRandomDamage) {
  // Also a robustness test: whatever happens to the bytes, the loader answers.
  std::mt19937 random(7);
  const std::string good = kHead + kServices;
  const std::string_view splices =
      "\"'[]{}=#.,\n\\ \t\x01\xff"
      "0ax_";
  for (int round = 0; round < 3000; ++round) {
    std::string text = good;
    for (unsigned edits = 1 + random() % 4; edits > 0 && !text.empty(); --edits) {
      const size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text.erase(at, 1 + random() % 3);
          break;
        case 1:
          text.insert(at, 1, splices[random() % splices.size()]);
          break;
        case 2:
          text[at] = splices[random() % splices.size()];
          break;
        default:
          text.insert(at, kServices.substr(random() % kServices.size(), random() % 40));
          break;
      }
    }
    const auto loaded = load_text(text, "w.toml");
    ASSERT_FALSE(!loaded && leaks(loaded.error())) << loaded.error() << "\nfor\n" << text;
  }
}

TEST(HashKey, isNotDescribed) {
  EXPECT_FALSE(leaks(describe(load_text(kHead + kServices, "w.toml")->config)));
}

}  // namespace
}  // namespace warmswap::config
