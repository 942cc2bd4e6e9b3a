// The event journal: one JSON object a line, in a file that is rotated by size. One thread.
//
// A line is written when its event is complete: at once, or for a change that workers have to follow when the last one
// has, or has not within the patience of the control plane. So lines stand in the order of completion; `seq` is the
// order of events, and goes on from the last line after a restart. A line is one write(2) of an append-only file, not
// synced: what the process wrote survives its death, not a power cut. A file that cannot be written is told once, tried
// again with the next line, and never holds up anything else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace warmswap::controlplane {

struct JournalOptions {
  std::string path;               // empty = no journal
  uint64_t max_bytes = 64 << 20;  // then path becomes path.1, path.1 path.2, and so on
  uint32_t files = 8;             // kept besides `path`
};

class Journal {
 public:
  explicit Journal(JournalOptions options);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// `json` without a newline.
  void write(const std::string& json);
  /// Opens the file anew at the next line, after somebody else has moved it away.
  void reopen();

  /// The largest seq among the last lines of the file; 0 = there is none.
  uint64_t last_seq() const;
  /// Why the last line was not written; empty when it was. And how many were not.
  const std::string& trouble() const noexcept { return trouble_; }
  uint64_t lost() const noexcept { return lost_; }

 private:
  bool open();
  void rotate();
  void failed(const std::string& what);

  JournalOptions options_;
  int fd_ = -1;
  uint64_t bytes_ = 0;
  std::string trouble_;
  uint64_t lost_ = 0;
};

}  // namespace warmswap::controlplane
