#include "perf/gen/pcap.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "dataplane/contract/byte_order.h"

namespace warmswap::gen {
namespace {

using contract::Error;
using contract::Result;

constexpr uint32_t kMicroseconds = 0xa1b2c3d4;
constexpr uint32_t kNanoseconds = 0xa1b23c4d;
constexpr uint32_t kPcapng = 0x0a0d0d0a;
constexpr uint32_t kEthernet = 1;
constexpr size_t kFileHeaderBytes = 24;
constexpr size_t kFrameHeaderBytes = 16;
constexpr uint32_t kSnapLength = 262144;

/// 32-bit fields in the file's byte order.
struct FieldReader {
  const std::vector<uint8_t>& file;
  bool swapped = false;
  uint32_t at(size_t offset) const {
    const auto value = contract::load<uint32_t>(file.data() + offset);
    return swapped ? contract::byte_swap(value) : value;
  }
};

}  // namespace

void Capture::address_to(const contract::MacAddress& destination) noexcept {
  for (const Frame& frame : frames) {
    if (frame.length >= destination.size()) std::memcpy(&bytes[frame.offset], destination.data(), destination.size());
  }
}

Result<Capture> parse_capture(std::vector<uint8_t> file, const std::string& name) {
  if (file.size() < kFileHeaderBytes) {
    return Error{fmt::format("{}: {} bytes are no pcap file, whose header alone has 24", name, file.size())};
  }
  FieldReader fields{file};
  const uint32_t magic = fields.at(0);
  fields.swapped = magic != kMicroseconds && magic != kNanoseconds;
  if (magic == kPcapng) {
    return Error{fmt::format("{}: a pcapng file, expected classic pcap (editcap -F pcap {} OUT.pcap)", name, name)};
  }
  if (const uint32_t read = fields.at(0); read != kMicroseconds && read != kNanoseconds) {
    return Error{fmt::format("{}: begins with {:08x}, expected the magic number of a pcap file", name, magic)};
  }
  const bool nanoseconds = fields.at(0) == kNanoseconds;
  if (const uint32_t link = fields.at(20) & 0xffff; link != kEthernet) {
    return Error{fmt::format("{}: link type {}, expected Ethernet (1)", name, link)};
  }
  Capture capture;
  size_t at = kFileHeaderBytes;
  while (at < file.size()) {
    const size_t number = capture.frames.size() + 1;
    if (file.size() - at < kFrameHeaderBytes)
      return Error{fmt::format("{}: ends within the header of frame {}", name, number)};
    const uint32_t captured = fields.at(at + 8);
    const uint32_t original = fields.at(at + 12);
    if (captured != original) {
      return Error{fmt::format("{}: frame {} was cut to {} of {} bytes; capture whole frames (tcpdump -s 0)", name,
                               number, captured, original)};
    }
    if (captured > file.size() - at - kFrameHeaderBytes)
      return Error{fmt::format("{}: ends within frame {}", name, number)};
    const std::chrono::nanoseconds time =
        std::chrono::seconds(fields.at(at)) +
        std::chrono::nanoseconds(uint64_t{fields.at(at + 4)} * (nanoseconds ? 1 : 1000));
    at += kFrameHeaderBytes;
    capture.frames.push_back({at, captured, time});
    at += captured;
  }
  capture.bytes = std::move(file);
  return capture;
}

Result<Capture> read_capture(const std::string& path) {
  if (std::error_code error; std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error)) {
    return Error{fmt::format("{}: is not a regular file; expected a capture", path)};
  }
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) return Error{fmt::format("{}: {}", path, std::strerror(errno))};
  const std::streamoff size = in.tellg();
  if (size < 0) return Error{fmt::format("{}: is no file with contents", path)};
  std::vector<uint8_t> file(static_cast<size_t>(size));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(file.data()), size);
  if (!in && size > 0) return Error{fmt::format("{}: cannot be read", path)};
  return parse_capture(std::move(file), path);
}

Result<CaptureWriter> CaptureWriter::create(const std::string& path) {
  CaptureWriter writer(std::fopen(path.c_str(), "wb"), path);
  if (writer.file_ == nullptr) return Error{fmt::format("{}: {}", path, std::strerror(errno))};
  const std::array<uint32_t, 6> header{kNanoseconds, 2 | 4 << 16, 0, 0, kSnapLength, kEthernet};
  std::fwrite(header.data(), sizeof(header), 1, writer.file_.get());
  return writer;
}

Result<void> CaptureWriter::write(const uint8_t* frame, uint32_t length, std::chrono::nanoseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  const std::array<uint32_t, 4> header{static_cast<uint32_t>(seconds.count()),
                                       static_cast<uint32_t>((time - seconds).count()), length, length};
  if (std::fwrite(header.data(), sizeof(header), 1, file_.get()) != 1 ||
      std::fwrite(frame, 1, length, file_.get()) != length) {
    return Error{fmt::format("{}: {}", path_, std::strerror(errno))};
  }
  return {};
}

Result<void> CaptureWriter::close() {
  const int failed = std::ferror(file_.get());
  if (std::fclose(file_.release()) != 0 || failed != 0)
    return Error{fmt::format("{}: {}", path_, std::strerror(errno))};
  return {};
}

}  // namespace warmswap::gen
