#include "dataplane/contract/segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "dataplane/contract/segment_file.h"
#include "dataplane/contract/verify.h"

namespace warmswap::contract {
namespace {

uint64_t read_clock(clockid_t clock) noexcept {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

// Locks are on bytes no process ever locks for another reason; the position names the side.
struct flock lock_request(Side side) {
  struct flock request {};
  request.l_type = F_WRLCK;
  request.l_whence = SEEK_SET;
  request.l_start = side == Side::dataplane ? 0 : 1;
  request.l_len = 1;
  return request;
}

const char* side_name(Side side) {
  return side == Side::dataplane ? "dataplane" : "control plane";
}

/// Verifies the snapshot of a segment that is being adopted, while a control plane may publish. The housekeeper stays
/// announced until the runtime takes over its place: nothing of what was verified is reused.
Result<void> verify_adopted(const Segment& segment) {
  SegmentHeader& header = segment.header();
  for (uint32_t i = 0; i < segment.geometry().worker_capacity; ++i) {
    // A crashed dataplane left its workers marked online; they hold nothing any more.
    segment.worker(i).quiescence.state.store(static_cast<uint32_t>(ReaderState::offline));
  }
  header.housekeeper.generation.store(0);
  header.housekeeper.state.store(static_cast<uint32_t>(ReaderState::online), std::memory_order_seq_cst);
  return verify_snapshot(segment.base(), header.control.root.load(std::memory_order_seq_cst));
}

}  // namespace

uint64_t monotonic_ns() noexcept {
  return read_clock(CLOCK_MONOTONIC);
}
uint64_t realtime_ns() noexcept {
  return read_clock(CLOCK_REALTIME);
}

Result<Segment> Segment::create_or_adopt(const CreateOptions& options) {
  std::string notice;
  for (const auto& path : options.paths) {
    if (access(path.c_str(), F_OK) != 0) continue;
    auto existing = open_existing(path, options.instance, Side::dataplane);
    if (!existing) return Error{existing.error()};
    Segment& segment = *existing;
    if (!segment.notice_.empty()) {
      notice = segment.notice_;  // another version: its writer is gone, so replace it
    } else if (!(segment.geometry() == options.geometry)) {
      notice = "the segment had other limits than the configuration asks for";
    } else if (auto sound = verify_adopted(segment); !sound) {
      notice = "the segment's snapshot is damaged (" + sound.error() + ")";
    } else {
      segment.adopted_ = true;
      return existing;
    }
    // The lock on the old file is held until the new one stands in its place.
    auto fresh = create(options, path);
    if (fresh) fresh->notice_ = notice + ": made a new one, the control plane will publish again";
    return fresh;
  }
  Error last{"no place to create the segment"};
  for (const auto& path : options.create_at) {
    auto fresh = create(options, path);
    if (fresh) return fresh;
    last = Error{fresh.error()};
  }
  return last;
}

Result<Segment> Segment::attach(const AttachOptions& options) {
  for (const auto& path : options.paths) {
    if (access(path.c_str(), F_OK) != 0) continue;
    auto segment = open_existing(path, options.instance, Side::controlplane);
    if (!segment) return segment;
    ControlLine& control = segment->header().control;
    control.pid.store(static_cast<uint32_t>(getpid()), std::memory_order_relaxed);
    control.epoch.fetch_add(1, std::memory_order_release);
    segment->adopted_ = control.root.load(std::memory_order_acquire) != 0;
    return segment;
  }
  std::string tried;
  for (const auto& path : options.paths) tried += (tried.empty() ? "" : ", ") + path.string();
  return Error{"no segment of instance \"" + options.instance + "\" (" + tried + "): is warmswap-dataplane running?"};
}

Result<Segment> Segment::open_existing(const std::filesystem::path& path, const std::string& instance, Side side) {
  Segment segment;
  segment.path_ = path;
  segment.fd_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (segment.fd_ < 0) return system_error("cannot open " + path.string());
  if (auto checked = check_file(segment.fd_, path); !checked) return Error{checked.error()};

  struct stat status {};
  fstat(segment.fd_, &status);
  void* head = mmap(nullptr, kRegionAlignment, PROT_READ, MAP_SHARED, segment.fd_, 0);
  if (head == MAP_FAILED) return system_error("cannot map the header of " + path.string());
  auto checked = check_header(*static_cast<const SegmentHeader*>(head), static_cast<uint64_t>(status.st_size),
                              path.string(), instance);
  const auto& header = *static_cast<const SegmentHeader*>(head);
  const bool other_version =
      std::memcmp(header.magic, kSegmentMagic, sizeof(kSegmentMagic)) == 0 && header.abi_version != kAbiVersion;
  const RegionSizes sizes = checked ? region_sizes(header.geometry) : RegionSizes{};
  munmap(head, kRegionAlignment);

  if (!checked && !(other_version && side == Side::dataplane)) return Error{checked.error()};
  if (auto locked = segment.lock(side, instance); !locked) return Error{locked.error()};
  if (!checked) {
    segment.notice_ = checked.error();
    return segment;
  }
  if (auto mapped = segment.map(side, sizes); !mapped) return Error{mapped.error()};
  return segment;
}

Result<Segment> Segment::create(const CreateOptions& options, const std::filesystem::path& path) {
  if (options.instance.empty() || options.instance.size() >= kNameBytes) {
    return Error{"instance name \"" + options.instance + "\": expected 1 to 63 characters"};
  }
  const RegionSizes sizes = region_sizes(options.geometry);
  const std::filesystem::path fresh = path.string() + ".new." + std::to_string(getpid());
  ::unlink(fresh.c_str());
  Segment segment;
  segment.path_ = path;
  segment.fd_ = ::open(fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0660);
  if (segment.fd_ < 0) return system_error("cannot create " + fresh.string());
  const auto fail = [&fresh](Error error) {
    ::unlink(fresh.c_str());
    return error;
  };
  if (fchmod(segment.fd_, 0660) != 0) return fail(system_error("cannot set the mode of " + fresh.string()));
  if (auto given = set_group(segment.fd_, options.group); !given) return fail(Error{given.error()});
  if (auto reserved = reserve_file(segment.fd_, sizes.total(), path.string()); !reserved)
    return fail(Error{reserved.error()});
  if (auto locked = segment.lock(Side::dataplane, options.instance); !locked) return fail(Error{locked.error()});
  if (auto mapped = segment.map(Side::dataplane, sizes); !mapped) return fail(Error{mapped.error()});

  SegmentHeader& header = segment.header();
  header.abi_version = kAbiVersion;
  header.header_bytes = sizeof(SegmentHeader);
  header.geometry = options.geometry;
  header.segment_bytes = sizes.total();
  header.workers = sizes.header;
  header.worker_stride = sizes.worker_stride;
  header.arena = sizes.header + sizes.workers;
  options.instance.copy(header.instance, kNameBytes - 1);
  std::memcpy(header.magic, kSegmentMagic, sizeof(kSegmentMagic));
  if (::rename(fresh.c_str(), path.c_str()) != 0)
    return fail(system_error("cannot put the segment at " + path.string()));
  return segment;
}

Result<void> Segment::map(Side side, const RegionSizes& sizes) {
  // One reservation, then each region over it with the protection its side is entitled to.
  bytes_ = sizes.total();
  void* reserved =
      mmap(nullptr, bytes_ + kRegionAlignment, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) return system_error("cannot reserve address space for the segment");
  const auto first = reinterpret_cast<uint64_t>(reserved);
  const uint64_t start = round_up(first, kRegionAlignment);
  base_ = reinterpret_cast<std::byte*>(start);
  if (start > first) munmap(reserved, start - first);
  if (const uint64_t slack = first + kRegionAlignment - start; slack > 0) munmap(base_ + bytes_, slack);

  const auto place = [this](uint64_t from, uint64_t bytes, bool writable) {
    const int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    return mmap(base_ + from, bytes, protection, MAP_SHARED | MAP_FIXED, fd_, static_cast<off_t>(from)) != MAP_FAILED;
  };
  if (place(0, sizes.header, true) && place(sizes.header, sizes.workers, side == Side::dataplane) &&
      place(sizes.header + sizes.workers, sizes.arena, side == Side::controlplane)) {
    return {};
  }
  return system_error("cannot map " + path_.string());
}

Result<void> Segment::lock(Side side, const std::string& instance) {
  struct flock request = lock_request(side);
  if (fcntl(fd_, F_OFD_SETLK, &request) == 0) return {};
  if (errno != EAGAIN && errno != EACCES) return system_error("cannot lock " + path_.string());
  return Error{"another " + std::string(side_name(side)) + " already serves instance \"" + instance + "\" (" +
               path_.string() + " is locked)"};
}

bool Segment::alive(Side side) const noexcept {
  struct flock request = lock_request(side);
  // Asking about the own description's lock always says "free", so a side asks about the other one.
  if (fcntl(fd_, F_OFD_GETLK, &request) != 0) return true;
  return request.l_type != F_UNLCK;
}

bool Segment::current() const noexcept {
  struct stat here {};
  struct stat there {};
  return fstat(fd_, &here) == 0 && stat(path_.c_str(), &there) == 0 && here.st_ino == there.st_ino &&
         here.st_dev == there.st_dev;
}

void Segment::renew_lease(std::chrono::nanoseconds lease) const noexcept {
  header().control.lease_until_ns.store(monotonic_ns() + static_cast<uint64_t>(lease.count()),
                                        std::memory_order_release);
}

Segment::Segment(Segment&& other) noexcept {
  *this = std::move(other);
}

Segment& Segment::operator=(Segment&& other) noexcept {
  if (this == &other) return *this;
  close();
  base_ = std::exchange(other.base_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  fd_ = std::exchange(other.fd_, -1);
  adopted_ = other.adopted_;
  path_ = std::move(other.path_);
  notice_ = std::move(other.notice_);
  return *this;
}

Segment::~Segment() {
  close();
}

void Segment::close() noexcept {
  if (base_ != nullptr) munmap(base_, bytes_);
  if (fd_ >= 0) ::close(fd_);
  base_ = nullptr;
  fd_ = -1;
}

}  // namespace warmswap::contract
