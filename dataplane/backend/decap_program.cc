#include "dataplane/backend/decap_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "dataplane/backend/decap.skel.h"
#include "dataplane/backend/netlink.h"

namespace warmswap::backend {
namespace {

using contract::Error;

// The place of the program on the hook. Fixed, so that a successor finds it; high enough to leave the first priorities
// to filters an operator numbers by hand.
constexpr uint32_t kPriority = 100;

// The handle says who made the clsact qdisc, which after a crash only the successor can clean up. It keeps that where
// reading takes no descriptor of the program: those are for CAP_SYS_ADMIN only.
constexpr uint32_t kHandleOnForeignQdisc = 1;
constexpr uint32_t kHandleOnOwnQdisc = 2;

/// libbpf's own messages of the last failed call; they name the map or instruction, which errno does not.
std::string& libbpf_messages() {
  static std::string messages;
  return messages;
}

int keep_message(libbpf_print_level level, const char* format, va_list arguments) {
  char line[1024];
  if (level == LIBBPF_WARN && std::vsnprintf(line, sizeof line, format, arguments) > 0) libbpf_messages() += line;
  return 0;
}

void start_listening() {
  libbpf_set_print(keep_message);
  libbpf_messages().clear();
}

Error bpf_error(std::string_view what, int code) {
  code = code < 0 ? -code : code;
  std::string sentence = fmt::format("{}: {}", what, std::strerror(code));
  if (code == EPERM) sentence += " (needs root, or CAP_BPF and CAP_NET_ADMIN)";
  std::string& details = libbpf_messages();
  while (!details.empty() && details.back() == '\n') details.pop_back();
  if (!details.empty()) sentence += fmt::format("\n{}", details);
  return Error{std::move(sentence)};
}

bpf_tc_hook hook_of(int ifindex, bpf_tc_attach_point point = BPF_TC_INGRESS) {
  bpf_tc_hook hook{};
  hook.sz = sizeof hook;
  hook.ifindex = ifindex;
  hook.attach_point = point;
  return hook;
}

bpf_tc_opts place(bool own_qdisc) {
  bpf_tc_opts options{};
  options.sz = sizeof options;
  options.handle = own_qdisc ? kHandleOnOwnQdisc : kHandleOnForeignQdisc;
  options.priority = kPriority;
  return options;
}

/// Raw wire order is what the program compares with, so keys are stored as they stand.
int put(int map, uint32_t raw_key) {
  const uint32_t present = 1;
  return bpf_map_update_elem(map, &raw_key, &present, BPF_ANY);
}

Result<void> fill_maps(const decap_bpf& skeleton, const DecapSettings& settings) {
  const int vips = bpf_map__fd(skeleton.maps.vips);
  for (const Be32 vip : settings.vips)
    if (put(vips, vip.raw()) != 0) return bpf_error("cannot enter a vip", errno);
  const int addresses = bpf_map__fd(skeleton.maps.addresses);
  for (const Be32 address : settings.addresses)
    if (put(addresses, address.raw()) != 0) return bpf_error("cannot enter an address", errno);
  for (const SourcePrefix& source : settings.sources) {
    const warmswap_source_prefix key = {.length = source.length, .address = source.address.raw()};
    const uint32_t allowed = 1;
    if (bpf_map_update_elem(bpf_map__fd(skeleton.maps.sources), &key, &allowed, BPF_ANY) != 0)
      return bpf_error("cannot enter a source prefix", errno);
  }
  return {};
}

/// Creates the qdisc the hook needs. True when it was not there before.
Result<bool> create_qdisc(int ifindex) {
  bpf_tc_hook hook = hook_of(ifindex);
  const int failed = bpf_tc_hook_create(&hook);
  if (failed == -EEXIST) return false;
  if (failed != 0) return bpf_error("cannot create the clsact qdisc", failed);
  return true;
}

/// Both sides at once is how libbpf asks for the qdisc itself. Returns 0 or a negative errno.
int remove_qdisc(int ifindex) {
  bpf_tc_hook both = hook_of(ifindex, static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS));
  return bpf_tc_hook_destroy(&both);
}

}  // namespace

void DecapProgram::Close::operator()(decap_bpf* skeleton) const noexcept {
  decap_bpf__destroy(skeleton);
}
DecapProgram::DecapProgram(std::unique_ptr<decap_bpf, Close> skeleton) noexcept : skeleton_(std::move(skeleton)) {}
DecapProgram::DecapProgram(DecapProgram&&) noexcept = default;
DecapProgram& DecapProgram::operator=(DecapProgram&&) noexcept = default;
DecapProgram::~DecapProgram() = default;

Result<DecapProgram> DecapProgram::load(const DecapSettings& settings) {
  start_listening();
  DecapProgram program{std::unique_ptr<decap_bpf, Close>(decap_bpf__open())};
  if (!program.skeleton_) return bpf_error("cannot open the decapsulation program", errno);
  const int failed = decap_bpf__load(program.skeleton_.get());
  if (failed != 0) return bpf_error("the kernel refused the decapsulation program", failed);
  Result<void> filled = fill_maps(*program.skeleton_, settings);
  if (!filled) return Error{filled.error()};
  const int fd = bpf_program__fd(program.skeleton_->progs.warmswap_decap);
  // The code never touches this map; bound to the program it is found, and lives as long, like the others.
  if (bpf_prog_bind_map(fd, bpf_map__fd(program.skeleton_->maps.attachment), nullptr) != 0)
    return bpf_error("cannot bind the attachment record to the program", errno);
  bpf_prog_info info{};
  uint32_t bytes = sizeof info;
  if (bpf_obj_get_info_by_fd(fd, &info, &bytes) != 0)
    return bpf_error("cannot read about the decapsulation program", errno);
  program.id_ = info.id;
  return program;
}

Result<void> DecapProgram::attach(int ifindex) {
  start_listening();
  Result<std::optional<AttachedProgram>> predecessor = find_attached(ifindex);
  if (!predecessor) return Error{predecessor.error()};
  Result<bool> created = create_qdisc(ifindex);
  if (!created) return Error{created.error()};
  const bool inherited = predecessor->has_value() && (*predecessor)->own_qdisc;
  const warmswap_attachment attachment = {.pid = static_cast<uint32_t>(getpid())};
  const uint32_t first = 0;
  if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.attachment), &first, &attachment, BPF_ANY) != 0)
    return bpf_error("cannot record the attachment", errno);
  const bpf_tc_hook hook = hook_of(ifindex);
  bpf_tc_opts options = place(*created || inherited);
  options.prog_fd = bpf_program__fd(skeleton_->progs.warmswap_decap);
  options.flags = BPF_TC_F_REPLACE;
  const int failed = bpf_tc_attach(&hook, &options);
  if (failed == 0) return {};
  Error error = bpf_error("cannot attach the decapsulation program", failed);
  if (*created) remove_qdisc(ifindex);
  return error;
}

Result<void> DecapProgram::set_addresses(const std::vector<Be32>& addresses) {
  start_listening();
  const int map = bpf_map__fd(skeleton_->maps.addresses);
  for (const Be32 address : addresses)
    if (put(map, address.raw()) != 0) return bpf_error("cannot enter an address", errno);
  std::vector<uint32_t> stale;
  uint32_t key = 0;
  for (const uint32_t* previous = nullptr; bpf_map_get_next_key(map, previous, &key) == 0; previous = &key)
    if (std::find(addresses.begin(), addresses.end(), Be32::from_raw(key)) == addresses.end()) stale.push_back(key);
  for (const uint32_t address : stale)
    if (bpf_map_delete_elem(map, &address) != 0) return bpf_error("cannot remove an address", errno);
  return {};
}

Result<std::optional<AttachedProgram>> find_attached(int ifindex) {
  Result<std::vector<TcFilter>> filters = ingress_filters(ifindex);
  if (!filters) return Error{filters.error()};
  for (const TcFilter& filter : *filters) {
    if (filter.chain != 0 || filter.priority != kPriority) continue;
    if (filter.handle != kHandleOnForeignQdisc && filter.handle != kHandleOnOwnQdisc) continue;
    // libbpf names a filter PROGRAM:[ID].
    if (!filter.name.starts_with(WARMSWAP_DECAP_PROGRAM ":["))
      return Error{
          fmt::format("the place at tc ingress priority {} handle {} is taken by the foreign program '{}' "
                      "(id {}): remove it with `tc filter del dev IF ingress pref {}`",
                      kPriority, filter.handle, filter.name, filter.program_id, kPriority)};
    return std::optional(AttachedProgram{.id = filter.program_id, .own_qdisc = filter.handle == kHandleOnOwnQdisc});
  }
  return std::optional<AttachedProgram>();
}

Result<void> detach(int ifindex) {
  start_listening();
  Result<std::optional<AttachedProgram>> found = find_attached(ifindex);
  if (!found) return Error{found.error()};
  if (!found->has_value()) return {};
  const bpf_tc_hook hook = hook_of(ifindex);
  const bpf_tc_opts options = place((*found)->own_qdisc);
  const int failed = bpf_tc_detach(&hook, &options);
  if (failed != 0 && failed != -ENOENT) return bpf_error("cannot detach the decapsulation program", failed);
  if (!(*found)->own_qdisc) return {};
  Result<size_t> others = clsact_filter_count(ifindex);
  if (!others) return Error{others.error()};
  if (*others != 0) return {};
  const int kept = remove_qdisc(ifindex);
  if (kept != 0 && kept != -ENOENT) return bpf_error("cannot remove the clsact qdisc", kept);
  return {};
}

}  // namespace warmswap::backend
