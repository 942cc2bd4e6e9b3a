#include "perf/gen/pcap.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace warmswap::gen {
namespace {

class TemporaryFile {
 public:
  TemporaryFile() {
    char name[] = "/tmp/warmswap-pcap-XXXXXX";
    close(mkstemp(name));
    path_ = name;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Capture, ComesBackAsWritten) {
  const TemporaryFile file;
  auto writer = CaptureWriter::create(file.path());
  ASSERT_TRUE(writer) << writer.error();
  const std::vector<std::vector<uint8_t>> frames{std::vector<uint8_t>(60, 1), std::vector<uint8_t>(1514, 2), {3}};
  for (size_t i = 0; i < frames.size(); ++i) {
    ASSERT_TRUE(writer->write(frames[i].data(), static_cast<uint32_t>(frames[i].size()),
                              std::chrono::nanoseconds(i * 1'500'000'001)));
  }
  ASSERT_TRUE(writer->close());
  const auto capture = read_capture(file.path());
  ASSERT_TRUE(capture) << capture.error();
  ASSERT_EQ(capture->frames.size(), frames.size());
  for (size_t i = 0; i < frames.size(); ++i) {
    const Capture::Frame& frame = capture->frames[i];
    EXPECT_EQ(frame.time, std::chrono::nanoseconds(i * 1'500'000'001));
    EXPECT_EQ(std::vector<uint8_t>(capture->bytes.begin() + static_cast<long>(frame.offset),
                                   capture->bytes.begin() + static_cast<long>(frame.offset + frame.length)),
              frames[i]);
  }
}

void put32(std::vector<uint8_t>& to, uint32_t value, bool big) {
  for (int i = 0; i < 4; ++i) to.push_back(static_cast<uint8_t>(value >> 8 * (big ? 3 - i : i)));
}

/// One frame of four bytes at 7.000008 s (or 7.000000008 s), written field by field.
std::vector<uint8_t> file_with(uint32_t magic, bool big, uint32_t link = 1, uint32_t original = 4) {
  std::vector<uint8_t> file;
  put32(file, magic, big);
  put32(file, big ? 0x0002'0004u : 0x0004'0002u, big);  // version 2.4, as two 16-bit fields
  for (const uint32_t field : {0u, 0u, 65535u, link, 7u, 8u, 4u, original}) put32(file, field, big);
  put32(file, 0xdeadbeef, true);
  return file;
}

TEST(Capture, ReadsBothByteOrdersAndResolutions) {
  for (const bool big : {false, true}) {
    const auto micro = parse_capture(file_with(0xa1b2c3d4, big), "f");
    ASSERT_TRUE(micro) << micro.error();
    ASSERT_EQ(micro->frames.size(), 1u);
    EXPECT_EQ(micro->frames[0].time, std::chrono::seconds(7) + std::chrono::microseconds(8));
    EXPECT_EQ(micro->bytes[micro->frames[0].offset], 0xde);
    const auto nano = parse_capture(file_with(0xa1b23c4d, big), "f");
    ASSERT_TRUE(nano);
    EXPECT_EQ(nano->frames[0].time, std::chrono::seconds(7) + std::chrono::nanoseconds(8));
  }
}

TEST(Capture, SaysWhatIsWrongWithAFile) {
  const auto error = [](std::vector<uint8_t> file) {
    const auto capture = parse_capture(std::move(file), "f.pcap");
    return capture ? std::string("none") : capture.error();
  };
  EXPECT_EQ(error({1, 2, 3}), "f.pcap: 3 bytes are no pcap file, whose header alone has 24");
  EXPECT_EQ(error(file_with(0x12345678, false)),
            "f.pcap: begins with 12345678, expected the magic number of a pcap file");
  EXPECT_EQ(error(file_with(0x0a0d0d0a, false)),
            "f.pcap: a pcapng file, expected classic pcap (editcap -F pcap f.pcap OUT.pcap)");
  EXPECT_EQ(error(file_with(0xa1b2c3d4, false, 113)), "f.pcap: link type 113, expected Ethernet (1)");
  EXPECT_EQ(error(file_with(0xa1b2c3d4, true, 1, 1500)),
            "f.pcap: frame 1 was cut to 4 of 1500 bytes; capture whole frames (tcpdump -s 0)");
  std::vector<uint8_t> whole = file_with(0xa1b2c3d4, false);
  for (size_t length = 25; length < whole.size(); ++length) {
    EXPECT_NE(error({whole.begin(), whole.begin() + static_cast<long>(length)}).find("f.pcap: ends within"),
              std::string::npos)
        << length;
  }
  EXPECT_NE(read_capture("/nonexistent/f.pcap").error().find("/nonexistent/f.pcap: No such file"), std::string::npos);
}

}  // namespace
}  // namespace warmswap::gen
