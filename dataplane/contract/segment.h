// Creating, adopting and attaching the shared-memory segment of an instance.
//
// The dataplane creates the file (or adopts the one it finds, so that a restart forwards with the last snapshot); the
// control plane attaches to it. Each side holds an open-file-description lock for as long as it lives, so a crashed
// process is told from a live one without a pid guess. Threads: creating and attaching belong to one thread; the
// mapped memory follows the rules of layout.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "dataplane/contract/layout.h"
#include "dataplane/contract/result.h"

namespace warmswap::contract {

/// CLOCK_MONOTONIC and CLOCK_REALTIME in ns; through the vDSO, no system call.
uint64_t monotonic_ns() noexcept;
uint64_t realtime_ns() noexcept;

/// Where the segment of an instance may live, in order of preference: on each 2 MiB hugetlbfs mount, then /dev/shm.
std::vector<std::filesystem::path> segment_paths(const std::string& instance, bool hugepages);

enum class Side { dataplane, controlplane };

struct CreateOptions {
  std::string instance;
  std::string group;  // may attach besides the owner; empty = the process's own group
  Geometry geometry;
  std::vector<std::filesystem::path> paths;      // where an existing one may be: segment_paths(instance, true)
  std::vector<std::filesystem::path> create_at;  // where a new one goes, the first that works
};

struct AttachOptions {
  std::string instance;
  std::vector<std::filesystem::path> paths;
};

/// Bytes of the three regions for a geometry: what the file must hold.
struct RegionSizes {
  uint64_t header;
  uint64_t worker_stride;
  uint64_t workers;
  uint64_t arena;
  uint64_t total() const noexcept { return header + workers + arena; }
};
RegionSizes region_sizes(const Geometry& geometry) noexcept;

/// A mapped segment. Moves; unmaps and gives up its lock when destroyed. Never removes the file.
class Segment {
 public:
  /// For the dataplane. An existing segment is adopted when it is sound, of this version and of the same geometry;
  /// one of another version or geometry is replaced (`notice()` says so). Refuses when another dataplane serves the
  /// instance, or when what stands at the path is not a segment, or belongs to somebody else.
  static Result<Segment> create_or_adopt(const CreateOptions& options);

  /// For the control plane: maps an existing segment, takes the writer's lock and raises ControlLine::epoch.
  static Result<Segment> attach(const AttachOptions& options);

  Segment(Segment&& other) noexcept;
  Segment& operator=(Segment&& other) noexcept;
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  ~Segment();

  SegmentHeader& header() const noexcept { return *reinterpret_cast<SegmentHeader*>(base_); }
  const Geometry& geometry() const noexcept { return header().geometry; }
  std::byte* base() const noexcept { return base_; }
  /// Writable on the dataplane's side only.
  WorkerRegion& worker(uint32_t index) const noexcept {
    return *reinterpret_cast<WorkerRegion*>(base_ + header().workers + index * header().worker_stride);
  }

  const std::filesystem::path& path() const noexcept { return path_; }
  bool adopted() const noexcept { return adopted_; }
  const std::string& notice() const noexcept { return notice_; }

  /// Whether a process holds the lock of that side now. One system call.
  bool alive(Side side) const noexcept;
  /// False once another file stands at the path (the dataplane was restarted with another geometry) or none does.
  bool current() const noexcept;
  /// Control plane: promise to be alive until now + `lease`.
  void renew_lease(std::chrono::nanoseconds lease) const noexcept;

 private:
  Segment() = default;
  static Result<Segment> open_existing(const std::filesystem::path& path, const std::string& instance, Side side);
  static Result<Segment> create(const CreateOptions& options, const std::filesystem::path& path);
  Result<void> map(Side side, const RegionSizes& sizes);
  Result<void> lock(Side side, const std::string& instance);
  void close() noexcept;

  std::byte* base_ = nullptr;
  uint64_t bytes_ = 0;
  int fd_ = -1;
  bool adopted_ = false;
  std::filesystem::path path_;
  std::string notice_;
};

}  // namespace warmswap::contract
