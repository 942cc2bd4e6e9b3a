#include "dataplane/steer/steering.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "dataplane/steer/steer.skel.h"
#include "dataplane/steer/steer_layout.h"

namespace warmswap::steer {
namespace {

using contract::Error;
using contract::Result;

constexpr char kProgramName[] = "warmswap_steer";  // the kernel keeps 15 characters
constexpr char kVipMapName[] = "steer_vips";
constexpr char kCounterMapName[] = "steer_counters";

std::string reason(int error) {
  return std::strerror(error < 0 ? -error : error);
}

struct Attached {
  uint32_t program_id;
  uint32_t flags;  // the mode it was attached in, for detaching in the same
};

Result<std::optional<Attached>> attached_program(unsigned ifindex) {
  bpf_xdp_query_opts query{};
  query.sz = sizeof(query);
  if (const int error = bpf_xdp_query(static_cast<int>(ifindex), 0, &query); error != 0) {
    return Error{"cannot ask which XDP program is attached: " + reason(error)};
  }
  if (query.attach_mode == XDP_ATTACHED_NONE) return std::optional<Attached>();
  if (query.attach_mode == XDP_ATTACHED_SKB) return std::optional(Attached{query.skb_prog_id, XDP_FLAGS_SKB_MODE});
  if (query.attach_mode == XDP_ATTACHED_HW) return std::optional(Attached{query.hw_prog_id, XDP_FLAGS_HW_MODE});
  return std::optional(Attached{query.drv_prog_id != 0 ? query.drv_prog_id : query.prog_id, XDP_FLAGS_DRV_MODE});
}

/// The maps a program uses, by id.
std::vector<uint32_t> map_ids(int program_fd, std::string& name) {
  std::vector<uint32_t> ids(64);
  bpf_prog_info info{};
  info.nr_map_ids = static_cast<uint32_t>(ids.size());
  info.map_ids = reinterpret_cast<uintptr_t>(ids.data());
  uint32_t bytes = sizeof(info);
  if (bpf_obj_get_info_by_fd(program_fd, &info, &bytes) != 0) return {};
  name = info.name;
  ids.resize(std::min<size_t>(ids.size(), info.nr_map_ids));
  return ids;
}

bool is_ours(const std::string& name) {
  return name == std::string(kProgramName).substr(0, BPF_OBJ_NAME_LEN - 1);
}

int open_map(const std::vector<uint32_t>& ids, const char* name) {
  for (const uint32_t id : ids) {
    const int fd = bpf_map_get_fd_by_id(id);
    if (fd < 0) continue;
    bpf_map_info info{};
    uint32_t bytes = sizeof(info);
    if (bpf_obj_get_info_by_fd(fd, &info, &bytes) == 0 && std::strcmp(info.name, name) == 0) return fd;
    close(fd);
  }
  return -1;
}

}  // namespace

Result<ProgramFile> ProgramFile::open() {
  size_t bytes = 0;
  const void* elf = steer_bpf::elf_bytes(&bytes);
  const int fd = memfd_create("warmswap-steer", MFD_CLOEXEC);
  if (fd < 0) return Error{"cannot create a memory file for the XDP program: " + reason(errno)};
  if (write(fd, elf, bytes) != static_cast<ssize_t>(bytes)) {
    const int error = errno;
    close(fd);
    return Error{"cannot write the XDP program to a memory file: " + reason(error)};
  }
  return ProgramFile(fd);
}

ProgramFile::ProgramFile(ProgramFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
ProgramFile::~ProgramFile() {
  if (fd_ >= 0) close(fd_);
}
std::string ProgramFile::path() const {
  return "/proc/self/fd/" + std::to_string(fd_);
}

Result<void> prepare_interface(const std::string& interface) {
  const unsigned ifindex = if_nametoindex(interface.c_str());
  if (ifindex == 0) return Error{"no network interface \"" + interface + "\" on this host"};
  auto attached = attached_program(ifindex);
  if (!attached) return Error{interface + ": " + attached.error()};
  if (!attached->has_value()) return {};
  const int fd = bpf_prog_get_fd_by_id((*attached)->program_id);
  std::string name;
  if (fd >= 0) {
    map_ids(fd, name);
    close(fd);
  }
  if (!is_ours(name)) {
    return Error{interface + " carries another XDP program (\"" + name + "\", id " +
                 std::to_string((*attached)->program_id) + "); detach it with: ip link set " + interface + " xdp off"};
  }
  if (const int error = bpf_xdp_detach(static_cast<int>(ifindex), (*attached)->flags, nullptr); error != 0) {
    return Error{interface + ": cannot detach the program a former dataplane left: " + reason(error)};
  }
  return {};
}

Result<Steering> Steering::attach(const std::string& interface) {
  const unsigned ifindex = if_nametoindex(interface.c_str());
  if (ifindex == 0) return Error{"no network interface \"" + interface + "\" on this host"};
  auto attached = attached_program(ifindex);
  if (!attached) return Error{interface + ": " + attached.error()};
  if (!attached->has_value()) return Error{interface + " carries no XDP program: the AF_XDP driver did not load it"};
  const int program = bpf_prog_get_fd_by_id((*attached)->program_id);
  if (program < 0) return Error{interface + ": cannot open its XDP program: " + reason(errno)};
  std::string name;
  const std::vector<uint32_t> ids = map_ids(program, name);
  close(program);
  const int vips = open_map(ids, kVipMapName);
  const int counters = open_map(ids, kCounterMapName);
  if (vips < 0 || counters < 0) {
    if (vips >= 0) close(vips);
    if (counters >= 0) close(counters);
    return Error{interface + ": the attached XDP program \"" + name + "\" has no map " + kVipMapName};
  }
  return Steering(interface, vips, counters);
}

Steering::Steering(Steering&& other) noexcept
    : interface_(std::move(other.interface_)),
      vips_fd_(std::exchange(other.vips_fd_, -1)),
      counters_fd_(std::exchange(other.counters_fd_, -1)),
      loaded_(std::move(other.loaded_)) {}

Steering::~Steering() {
  if (vips_fd_ >= 0) close(vips_fd_);
  if (counters_fd_ >= 0) close(counters_fd_);
}

Result<void> Steering::sync(const std::byte* base, const contract::SnapshotRoot* root) {
  std::set<Key> wanted;
  if (root != nullptr) {
    const auto* bucket = reinterpret_cast<const contract::VipBucket*>(base + root->vip_index);
    for (uint64_t i = 0; i <= root->vip_bucket_mask; ++i) {
      for (const contract::VipEntry& entry : bucket[i].entries) {
        if (entry.pool == contract::kNoPool && entry.address == contract::Be32()) continue;
        wanted.emplace(entry.address.raw(), entry.port.raw(), entry.protocol);
      }
    }
  }
  const auto to_key = [](const Key& key) { return steer_key{std::get<0>(key), std::get<1>(key), std::get<2>(key), 0}; };
  const uint8_t present = 1;
  std::optional<Error> failed;  // the other vips are steered all the same
  for (const Key& key : wanted) {
    if (loaded_.contains(key)) continue;
    const steer_key raw = to_key(key);
    if (const int error = bpf_map_update_elem(vips_fd_, &raw, &present, BPF_ANY); error != 0) {
      failed = Error{interface_ + ": cannot steer a vip to the workers: " + reason(error)};
      continue;
    }
    loaded_.insert(key);
  }
  for (auto key = loaded_.begin(); key != loaded_.end();) {
    if (wanted.contains(*key)) {
      ++key;
      continue;
    }
    const steer_key raw = to_key(*key);
    if (const int error = bpf_map_delete_elem(vips_fd_, &raw); error != 0 && error != -ENOENT) {
      failed = Error{interface_ + ": cannot stop steering a vip: " + reason(error)};
      ++key;
      continue;
    }
    key = loaded_.erase(key);
  }
  if (failed) return *failed;
  return {};
}

Result<Counters> Steering::counters() const {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 1) return Error{"cannot count the processors: " + reason(cpus)};
  const auto sum = [&](uint32_t which) -> std::optional<uint64_t> {
    std::vector<uint64_t> values(static_cast<size_t>(cpus));
    if (bpf_map_lookup_elem(counters_fd_, &which, values.data()) != 0) return std::nullopt;
    uint64_t total = 0;
    for (const uint64_t value : values) total += value;
    return total;
  };
  const auto redirected = sum(STEER_REDIRECTED);
  const auto no_socket = sum(STEER_NO_SOCKET);
  if (!redirected || !no_socket) return Error{interface_ + ": cannot read the XDP program's counters"};
  return Counters{*redirected, *no_socket};
}

}  // namespace warmswap::steer
