#include "dataplane/contract/segment_file.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "dataplane/contract/segment.h"

namespace warmswap::contract {

std::vector<std::filesystem::path> segment_paths(const std::string& instance, bool hugepages) {
  std::vector<std::filesystem::path> paths;
  const std::string file = "warmswap-" + instance;
  if (hugepages) {
    std::ifstream mounts("/proc/self/mounts");
    for (std::string line; std::getline(mounts, line);) {
      std::istringstream fields(line);
      std::string device, directory, type, flags;
      fields >> device >> directory >> type >> flags;
      // A 1 GiB mount would round each region up to a gigabyte.
      if (type == "hugetlbfs" && flags.find("pagesize=1024M") == std::string::npos) {
        paths.push_back(std::filesystem::path(directory) / file);
      }
    }
  }
  paths.push_back(std::filesystem::path("/dev/shm") / file);
  return paths;
}

RegionSizes region_sizes(const Geometry& g) noexcept {
  RegionSizes sizes{};
  sizes.header = round_up(sizeof(SegmentHeader), kRegionAlignment);
  sizes.worker_stride = round_up(sizeof(WorkerRegion) + sizeof(TrafficCounter) * traffic_counters(g) +
                                     sizeof(HandshakeCounter) * uint64_t{g.backend_capacity},
                                 4096);
  sizes.workers = round_up(sizes.worker_stride * g.worker_capacity, kRegionAlignment);
  sizes.arena = round_up(g.arena_bytes, kRegionAlignment);
  return sizes;
}

Error system_error(const std::string& what) {
  return Error{what + ": " + std::strerror(errno)};
}

Result<void> check_file(int fd, const std::filesystem::path& path) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return system_error("cannot stat " + path.string());
  if (!S_ISREG(status.st_mode)) return Error{path.string() + " is not a regular file"};
  if (status.st_uid != 0 && status.st_uid != geteuid()) {
    return Error{path.string() + " belongs to uid " + std::to_string(status.st_uid) + ", expected root or uid " +
                 std::to_string(geteuid())};
  }
  if ((status.st_mode & S_IWOTH) != 0) return Error{path.string() + " is writable by everyone, expected mode 0660"};
  if (static_cast<uint64_t>(status.st_size) < kRegionAlignment) {
    return Error{path.string() + " is truncated: " + std::to_string(status.st_size) + " bytes, expected at least " +
                 std::to_string(kRegionAlignment)};
  }
  return {};
}

Result<void> check_header(const SegmentHeader& header, uint64_t file_bytes, const std::string& path,
                          const std::string& instance) {
  if (std::memcmp(header.magic, kSegmentMagic, sizeof(kSegmentMagic)) != 0) {
    return Error{path + " is not a warmswap segment (wrong magic); remove it if it is a leftover"};
  }
  if (header.abi_version != kAbiVersion) {
    return Error{path + " has ABI version " + std::to_string(header.abi_version) + ", this program speaks version " +
                 std::to_string(kAbiVersion) + ": run a dataplane and a control plane of the same release"};
  }
  const RegionSizes sizes = region_sizes(header.geometry);
  const bool consistent = header.header_bytes == sizeof(SegmentHeader) && header.workers == sizes.header &&
                          header.worker_stride == sizes.worker_stride && header.arena == sizes.header + sizes.workers &&
                          header.segment_bytes == sizes.total();
  if (!consistent)
    return Error{path + " has a damaged header (its region offsets do not follow from its geometry); remove it"};
  if (file_bytes < header.segment_bytes) {
    return Error{path + " is truncated: " + std::to_string(file_bytes) + " bytes, expected " +
                 std::to_string(header.segment_bytes)};
  }
  if (strnlen(header.instance, kNameBytes) == kNameBytes || instance != header.instance) {
    return Error{path + " belongs to another instance, expected \"" + instance + "\""};
  }
  return {};
}

Result<void> set_group(int fd, const std::string& group) {
  if (group.empty()) return {};
  const struct group* entry = getgrnam(group.c_str());
  if (entry == nullptr) return Error{"instance.group = \"" + group + "\": no such group on this host"};
  if (fchown(fd, static_cast<uid_t>(-1), entry->gr_gid) != 0)
    return system_error("cannot give the segment to group " + group);
  return {};
}

Result<void> reserve_file(int fd, uint64_t bytes, const std::string& path) {
  if (ftruncate(fd, static_cast<off_t>(bytes)) != 0) {
    return system_error("cannot size " + path + " to " + std::to_string(bytes) + " bytes");
  }
  struct statfs filesystem {};
  if (fstatfs(fd, &filesystem) == 0 && filesystem.f_type == HUGETLBFS_MAGIC) return {};
  errno = posix_fallocate(fd, 0, static_cast<off_t>(bytes));
  if (errno == 0) return {};
  return system_error("cannot reserve " + std::to_string(bytes >> 20) + " MiB for " + path +
                      " (make its file system larger or lower dataplane.limits)");
}

}  // namespace warmswap::contract
