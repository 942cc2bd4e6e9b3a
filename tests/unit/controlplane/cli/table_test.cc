#include "controlplane/cli/table.h"

#include <gtest/gtest.h>

#include <sstream>

namespace warmswap::cli {
namespace {

using namespace std::chrono_literals;

TEST(Width, CountsColumnsAndNotBytes) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("µs → é"), 6u);
  EXPECT_EQ(display_width("e\xcc\x81"), 1u) << "a combining accent";
  EXPECT_EQ(display_width("日本"), 4u);
  EXPECT_EQ(display_width("😀"), 2u);
  EXPECT_EQ(display_width("\xff\xc3"), 2u) << "stray bytes";
}

TEST(TableTest, AlignsByColumnsOfTheTerminal) {
  Table table({{"NAME"}, {"N", true}, {"LAST"}});
  table.add({"日本", "1", "x"});
  table.add({"a", "1000", ""});
  std::ostringstream out;
  table.print(out, false, "  ");
  EXPECT_EQ(out.str(),
            "  NAME     N  LAST\n"
            "  日本     1  x\n"
            "  a     1000\n");
}

TEST(TableTest, ColoursDoNotShiftColumns) {
  Table table({{"A"}, {"B"}});
  table.add({{"red", Tone::bad}, "b"});
  table.add({"r", "b"});
  std::ostringstream plain;
  std::ostringstream coloured;
  table.print(plain, false);
  table.print(coloured, true);
  std::string stripped;
  const std::string text = coloured.str();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      i = text.find('m', i);
    } else {
      stripped += text[i];
    }
  }
  EXPECT_EQ(stripped, plain.str());
}

TEST(Amounts, AreShort) {
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1000), "1.0 kB");
  EXPECT_EQ(human_bytes(999'949), "999.9 kB");
  EXPECT_EQ(human_bytes(999'950), "1.0 MB");
  EXPECT_EQ(human_bytes(UINT64_MAX), "18.4 EB");
  EXPECT_EQ(human_microseconds(999), "999 µs");
  EXPECT_EQ(human_microseconds(60'200), "60.2 ms");
  EXPECT_EQ(human_microseconds(12'000'000), "12.0 s");
  EXPECT_EQ(human_duration(-5ms), "0 s");
  EXPECT_EQ(human_duration(1800ms), "1.8 s");
  EXPECT_EQ(human_duration(59s), "59 s");
  EXPECT_EQ(human_duration(61s), "1 min 1 s");
  EXPECT_EQ(human_duration(26h), "1 d 2 h");
}

TEST(Age, IsReadOffRfc3339) {
  const auto now = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + 12h;
  EXPECT_EQ(human_age("2026-03-01T11:58:00.250000Z", now), "2 min 0 s");
  EXPECT_EQ(human_age("2026-03-01T12:00:05.000000Z", now), "0.0 s") << "clocks may differ a little";
  EXPECT_EQ(human_age("-", now), "-");
  EXPECT_EQ(human_age("1970-01-01T00:00:00.000000Z", now), "-") << "never";
}

TEST(Encode, LeavesOnlyUnreservedCharacters) {
  EXPECT_EQ(percent_encode("a-Z_0.~/ &é"), "a-Z_0.~%2F%20%26%C3%A9");
}

}  // namespace
}  // namespace warmswap::cli
