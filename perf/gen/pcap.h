// Capture files in the classic pcap format: both byte orders, microsecond and nanosecond time stamps, Ethernet only.
// Blocking file access; errors name the file. Source: draft-ietf-opsawg-pcap.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/contract/result.h"
#include "dataplane/contract/wire.h"

namespace warmswap::gen {

/// All frames of a file in one piece of memory.
struct Capture {
  struct Frame {
    size_t offset;
    uint32_t length;
    std::chrono::nanoseconds time;  // since the epoch
  };
  std::vector<uint8_t> bytes;
  std::vector<Frame> frames;

  /// Gives every frame this destination MAC.
  void address_to(const contract::MacAddress& destination) noexcept;
};

/// The frames of a capture. A frame that the capture cut short (snap length) and a file that ends within a frame are
/// errors: half a packet cannot be judged or sent.
contract::Result<Capture> read_capture(const std::string& path);
/// The same of a file's contents; `name` stands in messages.
contract::Result<Capture> parse_capture(std::vector<uint8_t> file, const std::string& name);

/// Writes a capture with nanosecond time stamps.
class CaptureWriter {
 public:
  static contract::Result<CaptureWriter> create(const std::string& path);
  contract::Result<void> write(const uint8_t* frame, uint32_t length, std::chrono::nanoseconds time);
  /// Flushes; what the destructor could not report.
  contract::Result<void> close();

 private:
  struct Closer {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  CaptureWriter(std::FILE* file, std::string path) : file_(file), path_(std::move(path)) {}

  std::unique_ptr<std::FILE, Closer> file_;
  std::string path_;
};

}  // namespace warmswap::gen
